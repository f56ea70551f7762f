"""Canaries of ModelServers on a real API server, with server pods that are played."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest

from tests.support.api import Body, eventually
from tests.support.modelservers import (
    SECOND,
    Servers,
    artifact,
    model_server,
    outcomes,
    revision,
)
from tests.support.namespace import Namespace, conditions
from tests.support.operator_process import OperatorProcess
from tests.support.scripted_prometheus import ScriptedPrometheus, scripted_prometheus
from tests.support.serving_node import Fares, ServerView, serving_node
from winnow_contract.comparing import Compared
from winnow_operator.domain.servers.loads import Load
from winnow_operator.kube.resources import JOBS, MODELSERVERS

pytestmark = pytest.mark.control_plane

CANARY: Body = {
    "strategy": "Canary",
    "canary": {"steps": [{"replicas": 1, "pause": "1s"}, {"replicas": 2, "pause": "1s"}]},
}


async def test_a_canary_goes_through_its_steps_and_takes_over(
    namespace: Namespace, servers: Servers
) -> None:
    async with serving_node(namespace.api, namespace.name) as node:
        await servers.create(model_server(replicas=2, rollout=CANARY))
        await servers.serves(artifact(), replicas=2)
        node.least_ready = 2
        await servers.edit(model=artifact(SECOND))
        watched = await servers.state("Canary")
        body = await servers.serves(artifact(SECOND), replicas=2)
        await servers.only_deployment("digits-r2")

    assert watched["status"]["revision"] == 1
    assert watched["status"]["rollout"]["revision"] == 2
    assert node.least_ready == 2
    assert outcomes(body) == {2: "Serving", 1: "Retired"}


async def test_a_canary_that_crashes_after_a_while_is_aborted(
    namespace: Namespace, servers: Servers
) -> None:
    crashed = False

    def script(pod: ServerView) -> Fares:
        return Fares(restarts=1) if crashed and pod.digest == SECOND else Fares()

    steps = {"steps": [{"replicas": 1, "pause": "1h"}]}
    async with serving_node(namespace.api, namespace.name, script):
        await servers.create(model_server(rollout={**CANARY, "canary": steps}))
        await servers.serves(artifact())
        await servers.edit(model=artifact(SECOND))
        await eventually(lambda: has(servers, {"digits-r1": 1, "digits-r2": 1}), what="a canary")
        crashed = True
        body = await servers.state("RolloutAborted")
        await servers.only_deployment("digits-r1")

    assert "check Restarts has failed" in conditions(body)["Degraded"]["message"]
    assert body["status"]["ready"] == "1/1"


async def has(servers: Servers, deployments: dict[str, int]) -> bool:
    return await servers.deployments() == deployments


async def test_a_canary_that_answers_otherwise_is_aborted_and_its_probe_goes_with_it(
    namespace: Namespace, servers: Servers
) -> None:
    async with serving_node(namespace.api, namespace.name) as node:
        node.compared = Compared(rows=256, equal=97)
        await servers.create(model_server(rollout=CANARY))
        await servers.serves(artifact())
        await servers.edit(model=artifact(SECOND))
        body = await servers.state("RolloutAborted")
        await servers.only_deployment("digits-r1")
        await eventually(lambda: has_no_probe(namespace), what="no probe")

    said = conditions(body)["Degraded"]["message"]
    assert "check Agreement has failed: 97 of 256 recorded rows" in said
    assert "canary.checks.minAgreement" in said
    assert body["status"]["ready"] == "1/1"


async def has_no_probe(namespace: Namespace) -> bool:
    held = await namespace.api.get(namespace.path(JOBS), labelSelector="winnow.dev/probe=digits")
    return not held["items"]


async def test_a_canary_waits_for_its_probe_and_is_not_probed_where_that_is_turned_off(
    namespace: Namespace, servers: Servers
) -> None:
    async with serving_node(namespace.api, namespace.name) as node:
        node.compared = None
        await servers.create(model_server(rollout=CANARY))
        await servers.serves(artifact())
        await servers.edit(model=artifact(SECOND))
        await eventually(lambda: servers.says("the same recorded rows"), what="a probe")
        await eventually(lambda: is_probed(namespace), what="the probe's Job")
        checks = {**CANARY["canary"], "checks": {"minAgreement": "0"}}
        await servers.edit(rollout={**CANARY, "canary": checks})
        body = await servers.serves(artifact(SECOND))

    assert outcomes(body) == {2: "Serving", 1: "Retired"}


async def is_probed(namespace: Namespace) -> bool:
    return not await has_no_probe(namespace)


async def test_a_server_that_is_deleted_in_the_middle_of_a_canary_leaves_nothing(
    namespace: Namespace, servers: Servers
) -> None:
    steps = {"steps": [{"replicas": 1, "pause": "1h"}]}
    async with serving_node(namespace.api, namespace.name):
        await servers.create(model_server(rollout={**CANARY, "canary": steps}))
        await servers.serves(artifact())
        await servers.edit(model=artifact(SECOND))
        await servers.state("Canary")
        path = namespace.path(MODELSERVERS, "digits")
        await namespace.api.delete(path, propagationPolicy="Background")

        async def is_empty() -> bool:
            return not await servers.deployments() and not await servers.pods()

        await eventually(is_empty, what="nothing that is left")


@pytest.fixture
async def prometheus(
    idle_operator: OperatorProcess,
) -> AsyncIterator[ScriptedPrometheus]:
    """A Prometheus that the operator is told of before it starts."""
    async with scripted_prometheus() as scripted:
        idle_operator.settings["WINNOW_PROMETHEUS_URL"] = scripted.url
        yield scripted


WATCHED = {
    "strategy": "Canary",
    "progressDeadline": "60s",
    "canary": {"steps": [{"replicas": 1, "pause": "2s"}], "checks": {"minRequests": 50}},
}
GOOD_LOAD = Load(900, 0, 0.010)
"""Of the revision that serves."""


async def watch_canary(servers: Servers) -> None:
    """A server that serves, and a canary beside it."""
    await servers.create(model_server(rollout=WATCHED))
    await servers.serves(artifact())
    await servers.edit(model=artifact(SECOND))


@pytest.mark.parametrize(
    ("load", "words"),
    [
        (Load(100, 20, 0.010), "20 of 100 requests failed (20.0%)"),
        (Load(100, 0, 0.030), "its p95 is 30 ms, 3 times the 10 ms"),
    ],
    ids=["errors", "slow"],
)
async def test_a_canary_that_does_worse_than_what_serves_is_aborted_with_the_figures(
    prometheus: ScriptedPrometheus, namespace: Namespace, servers: Servers, load: Load, words: str
) -> None:
    prometheus.loads = {1: GOOD_LOAD, 2: load}
    async with serving_node(namespace.api, namespace.name):
        await watch_canary(servers)
        body = await servers.state("RolloutAborted")
        await servers.only_deployment("digits-r1")

    assert words in conditions(body)["Degraded"]["message"]
    assert body["status"]["revision"] == 1


async def test_a_canary_waits_for_requests_and_goes_on_when_they_are_there(
    prometheus: ScriptedPrometheus, namespace: Namespace, servers: Servers
) -> None:
    prometheus.loads = {1: GOOD_LOAD, 2: Load(7, 0, 0.010)}
    async with serving_node(namespace.api, namespace.name):
        await watch_canary(servers)
        waits = await eventually(lambda: servers.says("7 of at least 50"), what="few requests")
        assert revision(await servers.get(), 2)["outcome"] == "RollingOut"
        prometheus.loads = {1: GOOD_LOAD, 2: Load(100, 0, 0.010)}
        body = await servers.serves(artifact(SECOND))

    assert waits["status"]["state"] == "Inconclusive"
    assert waits["status"]["rollout"]["weight"] == "0.0077"
    assert outcomes(body)[2] == "Serving"


async def test_a_prometheus_that_goes_silent_holds_a_canary_up_and_nothing_else(
    prometheus: ScriptedPrometheus, namespace: Namespace, servers: Servers
) -> None:
    prometheus.silent = True
    async with serving_node(namespace.api, namespace.name):
        before = await seconds_to_serve(servers, "before")
        await watch_canary(servers)
        await eventually(lambda: servers.says("is being asked"), what="a question")
        meanwhile = await seconds_to_serve(servers, "meanwhile")
        await eventually(lambda: servers.says("does not answer"), what="no answer")
        assert {"digits-r1", "digits-r2"} <= (await servers.deployments()).keys()

    # Each of the looks that a server takes to get ready would wait five seconds for the answer.
    assert meanwhile < 2 * before + 5


async def seconds_to_serve(servers: Servers, name: str) -> float:
    """How long a new server takes, on a machine that may be busy."""
    begun = time.monotonic()
    await servers.create(model_server(name))
    await servers.serves(artifact(), name)
    return time.monotonic() - begun


async def test_without_a_prometheus_a_canary_says_what_is_not_checked(
    namespace: Namespace, servers: Servers
) -> None:
    async with serving_node(namespace.api, namespace.name):
        await servers.create(model_server(rollout=CANARY))
        body = await servers.serves(artifact())

    degraded = conditions(body)["Degraded"]
    assert (degraded["status"], degraded["reason"]) == ("True", "NoPrometheus")
