"""CompressionJobs on a real API server, with pods that are played: from the source to the choice."""

from __future__ import annotations

import time

import pytest

from tests.support.api import eventually
from tests.support.compressionjobs import auto_job, compress, compression_job
from tests.support.namespace import Namespace, conditions, holds, outcomes
from tests.support.operator_process import OperatorProcess
from tests.support.simulated_node import simulated_node

pytestmark = [pytest.mark.control_plane, pytest.mark.usefixtures("operator")]


async def test_candidates_are_built_measured_and_the_best_that_keeps_the_goals_is_selected(
    namespace: Namespace, operator: OperatorProcess
) -> None:
    jobs = namespace.compressions
    async with simulated_node(namespace.api, namespace.name, compress) as node:
        await jobs.create_job(compression_job())
        body = await jobs.ended("small")

    status = body["status"]
    assert holds(body, "Complete"), conditions(body)
    assert holds(body, "GoalsMet")
    assert status["selected"]["candidate"] == "half-int8"
    assert status["speedup"] == "4.0x"
    assert status["progress"] == "4/4"
    assert outcomes(await jobs.trials("small")) == ["Succeeded"] * 4
    assert node.ran.count(()) == 1, "one pod measures"
    assert operator.complaints() == []


async def test_edited_goals_choose_again_without_a_pod_within_two_seconds(
    namespace: Namespace, operator: OperatorProcess
) -> None:
    jobs = namespace.compressions
    async with simulated_node(namespace.api, namespace.name, compress) as node:
        await jobs.create_job(compression_job())
        await jobs.ended("small")
        started, begun = len(node.started), time.monotonic()
        await jobs.edit_job("small", goals=[{"metric": "accuracy", "maxDrop": "0.006"}])
        await eventually(lambda: selects(jobs, "int8"), what="another choice")
        seconds = time.monotonic() - begun

    assert seconds < 2
    assert len(node.started) == started
    assert operator.complaints() == []


async def selects(jobs: Namespace, name: str) -> bool:
    body = await jobs.job("small")
    generation = body["metadata"]["generation"]
    status = body["status"]
    return (
        status["observedGeneration"] == generation
        and status["selected"]["candidate"] == name
        and holds(body, "Complete")
    )


async def test_auto_writes_chains_in_rounds_and_runs_none_twice(namespace: Namespace) -> None:
    jobs = namespace.compressions
    async with simulated_node(namespace.api, namespace.name, compress):
        await jobs.create_job(auto_job())
        body = await jobs.ended("small")
        trials = await jobs.trials("small")

    assert holds(body, "Complete"), conditions(body)
    assert [t["status"]["round"] for t in trials] == [1, 1, 1, 2, 2]
    chains = ["".join(t["spec"].get("steps", [])) for t in trials]
    assert len(set(chains)) == len(chains)
    assert trials[3]["spec"]["history"] == "1-3"
