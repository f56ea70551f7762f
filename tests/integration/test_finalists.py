"""Finalists on a real API server: the best few are trained again, and the winner is named from that."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Body
from tests.support.namespace import Namespace, conditions
from tests.support.searchjobs import search_job
from tests.support.simulated_node import Ending, PodView, report, simulated_node
from winnow_contract.assignments import TrialAssignment
from winnow_contract.results import TrialResult
from winnow_operator.api.searchjob_rules import MAX_SEARCHED

pytestmark = [pytest.mark.control_plane, pytest.mark.usefixtures("operator")]

SEARCHED = {1: 0.7, 2: 0.95, 3: 0.9, 4: 0.1}
AGAIN = {2: (0.4, 0.5, 0.6), 3: (0.91, 0.88, 0.85)}
"""The best of the search was lucky; the second best holds."""


def job(**spec: Any) -> Body:
    budget = {"maxTrials": 4, "parallelism": 2}
    return search_job(**{"budget": budget, "finalists": {"count": 2, "repeats": 3}, **spec})


def play(pod: PodView) -> Ending:
    return report(pod, *(result_of(trial) for trial in pod.trials))


def result_of(trial: TrialAssignment) -> TrialResult:
    if not trial.final_of:
        return TrialResult(trial.number, "Succeeded", objective=SEARCHED[trial.number])
    value = AGAIN[trial.final_of][(trial.number - MAX_SEARCHED - 1) % 3]
    digest = f"{trial.number:064x}"
    return TrialResult(trial.number, "Succeeded", objective=value, test=value / 2, digest=digest)


async def test_the_winner_is_the_one_that_holds_and_its_model_that_of_the_median_training(
    namespace: Namespace,
) -> None:
    async with simulated_node(namespace.api, namespace.name, play) as node:
        await namespace.create_job(job())
        body = await namespace.ended("search")

    status, winner = body["status"], body["status"]["winner"]
    (value,) = winner["values"]
    median = f"search-t{MAX_SEARCHED + 5:05d}"
    assert (winner["trial"], winner["finalTrial"]) == ("search-t00003", median)
    assert float(value["value"]) == pytest.approx(0.88)
    assert float(value["standardError"]) == pytest.approx(0.03 / 3**0.5)
    assert winner["artifact"]["digest"].endswith(f"{MAX_SEARCHED + 5:x}")
    assert winner["test"][0]["value"] == "0.44"
    assert status["bestValue"] == value["value"]
    assert [(f["trial"], f["trainings"]) for f in status["finalists"]] == [
        ("search-t00002", 3),
        ("search-t00003", 3),
    ]
    assert status["progress"] == "4/4"
    assert "number 3 is the best" in conditions(body)["Complete"]["message"]
    assert sorted(n for ran in node.ran for n in ran) == [
        *range(1, 5),
        *range(MAX_SEARCHED + 1, MAX_SEARCHED + 7),
    ]


async def test_all_trainings_have_the_values_of_their_trial_and_seeds_of_their_own(
    namespace: Namespace,
) -> None:
    async with simulated_node(namespace.api, namespace.name, play):
        await namespace.create_job(job())
        await namespace.ended("search")

    specs = {t["spec"]["number"]: t["spec"] for t in await namespace.trials("search")}
    finals = [spec for spec in specs.values() if spec.get("finalOf")]
    assert len({spec["seed"] for spec in specs.values()}) == 10
    assert all(f["parameters"] == specs[f["finalOf"]]["parameters"] for f in finals)
