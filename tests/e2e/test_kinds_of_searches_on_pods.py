"""Folds, conditions, constraints and several objectives, with trainings in real pods."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.claim_pods import manifests_of
from tests.e2e.conftest import Cluster
from tests.support.api import Body
from tests.support.namespace import Namespace, conditions, holds, outcomes
from tests.support.real_jobs import small_search
from winnow_operator.api.searchjob_rules import MAX_SEARCHED

pytestmark = pytest.mark.cluster

OPTIMIZERS = [
    {"name": "learning_rate", "double": {"min": "0.003", "max": "0.1", "scale": "Log"}},
    {"name": "optimizer", "choice": {"values": ["sgd", "adamw"]}},
    {
        "name": "momentum",
        "double": {"min": "0.5", "max": "0.95"},
        "when": {"parameter": "optimizer", "values": ["sgd"]},
    },
]


def wine(name: str, *, evaluation: Body | None = None, **spec: Any) -> Body:
    """A search over a small table, three trials in a pod."""
    settings = [{"name": "epochs", "value": "5"}]
    task: Body = {
        "model": {"family": "MLP", "settings": settings},
        "data": {"uri": "builtin://wine"},
    }
    if evaluation:
        task["evaluation"] = evaluation
    base: Body = {
        "task": task,
        "space": {"parameters": OPTIMIZERS},
        "budget": {"maxTrials": 6, "parallelism": 1},
        "trialsPerPod": 3,
    }
    return small_search(name, **{**base, **spec})


@pytest.mark.prove
@pytest.mark.timeout(900)
async def test_folds_and_conditions_end_with_one_model_although_the_operator_is_killed(
    namespace: Namespace, cluster: Cluster
) -> None:
    job = wine("folded", evaluation={"folds": 3}, algorithm={"name": "TPE", "seed": 3})
    await namespace.create_job(job)
    await cluster.kill_operator_after(3, namespace, "folded")
    body = await namespace.ended("folded", seconds=500)

    assert holds(body, "Complete"), conditions(body)
    trials = {t["spec"]["number"]: t for t in await namespace.trials("folded")}
    assert sorted(trials) == [1, 2, 3, 4, 5, 6, MAX_SEARCHED + 1]
    for trial in trials.values():
        given = {p["name"]: p["value"] for p in trial["spec"]["parameters"]}
        assert ("momentum" in given) is (given["optimizer"] == "sgd")
    searched = [trials[number]["status"] for number in range(1, 7)]
    assert all("artifact" not in status and "test" not in status for status in searched)
    assert all("standardError" in status["values"][0] for status in searched)
    winner = body["status"]["winner"]
    found = manifests_of(cluster, namespace.name, {"winner": winner["artifact"]})["winner"]
    evaluation = found["task"]["evaluation"]
    assert (evaluation["folds"], evaluation["fold"]) == (3, 1)
    assert found["trial"]["finalOf"] == int(winner["trial"].rpartition("-t")[2])
    assert float(winner["test"][0]["value"]) > 0.5


@pytest.mark.timeout(600)
async def test_two_objectives_under_a_constraint_end_well_although_the_operator_is_killed(
    namespace: Namespace, cluster: Cluster
) -> None:
    job = wine(
        "small",
        objectives=[
            {"metric": "accuracy", "goal": "Maximize"},
            {"metric": "parameters", "goal": "Minimize"},
        ],
        constraints=[{"metric": "log_loss", "max": "0.9"}],
        space={
            "parameters": [
                {"name": "learning_rate", "double": {"min": "0.01", "max": "0.05"}},
                {"name": "width", "int": {"values": [4, 16, 64]}},
            ]
        },
        algorithm={"name": "NSGAII", "seed": 3},
    )
    await namespace.create_job(job)
    await cluster.kill_operator_after(2, namespace, "small")
    body = await namespace.ended("small", seconds=500)

    assert holds(body, "Complete"), conditions(body)
    trials = await namespace.trials("small")
    assert outcomes(trials) == ["Succeeded"] * 6
    for trial in trials:
        metrics = [value["metric"] for value in trial["status"]["values"]]
        assert metrics[:3] == ["accuracy", "parameters", "log_loss"]
        loss = float(trial["status"]["values"][2]["value"])
        assert ("violation" in trial["status"]) is (loss > 0.9)
    kept = {t["metadata"]["name"] for t in trials if "violation" not in t["status"]}
    assert {entry["trial"] for entry in body["status"]["pareto"]} <= kept
    assert body["status"]["winner"]["trial"] in kept
    assert body["status"]["winner"]["artifact"]["format"] == "winnow/safetensors-v1"
