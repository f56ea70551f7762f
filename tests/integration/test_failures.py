"""What goes wrong in trials and with their objects, and what the operator makes of it."""

from __future__ import annotations

import pytest

from tests.support.api import Body, eventually
from tests.support.namespace import Namespace, conditions, holds, outcomes
from tests.support.quotas import enforce_quota, lift_quota
from tests.support.searchjobs import search_job
from tests.support.simulated_node import (
    Ending,
    PodView,
    Script,
    report,
    result_of,
    simulated_node,
    succeed,
)
from winnow_contract.results import PodResult, TrialResult, encode_result
from winnow_operator.kube.resources import JOBS, PODS, SEARCHJOBS, TRIALS

pytestmark = [pytest.mark.control_plane, pytest.mark.usefixtures("operator")]

BUDGET = {"maxTrials": 4, "parallelism": 2, "maxFailedTrials": 4}


def only_for(number: int, ending: Ending) -> Script:
    """A script in which the pod of one trial ends badly and all others succeed."""
    return lambda pod: ending if pod.trials[0].number == number else succeed(pod)


CRASHES = [
    pytest.param(Ending(137, reason="OOMKilled"), "OOMKilled", "memory", id="out of memory"),
    pytest.param(
        Ending(1, "Traceback\nKeyError: 'label'"),
        "Crash",
        "exit code 1: Traceback | KeyError: 'label'",
        id="crash",
    ),
    pytest.param(Ending(65, "no such column"), "Permanent", "no such column", id="permanent"),
    pytest.param(Ending(75, "disk is away"), "StorageUnavailable", "disk is away", id="storage"),
    pytest.param(Ending(0, "not json"), "NoResult", "unreadable", id="garbage"),
    pytest.param(Ending(0), "NoResult", "unreadable", id="nothing said"),
    pytest.param(
        Ending(
            0,
            encode_result(
                PodResult(
                    "attempt1",
                    (TrialResult(2, "Failed", cause="NaN", message="loss is NaN in epoch 3"),),
                )
            ),
        ),
        "NaN",
        "loss is NaN in epoch 3",
        id="a failed trial",
    ),
    pytest.param(
        Ending(0, encode_result(PodResult("attempt1", (TrialResult(2, "Succeeded"),)))),
        "NoObjective",
        "quality",
        id="no objective",
    ),
]


@pytest.mark.parametrize(("ending", "cause", "words"), CRASHES)
async def test_a_bad_end_fails_its_trial_alone_with_cause_and_words(
    namespace: Namespace, ending: Ending, cause: str, words: str
) -> None:
    async with simulated_node(namespace.api, namespace.name, only_for(2, ending)):
        await namespace.create_job(search_job(budget={**BUDGET, "retriesPerTrial": 0}))
        body = await namespace.ended("search")

    trials = await namespace.trials("search")
    status = trials[1]["status"]
    assert holds(body, "Complete")
    assert outcomes(trials) == ["Succeeded", "Failed", "Succeeded", "Succeeded"]
    assert status["cause"] == cause
    assert words in status["message"]
    assert len(status["message"].encode()) <= 256
    notes = [e["note"] for e in await namespace.events("search") if e["reason"] == "TrialFailed"]
    assert any("search-t00002" in note and cause in note for note in notes)


async def test_a_crash_is_tried_again_up_to_its_limit(namespace: Namespace) -> None:
    def script(pod: PodView) -> Ending:
        return succeed(pod) if pod.failures or pod.trials[0].number != 2 else Ending(1, "boom")

    async with simulated_node(namespace.api, namespace.name, script):
        await namespace.create_job(search_job(budget={**BUDGET, "retriesPerTrial": 1}))
        await namespace.ended("search", seconds=90)

    trials = await namespace.trials("search")
    assert outcomes(trials) == ["Succeeded"] * 4
    assert trials[1]["status"]["attempts"] == 2


async def test_a_preempted_pod_costs_no_retry_and_no_outcome(namespace: Namespace) -> None:
    preempted: set[int] = set()

    def script(pod: PodView) -> Ending:
        number = pod.trials[0].number
        if number == 2 and number not in preempted:
            preempted.add(number)
            return Ending(143, disrupted=True)
        return succeed(pod)

    async with simulated_node(namespace.api, namespace.name, script):
        await namespace.create_job(search_job(budget={**BUDGET, "retriesPerTrial": 0}))
        await namespace.ended("search", seconds=90)

    assert outcomes(await namespace.trials("search")) == ["Succeeded"] * 4


async def test_too_many_failures_end_the_job(namespace: Namespace) -> None:
    async with simulated_node(namespace.api, namespace.name, lambda _: Ending(65, "bad luck")):
        budget = {"maxTrials": 20, "parallelism": 2, "maxFailedTrials": 2}
        await namespace.create_job(search_job(budget=budget))
        body = await namespace.ended("search")

    failed = conditions(body)["Failed"]
    assert failed["reason"] == "TooManyFailures"
    assert "maxFailedTrials is 2" in failed["message"]
    assert "bad luck" in failed["message"]
    assert holds(body, "Stalled")
    assert "Active" not in outcomes(await namespace.trials("search"))


