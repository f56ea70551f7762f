"""Every algorithm in real pods with a killed operator; what it suggested follows from the records."""

from __future__ import annotations

from typing import Any

import pytest

from tests.crash.invariants import unexplained_suggestions
from tests.crash.world import world_of
from tests.e2e.conftest import Cluster
from tests.support.api import Body
from tests.support.namespace import Namespace, conditions, holds, outcomes
from tests.support.real_jobs import small_search
from winnow_operator.api.searchjob import SearchJob
from winnow_operator.engines import as_chosen

pytestmark = [pytest.mark.cluster, pytest.mark.prove]

RATE = {"name": "learning_rate", "double": {"min": "0.003", "max": "0.1", "scale": "Log"}}
DECAY = {"name": "weight_decay", "double": {"min": "0", "max": "0.1"}}
LIMITED = {
    "parameters": [RATE, DECAY],
    "constraints": [
        {
            "sum": [{"parameter": "learning_rate"}, {"parameter": "weight_decay"}],
            "max": "0.1",
        }
    ],
}
SMALL = {"maxTrials": 12, "parallelism": 1}


def wine(algorithm: Body, **spec: Any) -> Body:
    """A search over a small table, three trials in a pod."""
    task = {
        "model": {"family": "MLP", "settings": [{"name": "epochs", "value": "2"}]},
        "data": {"uri": "builtin://wine"},
    }
    base: Body = {"task": task, "space": LIMITED, "budget": SMALL, "trialsPerPod": 3}
    return small_search("wine", algorithm={"seed": 3, **algorithm}, **{**base, **spec})


GRID = {
    "parameters": [
        {"name": "learning_rate", "double": {"values": ["0.003", "0.01", "0.03", "0.1"]}},
        {"name": "width", "int": {"values": [4, 16, 64]}},
    ]
}
SEARCHES = {
    "Grid": wine({"name": "Grid"}, space=GRID),
    "Random": wine({"name": "Random"}),
    "QMC": wine({"name": "QMC"}),
    "TPE": wine({"name": "TPE"}),
    "CMAES": wine({"name": "CMAES"}),
    "NSGAII": wine({"name": "NSGAII"}),
    "Auto": wine({"name": "Auto"}),
}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("algorithm", SEARCHES)
async def test_an_algorithm_goes_on_where_it_was_although_the_operator_is_killed(
    namespace: Namespace, cluster: Cluster, algorithm: str
) -> None:
    await namespace.create_job(SEARCHES[algorithm])
    await cluster.kill_operator_after(3, namespace, "wine")
    body = await namespace.ended("wine", seconds=700)

    assert holds(body, "Complete"), conditions(body)
    trials = await namespace.trials("wine")
    assert outcomes(trials) == ["Succeeded"] * 12
    points = [tuple(p["value"] for p in trial["spec"]["parameters"]) for trial in trials]
    assert len(set(points)) == 12
    if algorithm != "Grid":
        assert all(float(rate) + float(decay) <= 0.1 for rate, decay in points)
    world = await world_of(namespace, "wine")
    assert unexplained_suggestions(as_chosen(SearchJob.model_validate(body)).spec, world) == []
    assert body["status"]["winner"]["artifact"]["format"] == "winnow/safetensors-v1"


@pytest.mark.timeout(900)
async def test_two_objectives_end_with_their_pareto_set_although_the_operator_is_killed(
    namespace: Namespace, cluster: Cluster
) -> None:
    job = wine(
        {"name": "TPE"},
        objectives=[
            {"metric": "accuracy", "goal": "Maximize"},
            {"metric": "parameters", "goal": "Minimize"},
        ],
        space=GRID,
    )
    await namespace.create_job(job)
    await cluster.kill_operator_after(3, namespace, "wine")
    body = await namespace.ended("wine", seconds=700)

    assert holds(body, "Complete"), conditions(body)
    trials = await namespace.trials("wine")
    assert outcomes(trials) == ["Succeeded"] * 12
    shown = {entry["trial"] for entry in body["status"]["pareto"]}
    assert shown == {t["metadata"]["name"] for t in trials if not any(beats(o, t) for o in trials)}
    assert body["status"]["winner"]["trial"] in shown


def beats(other: Body, trial: Body) -> bool:
    """Whether a trial is at least as good in both objectives, and better in one."""
    first, second = (
        (-float(t["status"]["values"][0]["value"]), float(t["status"]["values"][1]["value"]))
        for t in (other, trial)
    )
    return first != second and first[0] <= second[0] and first[1] <= second[1]
