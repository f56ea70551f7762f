"""What holds at the end of any job, whenever its pods ended and whoever was killed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from statistics import fmean
from typing import Any

from tests.crash.world import World
from tests.support.api import Body
from tests.support.facts import ledger_of
from winnow_operator.api.compressionjob import CompressionJobSpec
from winnow_operator.api.searchjob import SearchJobSpec
from winnow_operator.api.trial import Outcome
from winnow_operator.domain.compressions.rounds import rounds_of
from winnow_operator.domain.compressions.status import choose_from
from winnow_operator.domain.intervals import parse_intervals
from winnow_operator.domain.ledger import read_trial
from winnow_operator.domain.searches.finals import final_plan
from winnow_operator.domain.spaces.space import Space, parse_space
from winnow_operator.engines import Record, make_engine

COMPLETE = {"Complete": "True", "Failed": "False", "Reconciling": "False", "Stalled": "False"}


def broken_invariants(job: Body, world: World) -> list[str]:
    """A sentence for everything that does not hold."""
    if job["kind"] == "CompressionJob":
        return broken_compression(job, world)
    spec = SearchJobSpec.model_validate(job["spec"])
    return [
        *_budget(spec, world),
        *_status(world),
        *_winner(spec, world),
        *_finals(spec, world),
        *(line for line in (_repeated_event(world),) if line),
        *unexplained_suggestions(spec, world),
    ]


def broken_compression(job: Body, world: World) -> list[str]:
    """The same of a compression: all is recorded, and the choice follows from the records."""
    spec = CompressionJobSpec.model_validate(job["spec"])
    return [
        *_status(world),
        *_candidates(spec, world),
        *_choice(spec, world),
        *(line for line in (_repeated_event(world),) if line),
    ]


def _candidates(spec: CompressionJobSpec, world: World) -> Iterator[str]:
    numbers, planned = sorted(map(int, world["trials"])), rounds_of(spec).planned
    if numbers != list(range(1, planned + 1)):
        yield f"{planned} candidates are planned, Trials have the numbers {numbers}"
    chains = ["".join(trial.get("steps", ())) for trial in world["trials"].values()]
    if len(set(chains)) < len(chains):
        yield f"a chain was run twice: {chains}"


def _choice(spec: CompressionJobSpec, world: World) -> Iterator[str]:
    bodies = [
        {"spec": trial, "status": {**trial["status"], "artifact": None}}  # a world has no URIs
        for trial in world["trials"].values()
    ]
    chosen = choose_from(spec, ledger_of(*map(read_trial, bodies)), lambda number: f"c{number:05d}")
    found = world["status"].get("selected", {}).get("candidate")
    if chosen is None or chosen.selected.candidate != found:
        yield f"{found} is selected, the records say {chosen}"


def _searched(world: World) -> dict[int, Any]:
    """Trials of the search itself by number, without those that train one of them once more."""
    trials = {int(number): trial for number, trial in world["trials"].items()}
    return {n: trial for n, trial in sorted(trials.items()) if "finalOf" not in trial}


def _finals(spec: SearchJobSpec, world: World) -> Iterator[str]:
    finals = [t for t in world["trials"].values() if "finalOf" in t]
    trained = [t["finalOf"] for t in finals if t["status"]["outcome"] == "Succeeded"]
    winner = world["status"]["winner"]
    wanted = _trained_again(spec, world, number_of(winner["trial"]))
    if sorted(trained) != wanted:
        yield f"trials {trained} were trained once more, wanted: {wanted}"
    if wanted and number_of(winner.get("finalTrial", "-t0")) not in map(int, world["trials"]):
        yield f"the winner names no final Trial: {winner}"


def _trained_again(spec: SearchJobSpec, world: World, winner: int) -> list[int]:
    """The trials of the search that are to be trained again, each as often as it is to be."""
    plan = final_plan(spec)
    if plan is None or not plan.names_winner:
        return [] if plan is None else [winner]
    scores = {n: float(t["status"]["score"]) for n, t in _searched(world).items()}
    best = sorted(scores, key=lambda number: (scores[number], number))[: plan.count]
    return sorted(best * plan.repeats)


def number_of(trial: str) -> int:
    """The number in a Trial's name."""
    return int(trial.rpartition("-t")[2])


