"""Searches that begin with something, on a real API server: what Auto takes, and other searches."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Body, eventually
from tests.support.namespace import Namespace, conditions
from tests.support.operator_process import OperatorProcess
from tests.support.searchjobs import search_job
from tests.support.simulated_node import simulated_node

pytestmark = pytest.mark.control_plane

NUMBERS = {
    "parameters": [
        {"name": "x", "double": {"min": "0", "max": "1"}},
        {"name": "n", "int": {"min": 1, "max": 8}},
    ]
}


def source(name: str = "coarse", trials: int = 5, **spec: Any) -> Body:
    budget = {"maxTrials": trials, "parallelism": 4}
    return search_job(name, **{"space": NUMBERS, "budget": budget, **spec})


def warm(trials: int = 4, **spec: Any) -> Body:
    given = {
        "space": NUMBERS,
        "algorithm": {"name": "CMAES", "seed": 5},
        "budget": {"maxTrials": trials, "parallelism": 1},
        "warmStart": [{"searchJob": "coarse"}],
    }
    return search_job("fine", **{**given, **spec})


def points(trials: list[Body]) -> list[Any]:
    return [[p["value"] for p in t["spec"]["parameters"]] for t in trials]


@pytest.mark.usefixtures("operator")
async def test_a_search_waits_for_another_one_and_says_what_it_took_from_it(
    namespace: Namespace,
) -> None:
    async with simulated_node(namespace.api, namespace.name):
        await namespace.create_job(warm())
        waiting = await namespace.condition("fine", "Reconciling", "WaitingForSource")
        made = await namespace.create_job(source())
        body = await namespace.ended("fine")

    (taken,) = body["status"]["warmStart"]
    assert "coarse" in waiting["message"]
    assert (taken["searchJob"], taken["uid"]) == ("coarse", made["metadata"]["uid"])
    assert (taken["trials"], taken["leftOut"]) == (5, 0)
    assert body["status"]["progress"] == "4/4"


async def test_what_was_taken_is_taken_again_after_a_kill(
    namespace: Namespace, operator: OperatorProcess
) -> None:
    ending = set(range(1, 9))
    async with simulated_node(
        namespace.api,
        namespace.name,
        may_end=lambda pod: bool(ending.intersection(t.number for t in pod.trials)),
    ):
        await namespace.create_job(source())
        await namespace.ended("coarse")
        await namespace.create_job(warm())
        await namespace.ended("fine")
        undisturbed = points(await namespace.trials("fine"))
        await namespace.delete_job("fine")
        await namespace.nothing_left_of("fine")
        ending.intersection_update({1})
        await namespace.create_job(warm())
        await eventually(lambda: has_trials(namespace, 2), what="two trials")
        operator.kill()
        ending.update(range(1, 9))
        operator.start()
        body = await namespace.ended("fine")

    assert points(await namespace.trials("fine")) == undisturbed
    assert conditions(body)["Degraded"]["reason"] != "WarmStartLost"


async def has_trials(namespace: Namespace, count: int) -> bool:
    return len(await namespace.trials("fine")) >= count


@pytest.mark.usefixtures("operator")
@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (
            {"space": {"parameters": NUMBERS["parameters"][:1]}},
            ("another space", "parameter n (int)", "is missing there"),
        ),
        (
            {"objectives": [{"metric": "loss", "goal": "Minimize"}]},
            ("Minimize loss", "Maximize quality"),
        ),
    ],
    ids=["space", "objective"],
)
async def test_a_search_of_something_else_ends_the_job_before_any_pod(
    namespace: Namespace, spec: dict[str, Any], words: tuple[str, ...]
) -> None:
    suspended = {"maxTrials": 1, "parallelism": 1, "maxDuration": "1s", "maxFailedTrials": 0}
    async with simulated_node(namespace.api, namespace.name):
        await namespace.create_job(source(**{"budget": suspended, **spec}))
        await namespace.ended("coarse")
        await namespace.create_job(warm())
        body = await namespace.ended("fine")

    failed = conditions(body)["Failed"]
    assert (failed["status"], failed["reason"]) == ("True", "InvalidSpec")
    assert [word for word in ("coarse", *words) if word not in failed["message"]] == []
    assert await namespace.trials("fine") == []


@pytest.mark.usefixtures("operator")
async def test_auto_says_what_it_takes_and_keeps_to_it_when_the_budget_is_edited(
    namespace: Namespace,
) -> None:
    space = {"parameters": [{"name": "n", "int": {"min": 1, "max": 8}}]}
    job = search_job(space=space, algorithm={"name": "Auto"}, budget={"maxTrials": 6})
    async with simulated_node(namespace.api, namespace.name) as node:
        node.capacity = 0
        await namespace.create_job(job)
        await eventually(lambda: has_chosen(namespace), what="a choice")
        await namespace.edit_job("search", budget={"maxTrials": 8})
        node.capacity = 8
        body = await namespace.ended("search")

    assert body["status"]["algorithm"]["name"] == "TPE"
    assert "6 trials over 1 parameters" in body["status"]["algorithm"]["reason"]
    assert body["status"]["progress"] == "8/8"


async def has_chosen(namespace: Namespace) -> bool:
    return bool((await namespace.job("search"))["status"].get("algorithm"))
