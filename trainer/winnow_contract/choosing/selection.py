"""Choosing one candidate from recorded measurements: goals, then the Pareto set, then `prefer`.

Used by the operator for the status and by the measuring pod for the report, so both say the same.
Pure: the order of the candidates does not matter, and the test split is nothing that it could see.

    1. A candidate that misses a goal is out. If all are out, the baseline is kept.
    2. Of the others, those that another one dominates are out (pareto.py).
    3. `prefer`, one metric after the other: what is worse than the best beyond the noise is out.
    4. What is left is equal in all that was preferred. Then count the metrics of the goals, then
       the smaller size, then the lower number.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from winnow_contract.choosing.goals import Goal
from winnow_contract.choosing.pareto import Candidate, Values, front, is_tie, standing
from winnow_contract.choosing.reasons import (
    Course,
    Stage,
    closest_reason,
    fallback_reason,
    selection_reason,
)
from winnow_contract.choosing.verdicts import Verdict, judge

__all__ = ["Candidate", "Choice", "Closest", "choose", "of_baseline"]

SIZE = "size_bytes"


@dataclass(frozen=True, slots=True)
class Closest:
    """The candidate that came closest to the goals, and the goal that it misses most."""

    number: int
    name: str
    failing: Verdict


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen and why."""

    number: int
    """Number of the Trial that is selected."""
    name: str
    goals_met: bool
    reason: str
    """One to three sentences for people."""
    closest: Closest | None = None
    """Only where no candidate but the baseline meets the goals."""
    front: tuple[int, ...] = ()
    """Numbers of the candidates that meet the goals and that no other such dominates; of all
    candidates where none meets them."""
    verdicts: Mapping[int, tuple[Verdict, ...]] = field(default_factory=dict)
    """About every goal of every candidate, by number."""


def of_baseline(number: int, name: str, values: Values) -> Candidate:
    """The baseline as a candidate: it is compared with itself."""
    return Candidate(number, name, values, values, is_baseline=True)


def choose(
    baseline: Candidate,
    candidates: Iterable[Candidate],
    *,
    goals: Sequence[Goal],
    prefer: Sequence[str],
) -> Choice:
    """The choice among the baseline and the candidates that were measured.

    Args:
        baseline: from `of_baseline`.
        candidates: the others, with the values as they are recorded (a report and a status that
            rounded differently could choose differently).
        goals: all of them are to be met; none: every candidate will do.
        prefer: keys of metrics, the most important first.
    """
    everyone = sorted((baseline, *candidates), key=lambda c: c.number)
    verdicts = {c.number: tuple(judge(goal, c) for goal in goals) for c in everyone}
    keys = tuple(dict.fromkeys((*prefer, *(goal.key for goal in goals))))
    eligible = [c for c in everyone if all(v.met for v in verdicts[c.number])]
    best = front(eligible or everyone, keys)
    others = [c for c in everyone if not c.is_baseline]
    chosen, reason = baseline, fallback_reason(len(others))
    if eligible:
        stages = tuple(_stages(best, (*keys, SIZE)))
        chosen = stages[-1].left[0]
        course = Course(len(eligible), len(best), stages, has_goals=bool(goals))
        reason = selection_reason(chosen, course, key=(*keys, SIZE)[0])
    choice = Choice(
        number=chosen.number,
        name=chosen.name,
        goals_met=bool(eligible),
        reason=reason,
        front=tuple(c.number for c in best),
        verdicts=verdicts,
    )
    return choice if any(c in eligible for c in others) else _with_closest(choice, others)


def _stages(candidates: Sequence[Candidate], keys: Sequence[str]) -> Iterable[Stage]:
    """What is left after each metric, until one is; at last the lowest number."""
    left = tuple(candidates)
    for key in keys:
        if len(left) == 1:
            break
        left = _as_good_as_best(left, key)
        yield Stage(key, left)
    yield Stage("", left[:1])


def _as_good_as_best(candidates: Sequence[Candidate], key: str) -> tuple[Candidate, ...]:
    best = min(candidates, key=lambda c: (standing(c, key), c.number))
    return tuple(c for c in candidates if is_tie(c, best, key))


def _with_closest(choice: Choice, others: Sequence[Candidate]) -> Choice:
    """The choice of the baseline, with the candidate that has the smallest misses."""
    if not others:
        return choice
    nearest = min(others, key=lambda c: (_distance(choice.verdicts[c.number]), c.number))
    told = choice.verdicts[nearest.number]
    if not math.isfinite(_distance(told)):  # each lacks a metric of the goals
        return replace(choice, reason=f"{choice.reason} {closest_reason('', ())}")
    failing = max(told, key=lambda v: v.miss)
    return replace(
        choice,
        reason=f"{choice.reason} {closest_reason(nearest.name, told)}",
        closest=Closest(nearest.number, nearest.name, failing),
    )


def _distance(verdicts: Sequence[Verdict]) -> float:
    """How far from meeting all goals: the sum of the misses, each as a share of its bound."""
    return sum(v.miss for v in verdicts)
