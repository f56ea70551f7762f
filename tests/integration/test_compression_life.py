"""The life of a compression: suspended, edited, out of time, deleted, made anew, removed."""

from __future__ import annotations

import pytest

from tests.support.api import Body, eventually
from tests.support.compressionjobs import (
    auto_job,
    build,
    compress,
    compression_job,
    digest_of,
)
from tests.support.namespace import Namespace, conditions, holds, outcomes
from tests.support.operator_process import OperatorProcess
from tests.support.simulated_node import Ending, PodView, simulated_node

pytestmark = [pytest.mark.control_plane, pytest.mark.usefixtures("operator")]

CLASHING = [{"metric": "accuracy", "min": "0.99"}, {"metric": "accuracy", "max": "0.9"}]


def never_measure(pod: PodView) -> Ending | None:
    return build(pod) if pod.trials else None


async def test_a_suspended_compression_stops_its_pods_and_goes_on_with_what_is_built(
    namespace: Namespace,
) -> None:
    jobs = namespace.compressions
    async with simulated_node(namespace.api, namespace.name, never_measure) as node:
        await jobs.create_job(compression_job())
        await jobs.condition("small", "Reconciling", "Measuring")
        await jobs.edit_job("small", suspend=True)
        await jobs.condition("small", "Suspended", "Suspended")
        await eventually(lambda: no_pods(jobs), what="no pods")
        built = len(node.ran)
        node.script = compress
        await jobs.edit_job("small", suspend=False)
        body = await jobs.ended("small")

    assert holds(body, "Complete"), conditions(body)
    assert [numbers for numbers in node.ran[built:] if numbers] == [], "nothing was built again"


async def no_pods(jobs: Namespace) -> bool:
    return await jobs.pods("small") == []


async def test_at_the_deadline_what_is_measured_is_chosen_from(namespace: Namespace) -> None:
    jobs = namespace.compressions

    def only_the_first_round(pod: PodView) -> Ending | None:
        return compress(pod) if pod.measurement or min(t.number for t in pod.trials) < 4 else None

    async with simulated_node(namespace.api, namespace.name, only_the_first_round):
        await jobs.create_job({**auto_job(), "spec": {**auto_job()["spec"], "budget": BRIEF}})
        body = await jobs.ended("small")

    complete = conditions(body)["Complete"]
    assert (complete["status"], complete["reason"]) == ("True", "DeadlineReached")
    assert body["status"]["selected"]["trial"] in {f"small-c0000{n}" for n in (1, 2, 3)}
    assert outcomes(await jobs.trials("small"))[3:] == ["Stopped", "Stopped"]


BRIEF = {"maxDuration": "8s", "parallelism": 3}


async def test_at_the_deadline_without_a_measurement_the_job_has_failed(
    namespace: Namespace,
) -> None:
    jobs = namespace.compressions
    async with simulated_node(namespace.api, namespace.name, never_measure):
        await jobs.create_job(compression_job(budget={"maxDuration": "5s"}))
        body = await jobs.ended("small")

    failed = conditions(body)["Failed"]
    assert failed["reason"] == "DeadlineReached"
    stopped = (await jobs.trials("small"))[1]["status"]
    assert stopped["outcome"] == "Stopped"
    assert stopped["artifact"]["digest"] == f"sha256:{digest_of('built', 2)}"


async def test_too_many_failures_end_the_job(namespace: Namespace) -> None:
    jobs = namespace.compressions

    def script(pod: PodView) -> Ending:
        return compress(pod) if pod.trials and pod.trials[0].number == 1 else Ending(65, "no luck")

    async with simulated_node(namespace.api, namespace.name, script):
        await jobs.create_job(compression_job(budget={"maxFailedTrials": 1}))
        body = await jobs.ended("small")

    assert conditions(body)["Failed"]["reason"] == "TooManyFailures"


async def test_goals_that_contradict_each_other_wait_to_be_edited_while_it_runs(
    namespace: Namespace,
) -> None:
    jobs = namespace.compressions
    async with simulated_node(namespace.api, namespace.name, never_measure) as node:
        await jobs.create_job(compression_job())
        await jobs.condition("small", "Reconciling", "Measuring")
        await jobs.edit_job("small", goals=CLASHING)
        waiting = await jobs.condition("small", "Reconciling", "InvalidGoals")
        node.script = compress
        await jobs.edit_job("small", goals=[{"metric": "accuracy", "maxDrop": "0.006"}])
        body = await jobs.ended("small")

    assert "goals contradict each other" in waiting["message"]
    assert body["status"]["selected"]["candidate"] == "int8"


async def test_goals_that_contradict_each_other_leave_the_selection_of_a_finished_job(
    namespace: Namespace, operator: OperatorProcess
) -> None:
    jobs = namespace.compressions
    async with simulated_node(namespace.api, namespace.name, compress):
        await jobs.create_job(compression_job())
        finished = await jobs.ended("small")
        await jobs.edit_job("small", goals=CLASHING)
        condition = await jobs.condition("small", "GoalsMet", "InvalidGoals", status="False")
        body = await jobs.job("small")

    assert "goals contradict each other" in condition["message"]
    assert body["status"]["selected"] == finished["status"]["selected"]
    assert holds(body, "Complete")
    assert body["status"]["observedGeneration"] == body["metadata"]["generation"]
    assert operator.complaints() == []


async def test_nothing_of_a_deleted_compression_counts_for_its_namesake(
    namespace: Namespace,
) -> None:
    jobs = namespace.compressions
    async with simulated_node(namespace.api, namespace.name, never_measure) as node:
        await jobs.create_job(compression_job())
        await jobs.condition("small", "Reconciling", "Measuring")
        await jobs.delete_job("small")
        made = await jobs.create_job(compression_job())
        node.script = compress
        body = await jobs.ended("small", seconds=90)

    assert holds(body, "Complete"), conditions(body)
    assert owners(await jobs.trials("small")) == {made["metadata"]["uid"]}


def owners(bodies: list[Body]) -> set[str]:
    return {o["uid"] for b in bodies for o in b["metadata"]["ownerReferences"]}


async def test_a_finished_compression_is_deleted_with_all_it_owns_after_its_time_to_live(
    namespace: Namespace,
) -> None:
    jobs = namespace.compressions
    async with simulated_node(namespace.api, namespace.name, compress):
        await jobs.create_job(compression_job(ttlSecondsAfterFinished=1))
        await jobs.nothing_left_of("small")
