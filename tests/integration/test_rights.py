"""The chart's roles against the audit log: every right is used, nothing else is, none is missing.

`tests/contract/test_chart_rbac.py` holds the same roles against the calls in the code.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.api import eventually
from tests.support.audit import AuditLog, Call, audit_log_beside, of_accounts
from tests.support.chart import CHART
from tests.support.compressionjobs import build, compress, compression_job
from tests.support.modelservers import SECOND, Servers, artifact, model_server
from tests.support.namespace import Namespace, holds, outcomes
from tests.support.operator_process import OperatorProcess, running
from tests.support.quotas import enforce_quota, lift_quota
from tests.support.searchjobs import search_job
from tests.support.serving_node import serving_node
from tests.support.simulated_node import (
    Ending,
    PodView,
    Script,
    SimulatedNode,
    report,
    result_of,
    simulated_node,
    succeed,
)
from winnow_operator.kube.resources import JOBS, PODS, SERVER_CHILDREN, TRIALS

pytestmark = [pytest.mark.control_plane, pytest.mark.timeout(240)]

Right = tuple[str, str, str]
"""API group, resource and verb."""

NOT_SEEN: dict[Right, str] = {
    ("winnow.dev", f"{plural}/finalizers", "update"): (
        "never called: an admission plugin of OpenShift asks whether it is granted, because "
        "children carry owner references that block the owner's deletion"
    )
    for plural in ("searchjobs", "compressionjobs", "modelservers")
} | {
    (resource.group, resource.plural, "create"): (
        "what a server is made of is made by server-side apply, which is recorded as a patch and "
        "asks for both rights"
    )
    for resource in SERVER_CHILDREN.values()
}
"""Granted, but not to be seen in an audit log, with the reason."""

BUDGET = {"maxTrials": 4, "parallelism": 2, "maxFailedTrials": 4}


@pytest.fixture
def audit(control_plane: Path) -> AuditLog:
    return audit_log_beside(control_plane)


async def test_a_run_through_everything_uses_every_right_of_the_chart_and_no_other(
    namespace: Namespace, idle_operator: OperatorProcess, audit: AuditLog
) -> None:
    mark = await audit.settled_mark(namespace.api)
    async with running(idle_operator):
        await run_through_everything(namespace)
    calls = await audit.settled_since(mark, namespace.api)
    own = of_accounts(calls, namespace.name)

    assert used(own) - granted() == set(), "called by a right that the chart does not give"
    assert granted() - used(own) == set(NOT_SEEN), "given by the chart, but never used"
    assert [c for c in own if c.decision != "allow"] == [], "refused for want of a right"
    assert {c.namespace for c in own if c.resource} == {namespace.name}
    assert all(f'"winnow-{namespace.name}' in c.reason for c in own if c.resource)


def granted() -> set[Right]:
    """All rights of the chart's roles."""
    rules: dict[str, list[dict[str, Any]]] = yaml.safe_load((CHART / "files/rbac.yaml").read_text())
    return {
        (group, resource, verb)
        for rule in (*rules["watched"], *rules["own"])
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def used(calls: Iterable[Call]) -> set[Right]:
    """Rights that calls on resources have used; discovery is everybody's."""
    return {call.right for call in calls if call.resource and call.decision == "allow"}


async def run_through_everything(namespace: Namespace) -> None:
    """One search after the other, each with something that makes the operator act otherwise."""
    await a_search_that_is_suspended_and_edited(namespace)
    await failures_and_retries(namespace)
    await a_search_whose_children_are_deleted(namespace)
    await quotas(namespace)
    await a_search_that_is_removed_after_its_time(namespace)
    await compressions(namespace.compressions)
    await a_server_that_changes_its_model(namespace)


async def a_search_that_is_suspended_and_edited(namespace: Namespace) -> None:
    """Default claim, suspend and resume, another parallelism and budget, a winner."""
    async with simulated_node(namespace.api, namespace.name, lambda _: None) as node:
        await namespace.create_job(search_job("edited", budget=BUDGET))
        await eventually(lambda: are_running(namespace, "edited", 2), what="two pods")
        await namespace.edit_job("edited", suspend=True)
        await eventually(lambda: are_running(namespace, "edited", 0), what="no pods")
        await namespace.edit_job("edited", suspend=False)
        await eventually(lambda: are_running(namespace, "edited", 2), what="two pods again")
        await namespace.edit_job("edited", budget={**BUDGET, "maxTrials": 6, "parallelism": 4})
        await eventually(lambda: are_running(namespace, "edited", 4), what="four pods")
        node.script = succeed
        body = await namespace.ended("edited")

    assert holds(body, "Complete")
    assert body["status"]["winner"]["trial"].startswith("edited-")
    assert [c["metadata"]["name"] for c in await namespace.claims()] == ["winnow-artifacts"]


async def failures_and_retries(namespace: Namespace) -> None:
    """A crash that is retried, a crash after the results were written, a permanent fault.

    The Job starts the second again, although its trial has an outcome: that pod is deleted. Trial
    4 goes on until then, or the whole Job would be.
    """
    endings: dict[int, Script] = {
        1: lambda pod: Ending(1, "boom") if pod.failures == 0 else succeed(pod),
        2: lambda pod: (
            None if pod.failures else report(pod, *map(result_of, pod.trials), exit_code=1)
        ),
        3: lambda _: Ending(65, "no such column"),
        4: lambda _: None,
    }

    def script(pod: PodView) -> Ending | None:
        return endings.get(pod.trials[0].number, succeed)(pod)

    async with simulated_node(namespace.api, namespace.name, script) as node:
        await namespace.create_job(search_job("failing", budget=BUDGET))
        again = partial(was_started_again, namespace, node)
        await eventually(again, seconds=60, what="a second pod of trial 2")
        await eventually(partial(are_running, namespace, "failing", 1), what="its deletion")
        del endings[4]
        await namespace.ended("failing", seconds=90)

    found = outcomes(await namespace.trials("failing"))
    assert found == ["Succeeded", "Succeeded", "Failed", "Succeeded"]


async def was_started_again(namespace: Namespace, node: SimulatedNode) -> bool:
    """Whether trial 2 had a second pod: it has run, or the operator was faster and the Job has counted it."""
    states = [batch.get("status") or {} for batch in await namespace.batches("failing")]
    failed = [index for state in states for index in state.get("failedIndexes", "").split(",")]
    return node.ran.count((2,)) > 1 or "1" in failed


async def a_search_whose_children_are_deleted(namespace: Namespace) -> None:
    """Somebody deletes a Trial, a pod, and then the whole Job."""
    async with simulated_node(namespace.api, namespace.name, lambda _: None) as node:
        await namespace.create_job(search_job("robbed", budget=BUDGET))
        await eventually(lambda: are_running(namespace, "robbed", 2), what="two pods")
        (pod, *_) = await namespace.pods("robbed")
        await namespace.api.delete(namespace.path(TRIALS, "robbed-t00001"))
        await namespace.api.delete(namespace.path(PODS, pod["metadata"]["name"]))
        batch = (await namespace.batches("robbed"))[0]["metadata"]
        path = namespace.path(JOBS, batch["name"])
        await namespace.api.delete(path, propagationPolicy="Background")
        node.script = succeed
        body = await namespace.ended("robbed", seconds=90)

    assert holds(body, "Complete")
    assert outcomes(await namespace.trials("robbed")) == ["Succeeded"] * 4


async def quotas(namespace: Namespace) -> None:
    """A quota on pods is told by Events of the Job, one on Trials by the API server's refusal."""
    for number, counted in enumerate(("pods", "count/trials.winnow.dev")):
        job = f"bounded-{number}"
        await enforce_quota(namespace, job, counted)
        async with simulated_node(namespace.api, namespace.name):
            await namespace.create_job(search_job(job, budget=BUDGET))
            await namespace.condition(job, "Reconciling", "QuotaExceeded")
            await lift_quota(namespace, job)
            assert holds(await namespace.ended(job, seconds=90), "Complete")


async def a_search_that_is_removed_after_its_time(namespace: Namespace) -> None:
    """A time to live of a second."""
    async with simulated_node(namespace.api, namespace.name):
        await namespace.create_job(search_job("brief", ttlSecondsAfterFinished=1))
        await namespace.nothing_left_of("brief")


async def compressions(jobs: Namespace) -> None:
    """One that is suspended while it is measured and chooses again, one with a time to live."""
    async with simulated_node(jobs.api, jobs.name, never_measured) as node:
        await jobs.create_job(compression_job("measured"))
        await jobs.condition("measured", "Reconciling", "Measuring")
        await jobs.edit_job("measured", suspend=True)
        await eventually(lambda: are_running(jobs, "measured", 0), what="no pods")
        node.script = compress
        await jobs.edit_job("measured", suspend=False)
        assert holds(await jobs.ended("measured"), "Complete")
        await jobs.edit_job("measured", goals=[])
        await eventually(partial(is_observed, jobs, "measured"), what="another choice")
        await jobs.create_job(compression_job("shrunk", ttlSecondsAfterFinished=1))
        await jobs.nothing_left_of("shrunk")


async def a_server_that_changes_its_model(namespace: Namespace) -> None:
    """With an autoscaler and a policy, which are taken away again, and another model."""
    servers = Servers(namespace)
    resources = {"requests": {"cpu": "100m"}}
    scaling = {"maxReplicas": 2}
    made = model_server(autoscaling=scaling, networkPolicy={}, resources=resources)
    async with serving_node(namespace.api, namespace.name):
        await servers.create(made)
        await servers.serves(artifact())
        await servers.edit(model=artifact(SECOND), autoscaling=None, networkPolicy=None)
        await servers.serves(artifact(SECOND))
        await servers.only_deployment("digits-r2")


def never_measured(pod: PodView) -> Ending | None:
    """Builder pods build, and measuring pods go on for ever."""
    return build(pod) if pod.trials else None


async def is_observed(jobs: Namespace, name: str) -> bool:
    body = await jobs.job(name)
    return bool(body["status"]["observedGeneration"] == body["metadata"]["generation"])


async def are_running(namespace: Namespace, job: str, count: int) -> bool:
    pods = [p for p in await namespace.pods(job) if "deletionTimestamp" not in p["metadata"]]
    return sum(1 for p in pods if p["status"].get("phase") == "Running") == count
