"""Repeats, finalists, warm starts and spread folds, with trainings in real pods and a killed operator."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.claim_pods import manifests_of
from tests.e2e.conftest import Cluster
from tests.support.api import Body
from tests.support.namespace import Namespace, conditions, holds, outcomes
from tests.support.real_jobs import small_search
from winnow_operator.api.searchjob_rules import MAX_SEARCHED

pytestmark = [pytest.mark.cluster, pytest.mark.prove]

SPACE = {
    "parameters": [
        {"name": "learning_rate", "double": {"min": "0.003", "max": "0.1", "scale": "Log"}},
        {"name": "width", "int": {"min": 4, "max": 32}},
    ]
}


def wine(name: str, evaluation: Body, **spec: Any) -> Body:
    """A search over a small table."""
    task: Body = {
        "model": {"family": "MLP", "settings": [{"name": "epochs", "value": "3"}]},
        "data": {"uri": "builtin://wine"},
        "evaluation": evaluation,
    }
    return small_search(name, **{"task": task, "space": SPACE, **spec})


@pytest.mark.timeout(900)
async def test_finalists_and_a_search_that_learns_from_another_go_on_although_the_operator_is_killed(
    namespace: Namespace, cluster: Cluster
) -> None:
    first = wine(
        "sure",
        {"repeats": 2},
        algorithm={"name": "Auto", "seed": 3},
        finalists={"count": 2, "repeats": 2},
        budget={"maxTrials": 4, "parallelism": 1},
        trialsPerPod=2,
    )
    second = wine(
        "next",
        {"repeats": 2},
        algorithm={"name": "CMAES", "seed": 3},
        warmStart=[{"searchJob": "sure"}],
        budget={"maxTrials": 6, "parallelism": 1},
        trialsPerPod=2,
    )
    await namespace.create_job(second)
    await namespace.create_job(first)
    await cluster.kill_operator_after(4, namespace, "sure")
    body = await namespace.ended("sure", seconds=400)
    await cluster.kill_operator_after(2, namespace, "next")
    other = await namespace.ended("next", seconds=300)

    assert holds(body, "Complete"), conditions(body)
    status, winner = body["status"], body["status"]["winner"]
    assert status["algorithm"]["name"] == "TPE"
    assert [f["trainings"] for f in status["finalists"]] == [2, 2]
    assert "standardError" in winner["values"][0]
    assert int(winner["finalTrial"].rpartition("-t")[2]) > MAX_SEARCHED
    found = manifests_of(cluster, namespace.name, {"winner": winner["artifact"]})["winner"]
    assert found["trial"]["finalOf"] == int(winner["trial"].rpartition("-t")[2])
    assert holds(other, "Complete"), conditions(other)
    assert other["status"]["warmStart"][0]["trials"] == 4


@pytest.mark.timeout(900)
async def test_folds_over_pods_give_the_mean_of_all_although_the_operator_is_killed(
    namespace: Namespace, cluster: Cluster
) -> None:
    await namespace.create_job(
        wine(
            "spread",
            {"folds": 3, "foldsPerPod": 2},
            algorithm={"name": "TPE", "seed": 3},
            budget={"maxTrials": 2, "parallelism": 2},
            trialsPerPod=1,
        )
    )
    await cluster.kill_operator_after(1, namespace, "spread")
    body = await namespace.ended("spread", seconds=500)

    assert holds(body, "Complete"), conditions(body)
    trials = await namespace.trials("spread")
    assert [t["spec"]["number"] for t in trials] == [1, 2, MAX_SEARCHED + 1]
    assert outcomes(trials) == ["Succeeded"] * 3
    assert all("standardError" in t["status"]["values"][0] for t in trials)
    assert body["status"]["winner"]["artifact"]["format"] == "winnow/safetensors-v1"