async def test_a_fault_of_all_trials_ends_the_job_with_the_first(namespace: Namespace) -> None:
    words = "column 'label' is not in table.csv"
    message = encode_result(PodResult("attempt1", (), "BadData", words, job_fault=True))
    async with simulated_node(namespace.api, namespace.name, lambda _: Ending(65, message)):
        await namespace.create_job(search_job(budget={"maxTrials": 20, "parallelism": 1}))
        body = await namespace.ended("search")

    failed = conditions(body)["Failed"]
    assert failed["reason"] == "JobFault"
    assert words in failed["message"]
    assert outcomes(await namespace.trials("search")).count("Failed") == 1


async def test_another_contract_version_ends_the_job_at_once(namespace: Namespace) -> None:
    words = "the operator speaks contract version 1, this image speaks 7"
    message = encode_result(PodResult("attempt1", (), "ContractVersion", words, job_fault=True))
    async with simulated_node(namespace.api, namespace.name, lambda _: Ending(64, message)):
        await namespace.create_job(search_job())
        body = await namespace.ended("search")

    failed = conditions(body)["Failed"]
    assert failed["reason"] == "ContractMismatch"
    assert words in failed["message"]


async def test_when_no_trial_succeeds_the_job_has_failed(namespace: Namespace) -> None:
    async with simulated_node(namespace.api, namespace.name, lambda _: Ending(65, "no")):
        await namespace.create_job(search_job(budget=BUDGET))
        body = await namespace.ended("search")

    assert conditions(body)["Failed"]["reason"] == "NoWinner"
    assert body["status"].get("winner") is None


async def test_a_pod_that_somebody_deletes_runs_again(namespace: Namespace) -> None:
    async with simulated_node(namespace.api, namespace.name, lambda _: None) as node:
        await namespace.create_job(search_job(budget=BUDGET))
        pods = await eventually(lambda: running_pods(namespace, 2), what="two running pods")
        await namespace.api.delete(namespace.path(PODS, pods[0]["metadata"]["name"]))
        node.script = succeed
        body = await namespace.ended("search")

    assert holds(body, "Complete")
    assert outcomes(await namespace.trials("search")) == ["Succeeded"] * 4


async def running_pods(namespace: Namespace, count: int) -> list[Body]:
    pods = [p for p in await namespace.pods("search") if p["status"].get("phase") == "Running"]
    return pods if len(pods) == count else []


async def test_a_job_that_somebody_deletes_is_made_again(namespace: Namespace) -> None:
    async with simulated_node(namespace.api, namespace.name, lambda _: None) as node:
        await namespace.create_job(search_job(budget=BUDGET))
        await eventually(lambda: running_pods(namespace, 2), what="two running pods")
        (batch,) = await namespace.batches("search")
        path = namespace.path(JOBS, batch["metadata"]["name"])
        await namespace.api.delete(path, propagationPolicy="Background")
        await eventually(lambda: other_batch(namespace, batch), what="another Job")
        node.script = succeed
        body = await namespace.ended("search")

    assert holds(body, "Complete")
    assert outcomes(await namespace.trials("search")) == ["Succeeded"] * 4
    told = [e["note"] for e in await namespace.events("search") if e["reason"] == "BatchDeleted"]
    assert told == [
        f"Job {batch['metadata']['name']} was deleted by someone else; its open trials run again"
    ]


async def other_batch(namespace: Namespace, old: Body) -> bool:
    names = {b["metadata"]["name"] for b in await namespace.batches("search")}
    return bool(names - {old["metadata"]["name"]})


@pytest.mark.parametrize("number", [1, 4])
async def test_an_active_trial_that_somebody_deletes_is_made_again_with_its_values(
    namespace: Namespace, number: int
) -> None:
    async with simulated_node(namespace.api, namespace.name, lambda _: None) as node:
        await namespace.create_job(search_job(budget=BUDGET))
        await eventually(lambda: running_pods(namespace, 2), what="two running pods")
        before = (await namespace.trials("search"))[number - 1]
        await namespace.api.delete(namespace.path(TRIALS, before["metadata"]["name"]))
        after = await eventually(lambda: replaced(namespace, before), what="the Trial again")
        node.script = succeed
        await namespace.ended("search")

    assert after["spec"]["parameters"] == before["spec"]["parameters"]
    assert after["spec"]["seed"] == before["spec"]["seed"]
    assert outcomes(await namespace.trials("search")) == ["Succeeded"] * 4
    assert "TrialDeleted" in {e["reason"] for e in await namespace.events("search")}


async def replaced(namespace: Namespace, old: Body) -> Body | None:
    found = await namespace.api.get(namespace.path(TRIALS, old["metadata"]["name"]))
    return found if found["metadata"]["uid"] != old["metadata"]["uid"] else None


