"""Searches with folds on a real API server: the winner is trained once more, then the job ends."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Body, eventually
from tests.support.namespace import Namespace, conditions
from tests.support.operator_process import OperatorProcess
from tests.support.searchjobs import task_job
from tests.support.simulated_node import Ending, PodView, SimulatedNode, report, simulated_node
from winnow_contract.assignments import TrialAssignment
from winnow_contract.results import TrialResult
from winnow_operator.api.searchjob_rules import MAX_SEARCHED

pytestmark = [pytest.mark.control_plane, pytest.mark.usefixtures("operator")]
DIGEST = "ab" * 32
FINAL = f"folded-t{MAX_SEARCHED + 1:05d}"


def folded_job(**spec: Any) -> Body:
    job = task_job("folded", **{"budget": {"maxTrials": 4, "parallelism": 2}, **spec})
    job["spec"]["task"]["evaluation"] = {"folds": 3}
    return job


def play(pod: PodView) -> Ending:
    """Trial 3 is the best; only a final training leaves a model and reads test data."""
    return report(pod, *(result_of(trial) for trial in pod.trials))


def result_of(trial: TrialAssignment) -> TrialResult:
    if trial.final_of:
        return TrialResult(trial.number, "Succeeded", objective=0.5, test=0.8, digest=DIGEST)
    value = 0.95 if trial.number == 3 else 0.1 * trial.number
    return TrialResult(trial.number, "Succeeded", objective=value, standard_error=0.01)


async def test_the_winner_has_the_values_of_the_search_and_the_model_of_its_final_training(
    namespace: Namespace,
) -> None:
    async with simulated_node(namespace.api, namespace.name, play) as node:
        await namespace.create_job(folded_job())
        body = await namespace.ended("folded")

    winner, status = body["status"]["winner"], body["status"]
    assert (winner["trial"], winner["finalTrial"]) == ("folded-t00003", FINAL)
    assert winner["values"] == [{"metric": "accuracy", "value": "0.95", "standardError": "0.01"}]
    assert winner["test"] == [{"metric": "accuracy", "value": "0.8"}]
    assert winner["artifact"]["digest"] == f"sha256:{DIGEST}"
    assert FINAL in winner["artifact"]["uri"]
    assert (status["progress"], status["bestValue"]) == ("4/4", "0.95")
    assert "trial number 3 was trained once more" in conditions(body)["Complete"]["message"]
    assert sorted(n for ran in node.ran for n in ran) == [1, 2, 3, 4, MAX_SEARCHED + 1]


async def test_a_final_training_has_the_values_of_the_winner_and_a_seed_of_its_own(
    namespace: Namespace,
) -> None:
    async with simulated_node(namespace.api, namespace.name, play):
        await namespace.create_job(folded_job())
        await namespace.ended("folded")

    specs = {t["spec"]["number"]: t["spec"] for t in await namespace.trials("folded")}
    final, best = specs[MAX_SEARCHED + 1], specs[3]
    assert final["finalOf"] == 3
    assert final["parameters"] == best["parameters"]
    assert final["seed"] != best["seed"]


async def test_a_target_stops_the_search_and_not_the_final_training(namespace: Namespace) -> None:
    def only_three_ends(pod: PodView) -> Ending | None:
        open_ended = all(t.number != 3 and not t.final_of for t in pod.trials)
        return None if open_ended else play(pod)

    objective = {"metric": "accuracy", "goal": "Maximize", "target": "0.9"}
    async with simulated_node(namespace.api, namespace.name, only_three_ends):
        await namespace.create_job(
            folded_job(objectives=[objective], budget={"maxTrials": 40, "parallelism": 3})
        )
        body = await namespace.ended("folded")

    trials = {t["spec"]["number"]: t["status"]["outcome"] for t in await namespace.trials("folded")}
    assert conditions(body)["Complete"]["reason"] == "TargetReached"
    assert trials.pop(MAX_SEARCHED + 1) == trials.pop(3) == "Succeeded"
    assert set(trials.values()) == {"Stopped"}


async def test_a_budget_that_is_raised_meanwhile_opens_the_search_again(
    namespace: Namespace,
) -> None:
    def finals_wait(pod: PodView) -> Ending | None:
        return None if any(t.final_of for t in pod.trials) else play(pod)

    async with simulated_node(namespace.api, namespace.name, finals_wait) as node:
        await namespace.create_job(folded_job())
        await eventually(lambda: training_final(namespace), what="the final training")
        await namespace.edit_job("folded", budget={"maxTrials": 6, "parallelism": 2})
        await eventually(lambda: searched(namespace, 6), what="two more trials")
        node.script = play
        body = await namespace.ended("folded")

    assert body["status"]["progress"] == "6/6"
    assert body["status"]["winner"]["finalTrial"] == FINAL
    assert sorted(n for ran in node.ran for n in ran) == [1, 2, 3, 4, 5, 6, MAX_SEARCHED + 1]


async def training_final(namespace: Namespace) -> bool:
    body = await namespace.job("folded")
    return bool(body["status"].get("state") == "TrainingFinal")


async def searched(namespace: Namespace, count: int) -> bool:
    trials = await namespace.trials("folded")
    done = [t for t in trials if t["status"].get("outcome") == "Succeeded"]
    return len(done) == count


# ---- folds that are spread over pods ----


def spread_job(**spec: Any) -> Body:
    job = folded_job(**{"budget": {"maxTrials": 3, "parallelism": 2}, **spec})
    job["spec"]["task"]["evaluation"] = {"folds": 5, "foldsPerPod": 2}
    return job


def part_of(trial: TrialAssignment) -> TrialResult:
    """Trial 2 is the best; the last part has one fold."""
    if not trial.part:
        return result_of(trial)
    folds = tuple(
        0.1 * trial.number + 0.01 * trial.part for _ in range(1 if trial.part == 3 else 2)
    )
    mean = sum(folds) / len(folds)
    return TrialResult(
        trial.number, "Succeeded", objective=mean, part=trial.part, parts=3, folds=folds
    )


def play_parts(pod: PodView) -> Ending:
    return report(pod, *(part_of(trial) for trial in pod.trials))


async def test_a_trial_over_several_pods_has_the_mean_of_all_its_folds(
    namespace: Namespace,
) -> None:
    async with simulated_node(namespace.api, namespace.name, play_parts) as node:
        await namespace.create_job(spread_job())
        body = await namespace.ended("folded")

    trials = {t["spec"]["number"]: t["status"] for t in await namespace.trials("folded")}
    (value, *_) = trials[3]["values"]
    assert float(value["value"]) == pytest.approx(0.3 + 0.01 * (1 + 1 + 2 + 2 + 3) / 5)
    assert float(value["standardError"]) > 0
    assert body["status"]["winner"]["trial"] == "folded-t00003"
    assert body["status"]["winner"]["finalTrial"] == FINAL
    assert node.most_at_once <= 2
    assert sorted(n for ran in node.ran for n in ran) == [1] * 3 + [2] * 3 + [3] * 3 + [
        MAX_SEARCHED + 1
    ]


async def test_parts_that_ended_while_no_operator_was_there_count(
    namespace: Namespace, operator: OperatorProcess
) -> None:
    def some_parts(pod: PodView) -> Ending | None:
        return None if any(t.part == 3 for t in pod.trials) else play_parts(pod)

    async with simulated_node(namespace.api, namespace.name, some_parts) as node:
        budget = {"maxTrials": 1, "parallelism": 3}
        await namespace.create_job(spread_job(budget=budget))
        await eventually(lambda: begun(node, 3), what="three pods")
        operator.kill()
        node.script = play_parts
        operator.start()
        body = await namespace.ended("folded")

    assert body["status"]["winner"]["trial"] == "folded-t00001"
    assert sorted(n for ran in node.ran for n in ran) == [1, 1, 1, MAX_SEARCHED + 1]


async def begun(node: SimulatedNode, pods: int) -> bool:
    return len(node.started) == pods
