"""What a ModelServer serves where it names a job, on a real API server with pods that are played."""

from __future__ import annotations

import pytest

from tests.support.api import Body, eventually
from tests.support.compressionjobs import build, compress, compression_job
from tests.support.modelservers import Servers, model_server, outcomes
from tests.support.namespace import Namespace, holds
from tests.support.searchjobs import task_job
from tests.support.serving_node import serving_node
from tests.support.simulated_node import simulated_node

pytestmark = pytest.mark.control_plane


async def test_a_server_waits_for_a_selection_serves_it_and_follows_the_next_one(
    namespace: Namespace, servers: Servers
) -> None:
    jobs = namespace.compressions
    async with (
        serving_node(namespace.api, namespace.name),
        simulated_node(namespace.api, namespace.name, compress),
    ):
        await servers.create(model_server(model={"compressionJob": "small"}))
        waiting = await servers.condition("Ready", "WaitingForSource", status="False")
        await jobs.create_job(compression_job())
        first = await servers.serves(await selected(jobs, "half-int8"))
        await jobs.edit_job("small", goals=[{"metric": "accuracy", "maxDrop": "0.006"}])
        second = await servers.serves(await selected(jobs, "int8"))
        await servers.only_deployment("digits-r2")

    assert "names CompressionJob small, which there is not" in waiting["message"]
    assert first["status"]["model"] == "small/half-int8"
    assert second["status"]["model"] == "small/int8"
    assert outcomes(second) == {2: "Serving", 1: "Retired"}


async def selected(jobs: Namespace, candidate: str) -> Body:
    """The artifact of a CompressionJob's selection, once it is this candidate."""

    async def check() -> Body | None:
        body = await jobs.job("small")
        found = body.get("status", {}).get("selected", {})
        is_it = found.get("candidate") == candidate and holds(body, "Complete")
        return found["artifact"] if is_it else None

    return await eventually(check, seconds=60, what=f"the selection of {candidate}")


async def test_a_baseline_is_served_only_where_it_is_accepted(
    namespace: Namespace, servers: Servers
) -> None:
    jobs = namespace.compressions
    unreachable = [{"metric": "accuracy", "min": "0.999"}]
    async with (
        serving_node(namespace.api, namespace.name),
        simulated_node(namespace.api, namespace.name, compress),
    ):
        await jobs.create_job(compression_job(goals=unreachable))
        await servers.create(model_server(model={"compressionJob": "small"}))
        unmet = await servers.condition("Ready", "GoalsNotMet", status="False")
        assert await servers.deployments() == {}
        await servers.edit(acceptBaseline=True)
        body = await servers.serves(await selected(jobs, "baseline"))

    assert "spec.acceptBaseline" in unmet["message"]
    assert body["status"]["model"] == "small/baseline"


async def test_the_winner_of_a_search_is_served(namespace: Namespace, servers: Servers) -> None:
    async with (
        serving_node(namespace.api, namespace.name),
        simulated_node(namespace.api, namespace.name, build),
    ):
        await servers.create(model_server(model={"searchJob": "task"}))
        await servers.condition("Ready", "WaitingForSource", status="False")
        await namespace.create_job(task_job(budget={"maxTrials": 2, "parallelism": 2}))
        job = await namespace.ended("task")
        body = await servers.serves(job["status"]["winner"]["artifact"])

    assert body["status"]["model"] == job["status"]["winner"]["trial"]
