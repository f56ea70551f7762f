"""What Trials say of pods that cannot start, and that it is taken back once they do."""

from __future__ import annotations

import pytest

from tests.support.api import Body, eventually
from tests.support.namespace import Namespace, holds, outcomes
from tests.support.operator_process import OperatorProcess
from tests.support.searchjobs import search_job
from tests.support.simulated_node import simulated_node
from winnow_operator.kube.resources import PODS

pytestmark = pytest.mark.control_plane

NO_ROOM = "0/1 nodes are available: 1 Insufficient cpu."


async def test_a_trial_says_why_its_pod_waits_until_the_pod_runs(
    namespace: Namespace, operator: OperatorProcess
) -> None:
    await namespace.create_job(search_job(budget={"maxTrials": 1, "parallelism": 1}))
    pod = await eventually(lambda: first_pod(namespace), what="a pod")
    await refuse_room(namespace, pod)
    waiting = await eventually(lambda: trial_with_cause(namespace), what="a cause on the Trial")
    operator.kill()
    operator.start()
    async with simulated_node(namespace.api, namespace.name, lambda _: None):
        status = await eventually(lambda: status_without_cause(namespace), what="no cause")
    async with simulated_node(namespace.api, namespace.name):
        body = await namespace.ended("search")

    assert waiting == {"outcome": "Active", "cause": "Unschedulable", "message": NO_ROOM}
    assert status == {"outcome": "Active"}
    assert holds(body, "Complete")
    assert outcomes(await namespace.trials("search")) == ["Succeeded"]
    events = [e["reason"] for e in await namespace.events("search")]
    assert events.count("Unschedulable") == 1


async def first_pod(namespace: Namespace) -> Body | None:
    return next(iter(await namespace.pods("search")), None)


async def refuse_room(namespace: Namespace, pod: Body) -> None:
    condition = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": NO_ROOM,
    }
    path = namespace.path(PODS, pod["metadata"]["name"], "status")
    await namespace.api.merge(path, {"status": {"conditions": [condition]}})


async def trial_with_cause(namespace: Namespace) -> Body | None:
    (trial,) = await namespace.trials("search")
    status: Body = trial["status"]
    return status if "cause" in status else None


async def status_without_cause(namespace: Namespace) -> Body | None:
    (trial,) = await namespace.trials("search")
    status: Body = trial["status"]
    return status if "cause" not in status else None