def _budget(spec: SearchJobSpec, world: World) -> Iterator[str]:
    numbers = list(_searched(world))
    if numbers != list(range(1, (spec.budget.max_trials or len(numbers)) + 1)):
        yield f"maxTrials is {spec.budget.max_trials}, Trials have the numbers {numbers}"


def _status(world: World) -> Iterator[str]:
    status, outcomes = world["status"], [t["status"]["outcome"] for t in world["trials"].values()]
    found = {c["type"]: c["status"] for c in status["conditions"] if c["type"] in COMPLETE}
    if found != COMPLETE:
        yield f"conditions are {found}"
    if status["observedGeneration"] != world["generation"]:
        yield f"generation {world['generation']}, observed {status['observedGeneration']}"
    counted = {name: outcomes.count(name.title()) for name in ("succeeded", "stopped", "failed")}
    if status["trials"] != {"total": len(outcomes), "active": 0, **counted}:
        yield f"status counts {status['trials']}, Trials are {outcomes}"


def _winner(spec: SearchJobSpec, world: World) -> Iterator[str]:
    finals = [t for t in world["trials"].values() if "finalOf" in t]
    lost = {t["finalOf"] for t in finals if t["status"]["outcome"] == "Failed"}
    scores = {
        number: float(trial["status"]["score"])
        for number, trial in _searched(world).items()
        if trial["status"]["outcome"] == "Succeeded" and number not in lost
    }
    if spec.finalists is not None:
        again = {
            n: [float(t["status"]["score"]) for t in finals if t["finalOf"] == n] for n in scores
        }
        scores = {number: fmean(found) for number, found in again.items() if found}
    best = min(scores, key=lambda n: (scores[n], n))
    named = number_of(world["status"]["winner"]["trial"])
    if named != best:
        yield f"winner is trial {named}, the best is {best}: {spec.objectives[0].goal} {scores}"


def _repeated_event(world: World) -> str:
    repeated = {said: count for said, count in world["events"].items() if count > 1}
    return f"Events were written more than once: {repeated}" if repeated else ""


def unexplained_suggestions(spec: SearchJobSpec, world: World) -> list[str]:
    """Trials that a new engine would not suggest from what their history says was known.

    Known are the outcomes of the trials in the history; the other trials with a lower number were
    active, so their parameters were known. What was taken from other searches stands in none of this:
    there, only that every run ends in the same world is checked.
    """
    if spec.warm_start:
        return []
    space, trials = parse_space(spec.space), _searched(world)
    return [line for n in sorted(trials) for line in _unexplained(spec, space, trials, n)]


def _unexplained(
    spec: SearchJobSpec, space: Space, trials: Mapping[int, Any], number: int
) -> Iterator[str]:
    history = set(parse_intervals(trials[number].get("history", "")))
    if any(n >= number for n in history):
        yield f"trial {number} names later trials in its history: {sorted(history)}"
    engine = make_engine(spec, space)
    for n in sorted(n for n in trials if n < number):
        engine.observe(_observation(space, trials[n], is_known=n in history))
    suggested = engine.suggest(number)
    texts = None if suggested is None else dict(space.to_texts(suggested))
    if texts != _texts(trials[number]):
        yield f"trial {number} has {_texts(trials[number])}, its history explains {texts}"


def _texts(trial: Body) -> dict[str, str]:
    return {p["name"]: p["value"] for p in trial["parameters"]}


def _observation(space: Space, trial: Body, *, is_known: bool) -> Record:
    assignment = space.from_texts(tuple(_texts(trial).items()))
    history = trial.get("history", "")
    if not is_known:
        return Record(trial["number"], assignment, Outcome.ACTIVE, history=history)
    status = trial["status"]
    score = float(status["score"]) if "score" in status else None
    return Record(trial["number"], assignment, Outcome(status["outcome"]), score, history)
