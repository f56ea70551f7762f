"""The jobs that are interrupted: a job, what its trials report, and what a person does to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tests.support.api import Body, eventually
from tests.support.compressionjobs import compress, compression_job
from tests.support.namespace import Namespace, outcomes
from tests.support.searchjobs import METRIC, grid_job, search_job, task_job
from tests.support.simulated_node import (
    Ending,
    PodView,
    Script,
    SimulatedNode,
    report,
    succeed,
)
from winnow_contract.assignments import TrialAssignment
from winnow_contract.results import TrialResult

Story = Callable[[Namespace, SimulatedNode, Body], Awaitable[None]]
END_SECONDS = 120.0


async def apply_and_wait(namespace: Namespace, _: SimulatedNode, job: Body) -> None:
    """Apply the job and wait for its end."""
    await namespace.create_job(job)
    await namespace.ended(job["metadata"]["name"], seconds=END_SECONDS)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One search or compression."""

    name: str
    job: Body
    script: Script = succeed
    story: Story = apply_and_wait
    exact: bool = True
    """Whether every run ends in the same world; if not, what always holds is checked."""
    runs_once: bool = True
    """Whether every trial is run by exactly one pod."""

    def place(self, namespace: Namespace) -> Namespace:
        """The namespace as the methods of tests see it for this kind of job."""
        return namespace if self.job["kind"] == "SearchJob" else namespace.compressions


def _random(name: str = "random", trials: int = 4, parallelism: int = 2, **spec: Any) -> Body:
    budget = {"maxTrials": trials, "parallelism": parallelism}
    return search_job(name, **{"budget": budget, **spec})


GRID = Scenario("Grid", grid_job())

RANDOM = Scenario("Random", _random())

# Optuna's TPE draws its first ten at random, so a search must be longer for it to model anything.
TPE = Scenario(
    "TPE-one-at-a-time",
    _random("tpe", 12, 1, algorithm={"name": "TPE", "seed": 5}),
)

# Six trials are a generation, and the model has learnt from the first when it suggests the seventh.
CMAES = Scenario(
    "CMAES-one-at-a-time",
    _random(
        "cmaes",
        9,
        1,
        algorithm={"name": "CMAES", "seed": 5},
        space={
            "parameters": [
                {"name": "x", "double": {"min": "0", "max": "1"}},
                {"name": "n", "int": {"min": 1, "max": 8}},
            ]
        },
    ),
)

TPE_PARALLEL = Scenario(
    "TPE-in-parallel",
    _random("tpe", 13, 3, algorithm={"name": "TPE", "seed": 5}),
    # Which results are known when a slot is filled depends on when pods end.
    exact=False,
)


# ---- a failure, two trials in a pod, suspended and resumed, and a target that stops the rest ----

TARGET = "0.9"
"""Reached by trial 4 of this seed and by no trial before it."""
ENDLESS_FROM = 5


def _eventful(pod: PodView) -> Ending | None:
    """Trial 2 fails, 4 reaches the target, later ones run until they are stopped."""
    if max(t.number for t in pod.trials) >= ENDLESS_FROM:
        return None
    return report(pod, *(_eventful_result(pod, i) for i in range(len(pod.trials))))


def _eventful_result(pod: PodView, place: int) -> TrialResult:
    trial = pod.trials[place]
    if trial.number == 2:
        return TrialResult(2, "Failed", cause="NaN", message="the loss is NaN")
    value = 0.95 if trial.number == 4 else 0.1 * trial.number
    return TrialResult(trial.number, "Succeeded", objective=value, standard_error=0.001)


def _only_the_first_pod(pod: PodView) -> Ending | None:
    return _eventful(pod) if pod.trials[0].number == 1 else None


