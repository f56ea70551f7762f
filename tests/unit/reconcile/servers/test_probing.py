"""A probe is made once, whoever has made it, and what keeps it from being made is said."""

from __future__ import annotations

from typing import Any, cast

import pytest

from tests.support.loop_clock import LoopClock
from tests.support.servers import NOW, model
from winnow_operator.api.conditions import Reason
from winnow_operator.api.modelserver import ModelServer
from winnow_operator.domain.kinds import Kind
from winnow_operator.domain.servers.probes import Probe, Target
from winnow_operator.domain.servers.revisions import Revisions
from winnow_operator.errors import (
    AlreadyExistsError,
    ForbiddenError,
    KubernetesError,
    RefusedError,
)
from winnow_operator.kube.gateway import Gateway
from winnow_operator.kube.recorder import Recorder
from winnow_operator.kube.resources import CORE_EVENTS, JOBS, PODS, Resource
from winnow_operator.manifests.objects import Owner
from winnow_operator.manifests.probes import probe_name
from winnow_operator.reconcile.jobcontext import Tools
from winnow_operator.reconcile.podbook import PodBook
from winnow_operator.reconcile.servers.context import ServerContext
from winnow_operator.reconcile.servers.probing import keep_probe, read_probe
from winnow_operator.reconcile.servers.refusals import Refusals
from winnow_operator.settings import Settings

PROBE = Probe(Target(1, "10.0.0.1"), Target(2, "10.0.0.2"), "0.1", "2026-01-31T12:00:00Z", "uid-d")
KNOWN = Revisions().add(model("a"), NOW).add(model("b"), NOW)


class Cluster:
    """An API server that holds Jobs, pods and Events."""

    def __init__(self, refusal: KubernetesError | None = None) -> None:
        self.refusal = refusal
        self.tries = 0
        self.held: dict[Resource, list[dict[str, Any]]] = {JOBS: [], PODS: [], CORE_EVENTS: []}

    async def list(self, resource: Resource, _namespace: str, **_: str) -> list[dict[str, Any]]:
        return self.held[resource]

    async def create(
        self, resource: Resource, _namespace: str, body: dict[str, Any]
    ) -> dict[str, Any]:
        self.tries += 1
        if self.refusal is not None:
            raise self.refusal
        self.held[resource].append(body)
        return body


def context(cluster: Cluster) -> ServerContext:
    gateway, clock = cast("Gateway", cluster), LoopClock()
    recorder = Recorder(gateway, clock, "operator-1")
    tools = Tools(gateway, recorder, PodBook(), Settings("trainer:1", "server:1"), clock)
    owner = Owner("team", "digits", "u1", {}, Kind.SERVER)
    server = ModelServer.model_validate({"spec": {"model": {"searchJob": "a"}}})
    return ServerContext(tools, {}, owner, server)


async def test_a_probe_is_made_once() -> None:
    cluster, refusals = Cluster(), Refusals(LoopClock())

    for _ in range(2):
        assert await keep_probe(context(cluster), KNOWN, PROBE, refusals) is None

    (job,) = cluster.held[JOBS]
    assert job["metadata"]["name"] == probe_name("digits", PROBE)
    assert job["spec"]["template"]["spec"]["containers"][0]["image"] == "server:1"


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        (AlreadyExistsError("exists"), None),
        (ForbiddenError("exceeded quota: jobs"), Reason.QUOTA_EXCEEDED),
        (RefusedError("spec.template.spec.volumes: no"), Reason.INVALID_SPEC),
    ],
)
async def test_what_refuses_a_probe_is_given_back(
    refusal: KubernetesError, reason: Reason | None
) -> None:
    cluster, refusals = Cluster(refusal), Refusals(LoopClock())

    found = [await keep_probe(context(cluster), KNOWN, PROBE, refusals) for _ in range(2)]

    assert [None if one is None else one.reason for one in found] == [reason, reason]
    assert cluster.tries == (2 if reason is None else 1)  # a refused one is not tried again at once


async def test_pods_of_a_deleted_namesake_do_not_count_and_an_event_says_why_there_is_none() -> (
    None
):
    cluster = Cluster()
    of_another = {"winnow.dev/modelserver-uid": "u0"}
    ended = {"exitCode": 75, "message": "old"}
    cluster.held[PODS] = [
        {
            "metadata": {"name": "p", "annotations": of_another},
            "status": {"containerStatuses": [{"name": "compare", "state": {"terminated": ended}}]},
        }
    ]
    cluster.held[CORE_EVENTS] = [
        {
            "metadata": {"creationTimestamp": "2026-01-31T12:00:00Z", "resourceVersion": "1"},
            "type": "Warning",
            "reason": "FailedCreate",
            "message": "exceeded quota: pods",
        }
    ]

    found = await read_probe(context(cluster), PROBE)

    assert found.agreement is None
    assert "exceeded quota: pods" in found.words