async def test_a_finished_trial_that_somebody_deletes_is_made_again_before_the_end(
    namespace: Namespace,
) -> None:
    def first_only(pod: PodView) -> Ending | None:
        return succeed(pod) if pod.trials[0].number == 1 else None

    async with simulated_node(namespace.api, namespace.name, first_only) as node:
        await namespace.create_job(search_job(budget=BUDGET))
        await eventually(lambda: is_done(namespace, 1), what="the outcome of trial 1")
        await namespace.api.delete(namespace.path(TRIALS, "search-t00001"))
        node.script = succeed
        body = await namespace.ended("search")

    assert holds(body, "Complete")
    assert outcomes(await namespace.trials("search")) == ["Succeeded"] * 4


async def is_done(namespace: Namespace, number: int) -> bool:
    trials = await namespace.trials("search")
    return len(trials) >= number and trials[number - 1]["status"]["outcome"] == "Succeeded"


async def test_one_bad_trial_of_a_pod_does_not_touch_the_others(namespace: Namespace) -> None:
    def script(pod: PodView) -> Ending:
        results = [
            TrialResult(t.number, "Failed", cause="NaN", message="loss is NaN")
            if t.number == 2
            else result_of(t)
            for t in pod.trials
        ]
        return report(pod, *results)

    async with simulated_node(namespace.api, namespace.name, script):
        await namespace.create_job(search_job(budget=BUDGET, trialsPerPod=4))
        await namespace.ended("search")

    assert outcomes(await namespace.trials("search")) == [
        "Succeeded",
        "Failed",
        "Succeeded",
        "Succeeded",
    ]


async def test_a_deadline_ends_the_job_with_what_there_is(namespace: Namespace) -> None:
    def first_only(pod: PodView) -> Ending | None:
        return succeed(pod) if pod.trials[0].number == 1 else None

    async with simulated_node(namespace.api, namespace.name, first_only):
        await namespace.create_job(search_job(budget={**BUDGET, "maxDuration": "3s"}))
        body = await namespace.ended("search")

    assert conditions(body)["Complete"]["reason"] == "DeadlineReached"
    assert body["status"]["winner"]["trial"] == "search-t00001"
    assert sorted(outcomes(await namespace.trials("search"))) == ["Stopped"] * 3 + ["Succeeded"]


async def test_a_quota_is_a_condition_and_is_tried_again(namespace: Namespace) -> None:
    await enforce_quota(namespace, "few", "count/trials.winnow.dev", limit=2)
    async with simulated_node(namespace.api, namespace.name):
        await namespace.create_job(search_job(budget=BUDGET))
        found = await namespace.condition("search", "Reconciling", "QuotaExceeded")
        await lift_quota(namespace, "few")
        body = await namespace.ended("search", seconds=90)

    assert "trials" in found["message"]
    told = [e["note"] for e in await namespace.events("search") if e["reason"] == "QuotaExceeded"]
    assert len(told) == 1
    assert "no batch can be made" in told[0]
    assert holds(body, "Complete")
    assert outcomes(await namespace.trials("search")) == ["Succeeded"] * 4


@pytest.mark.parametrize(
    ("pod", "words"),
    [
        pytest.param(
            {"containers": [{"name": "trial", "resources": {"limit": {"memory": "1Gi"}}}]},
            'unknown field "spec.podTemplate.spec.containers[0].resources.limit"',
            id="a typing error",
        ),
        pytest.param(
            {"tolerations": [{"key": "gpu", "operator": "Is"}]},
            "spec.podTemplate.spec.tolerations[0].operator",
            id="a value that is none",
        ),
    ],
)
async def test_a_pod_template_that_the_api_server_refuses_ends_the_job_before_any_trial(
    namespace: Namespace, pod: Body, words: str
) -> None:
    await namespace.create_job(search_job(podTemplate={"spec": pod}))
    body = await namespace.ended("search")

    failed = conditions(body)["Failed"]
    assert failed["reason"] == "InvalidSpec"
    assert words in failed["message"]
    assert await namespace.trials("search") == []
    assert await namespace.batches("search") == []


async def test_a_finished_job_is_not_written_again(namespace: Namespace) -> None:
    async with simulated_node(namespace.api, namespace.name):
        await namespace.create_job(search_job())
        before = await namespace.ended("search")
        await namespace.create_job(search_job("second"))
        await namespace.ended("second")
        annotate = {"metadata": {"annotations": {"team.example/note": "seen"}}}
        touched = await namespace.api.merge(namespace.path(SEARCHJOBS, "search"), annotate)
        await namespace.create_job(search_job("third"))
        await namespace.ended("third")
        after = await namespace.job("search")

    assert before["status"] == after["status"]
    assert after["metadata"]["resourceVersion"] == touched["metadata"]["resourceVersion"]