async def _suspend_and_resume(namespace: Namespace, node: SimulatedNode, job: Body) -> None:
    name = job["metadata"]["name"]
    node.script = _only_the_first_pod
    await namespace.create_job(job)
    await eventually(lambda: _recorded(namespace, name, 2), seconds=60, what="two outcomes")
    await namespace.edit_job(name, suspend=True)
    await namespace.condition(name, "Suspended", "Suspended", seconds=60)
    await eventually(lambda: _no_pods(namespace, name), seconds=60, what="no pods")
    node.script = _eventful
    await namespace.edit_job(name, suspend=False)
    await namespace.ended(name, seconds=END_SECONDS)


async def _recorded(namespace: Namespace, name: str, count: int) -> bool:
    return sum(o != "Active" for o in outcomes(await namespace.trials(name))) >= count


async def _no_pods(namespace: Namespace, name: str) -> bool:
    return not await namespace.pods(name)


EVENTFUL = Scenario(
    "eventful",
    _random(
        "eventful",
        8,
        2,
        objectives=[{"metric": METRIC, "goal": "Maximize", "target": TARGET}],
        trialsPerPod=2,
    ),
    story=_suspend_and_resume,
    # What was run by the pods that the suspend ended is run again.
    runs_once=False,
)

# ---- cross-validation: the best trial cannot be trained once more, so the next best is ----


def _folded(pod: PodView) -> Ending:
    return report(pod, *(_folded_result(trial) for trial in pod.trials))


def _folded_result(trial: TrialAssignment) -> TrialResult:
    if trial.final_of == 4:
        return TrialResult(trial.number, "Failed", cause="NaN", message="the loss is NaN")
    if trial.final_of:
        return TrialResult(trial.number, "Succeeded", objective=0.9, test=0.8, digest="ab" * 32)
    value = 0.1 * trial.number
    return TrialResult(trial.number, "Succeeded", objective=value, standard_error=0.01)


def _folded_job(name: str = "folded") -> Body:
    job = task_job(name, budget={"maxTrials": 4, "parallelism": 2})
    job["spec"]["task"]["evaluation"] = {"folds": 3}
    return job


FOLDED = Scenario("folds", _folded_job(), script=_folded)

# ---- finalists: the best of the search was lucky, and the next best holds ----


def _again(pod: PodView) -> Ending:
    return report(pod, *(_again_result(trial) for trial in pod.trials))


def _again_result(trial: TrialAssignment) -> TrialResult:
    held = 0.5 if trial.final_of == 4 else 0.9
    value = held + 0.001 * (trial.number % 7) if trial.final_of else 0.1 * trial.number
    return TrialResult(trial.number, "Succeeded", objective=value, digest=f"{trial.number:064x}")


FINALISTS = Scenario(
    "finalists", _random("finalists", finalists={"count": 2, "repeats": 2}), script=_again
)

# ---- a search that learns from another one ----

_NUMBERS = {
    "parameters": [
        {"name": "x", "double": {"min": "0", "max": "1"}},
        {"name": "n", "int": {"min": 1, "max": 8}},
    ]
}


async def _after_another(namespace: Namespace, _: SimulatedNode, job: Body) -> None:
    budget = {"maxTrials": 3, "parallelism": 3}
    await namespace.create_job(search_job("coarse", space=_NUMBERS, budget=budget))
    await namespace.create_job(job)
    await namespace.ended(job["metadata"]["name"], seconds=END_SECONDS)


WARM = Scenario(
    "warm-start",
    _random(
        "warm",
        4,
        1,
        space=_NUMBERS,
        algorithm={"name": "CMAES", "seed": 5},  # which goes by the first trial that it knows
        warmStart=[{"searchJob": "coarse"}],
    ),
    story=_after_another,
)

# ---- three named candidates, then a round that auto writes from what was measured ----

COMPRESSION = Scenario(
    "compression",
    compression_job("small", auto={"maxCandidates": 5, "candidatesPerRound": 2, "seed": 3}),
    script=compress,
)

ALL = (GRID, RANDOM, TPE, CMAES, TPE_PARALLEL, EVENTFUL, FOLDED, FINALISTS, WARM, COMPRESSION)
