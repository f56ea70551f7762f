"""Servers whose rollout something interrupts: in the end the right revision serves, and it is said what was.

That the operator is killed at any write is tried in tests/crash, on a control plane.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from devcluster.machine import find_node
from devcluster.profiles import open_profile
from tests.crash.figures import note
from tests.e2e.claim_pods import copy_onto_claim
from tests.e2e.cluster import Cluster
from tests.e2e.conftest import PROFILE
from tests.e2e.models_on_a_claim import Stock, small_claim
from tests.e2e.serving_client import small_server
from tests.e2e.steady_load import steady_load
from tests.support.api import Api, Body, eventually
from tests.support.bad_models import CLAIM, write_models
from tests.support.modelservers import Servers, outcomes, revision
from tests.support.namespace import Namespace, conditions, holds
from winnow_operator.errors import UnavailableError

pytestmark = [pytest.mark.cluster, pytest.mark.prove, pytest.mark.timeout(900)]


def canary(pause: str, deadline: str = "30s") -> Body:
    """A step of one pod, which has to last so long."""
    steps = [{"replicas": 1, "pause": pause}]
    checks = {"minRequests": 100, "maxLatencyRatio": "20"}
    return {
        "strategy": "Canary",
        "progressDeadline": deadline,
        "canary": {"steps": steps, "checks": checks},
    }


async def serving(servers: Servers, stock: Stock, name: str, **spec: object) -> Body:
    """A server of the first model that serves."""
    first = stock.models["first"]
    # Clients that keep their connections meet a canary only as these end.
    ages = {"connectionMaxAge": "5s"}
    body = small_server(name, model=first, replicas=2, server=ages, **spec)
    await servers.create(body)
    return await servers.serves(first, name, replicas=2, seconds=180)


async def in_a_pause(servers: Servers, name: str) -> Body:
    """A server whose canary is watched."""

    async def check() -> Body | None:
        body = await servers.get(name)
        return body if "stepSince" in body["status"].get("rollout", {}) else None

    return await eventually(check, seconds=120, what=f"a canary of {name} in its pause")


@pytest.fixture
def servers(api: Api, stock: Stock) -> Servers:
    """The servers of the namespace with the models."""
    return Servers(Namespace(api, stock.namespace))


async def test_a_deployment_and_a_service_that_are_deleted_come_back(
    cluster: Cluster, servers: Servers, stock: Stock
) -> None:
    await serving(servers, stock, "robbed")
    before = await servers.pod_names("robbed")
    await servers.delete_child("Deployment", "robbed-r1")

    async def is_new() -> bool:
        return not await servers.pod_names("robbed") & before

    await eventually(is_new, seconds=120, what="other pods")
    body = await servers.serves(stock.models["first"], "robbed", replicas=2, seconds=180)
    await servers.delete_child("Service", "robbed")
    await eventually(lambda: answers(cluster, stock, "robbed"), seconds=120, what="an answer")
    said = await servers.said_of("robbed")
    for child in ("Deployment robbed-r1", "Service robbed"):
        assert f"{child} was deleted by someone else; it is made again" in said
    assert outcomes(body) == {1: "Serving"}


async def answers(cluster: Cluster, stock: Stock, name: str) -> bool:
    """Whether a model is there by way of its Service."""
    path = f"/api/v1/namespaces/{stock.namespace}/services/{name}:80/proxy/v2/models/{name}"
    command = cluster.command("get", "--raw", path)
    asked = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    return await asked.wait() == 0


async def test_a_server_that_is_deleted_in_a_canary_leaves_nothing_and_may_come_again(
    servers: Servers, stock: Stock
) -> None:
    await serving(servers, stock, "gone", rollout=canary("10m"))
    await servers.edit("gone", model=stock.models["second"])
    await in_a_pause(servers, "gone")
    await servers.delete("gone")
    again = await serving(servers, stock, "gone")
    await servers.has_pods(2, "gone")

    assert outcomes(again) == {1: "Serving"}
    assert all("gone-r1-" in name for name in await servers.pod_names("gone"))


async def test_of_two_new_choices_in_a_row_the_later_one_serves(
    cluster: Cluster, servers: Servers, stock: Stock
) -> None:
    await serving(servers, stock, "hurried", rollout=canary("10s"))
    async with steady_load(cluster, stock.namespace, "hurried") as load:
        await servers.edit("hurried", model=stock.models["second"])
        await in_a_pause(servers, "hurried")
        await servers.edit("hurried", model=stock.models["third"])
        body = await servers.serves(stock.models["third"], "hurried", replicas=2, seconds=240)
        await servers.has_pods(2, "hurried")
        met = load.totals()

    assert outcomes(body) == {3: "Serving", 2: "Superseded", 1: "Retired"}
    assert "another revision was asked for" in revision(body, 2)["message"]
    assert met.failures == {}


@pytest.fixture
def passing(cluster: Cluster, stock: Stock, tmp_path: Path) -> Body:
    """The first model on a claim of its own, which a test may take away."""
    claim = small_claim("passing")
    cluster.run("-n", stock.namespace, "create", "-f", "-", stdin=json.dumps(claim))
    artifact = write_models(tmp_path)["first"]
    copy_onto_claim(cluster, stock.namespace, "passing", tmp_path / "claims" / CLAIM)
    return {**artifact, "uri": artifact["uri"].replace(CLAIM, "passing", 1)}


async def test_a_claim_that_goes_away_under_the_serving_revision_stops_nothing_and_is_said_when_a_pod_goes(
    cluster: Cluster, servers: Servers, stock: Stock, passing: Body
) -> None:
    await servers.create(small_server("bereft", model=passing, replicas=2))
    await servers.serves(passing, "bereft", replicas=2, seconds=180)
    async with steady_load(cluster, stock.namespace, "bereft") as load:
        cluster.run("-n", stock.namespace, "delete", "pvc", "passing", "--wait=false")
        without_claim = await load.requests_since(load.totals(), 1000)
        before = await servers.get("bereft")
        first, second = sorted(await servers.pod_names("bereft"))
        await servers.evict(first)
        lacking = await says_of_the_claim(servers, "bereft")
        with pytest.raises(UnavailableError, match="disruption budget"):
            await servers.evict(second)  # the last one that answers
        with_one_pod = await load.requests_since(load.totals(), 1000)
        await servers.edit("bereft", model=stock.models["second"])
        healed = await servers.serves(stock.models["second"], "bereft", replicas=2, seconds=240)
        met = load.totals()

    assert (without_claim.failures, set(without_claim.answered)) == ({}, {"1"})
    assert (before["status"]["state"], before["status"]["ready"]) == ("Ready", "2/2")
    assert holds(lacking, "Ready")
    said = conditions(lacking)["Degraded"]["message"]
    note(f"the claim of what serves is away, and a pod is evicted: {said}")
    assert said.startswith("1 of 2 pods are ready: ")
    assert "persistentvolumeclaim" in said
    assert (with_one_pod.failures, set(with_one_pod.answered)) == ({}, {"1"})
    assert outcomes(healed) == {2: "Serving", 1: "Retired"}
    assert met.failures == {}


async def says_of_the_claim(servers: Servers, name: str) -> Body:
    """A server once it says that a pod lacks its claim."""

    async def check() -> Body | None:
        body = await servers.get(name)
        said = conditions(body)["Degraded"]
        return body if '"passing"' in said["message"] else None

    return await eventually(check, seconds=120, what=f"what {name} says of its claim")


@contextmanager
def without_prometheus() -> Iterator[None]:
    """The node's Prometheus is ended, and started again after the block."""
    profile = open_profile(PROFILE)
    node = find_node(profile)
    assert node is not None
    component = profile.state / "components" / "prometheus.json"
    aside = component.with_suffix(".away")
    component.rename(aside)
    os.kill(node, signal.SIGHUP)
    try:
        yield
    finally:
        aside.rename(component)
        os.kill(node, signal.SIGHUP)


@pytest.mark.skipif(
    os.environ.get("CLUSTER", "devcluster") != "devcluster",
    reason="only the Prometheus of the devcluster is the tests' own",
)
async def test_a_canary_whose_prometheus_goes_away_does_not_pass(
    cluster: Cluster, servers: Servers, stock: Stock
) -> None:
    await serving(servers, stock, "unseen", rollout=canary("15s"))
    async with steady_load(cluster, stock.namespace, "unseen") as load:
        await servers.edit("unseen", model=stock.models["second"])
        await in_a_pause(servers, "unseen")
        with without_prometheus():
            body = await servers.state("RolloutAborted", "unseen", seconds=180)
        met = load.totals()

    said = conditions(body)["Degraded"]["message"]
    assert "checks were inconclusive: Prometheus does not answer" in said
    assert holds(body, "Ready")
    assert outcomes(body) == {2: "Aborted", 1: "Serving"}
    assert met.failures == {}
