"""Several objectives: the trials that no other beats in all of them, and which of those wins.

The Pareto set goes by the values as they are measured; of equal ones all are in it. The winner is
the one of the set that

1. meets the targets of all objectives that have one, if any does;
2. is nearest to the ideal point, the best of the set in each objective, with each objective scaled
   to its range over the set (the compromise of Yu, "A Class of Solutions for Group Decision
   Problems", Management Science 1973, with Euclidean distance);
3. was suggested first.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from winnow_operator.api.searchjob import Goal, Objective

Scores = tuple[float, ...]
"""One for each objective; lower is better."""


class Valued(Protocol):
    """A trial with a value for each objective."""

    @property
    def number(self) -> int:
        """Of the trial."""
        ...

    @property
    def values(self) -> tuple[float, ...]:
        """As measured, in the order of the objectives."""
        ...


T = TypeVar("T", bound=Valued)


def scores_of(trial: Valued, objectives: Sequence[Objective]) -> Scores:
    """The values with their signs so that lower is better; none if one is missing."""
    if len(trial.values) < len(objectives):
        return ()
    pairs = zip(objectives, trial.values, strict=False)
    return tuple(v if o.goal is Goal.MINIMIZE else -v for o, v in pairs)


def dominates(one: Scores, other: Scores) -> bool:
    """Whether one is nowhere worse and somewhere better."""
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))


def with_trial(front: Sequence[T], trial: T, objectives: Sequence[Objective]) -> tuple[T, ...]:
    """The Pareto set once another trial is known."""
    scores = scores_of(trial, objectives)
    known = [(member, scores_of(member, objectives)) for member in front]
    if not scores or any(dominates(theirs, scores) for _, theirs in known):
        return tuple(front)
    return (*(member for member, theirs in known if not dominates(scores, theirs)), trial)


def front_of(trials: Iterable[T], objectives: Sequence[Objective]) -> tuple[T, ...]:
    """The Pareto set of trials."""
    front: tuple[T, ...] = ()
    for trial in trials:
        front = with_trial(front, trial, objectives)
    return front


def meets_targets(trial: Valued, objectives: Sequence[Objective]) -> bool:
    """Whether a trial is at least as good as each target that is given."""
    scores = scores_of(trial, objectives)
    return all(
        score <= (float(o.target) if o.goal is Goal.MINIMIZE else -float(o.target))
        for o, score in zip(objectives, scores, strict=True)
        if o.target is not None
    )


def compromise(front: Sequence[T], objectives: Sequence[Objective]) -> T | None:
    """The winner of a Pareto set, by the rule above; None of an empty one."""
    return next(iter(by_compromise(front, objectives)), None)


def by_compromise(front: Sequence[T], objectives: Sequence[Objective]) -> list[T]:
    """A Pareto set with the best compromise first, by the rule above."""
    scores = {t.number: scores_of(t, objectives) for t in front}
    columns = list(zip(*scores.values(), strict=True))
    lowest, highest = [min(c) for c in columns], [max(c) for c in columns]

    def distance(trial: T) -> float:
        ranges = zip(scores[trial.number], lowest, highest, strict=True)
        return math.hypot(*((s - low) / (high - low) for s, low, high in ranges if high > low))

    def order(trial: T) -> tuple[bool, float, int]:
        return not meets_targets(trial, objectives), distance(trial), trial.number

    return sorted(front, key=order)


def reason_of(front: Sequence[Valued], winner: Valued, objectives: Sequence[Objective]) -> str:
    """Why this one, in words."""
    given = [o for o in objectives if o.target is not None]
    met = sum(meets_targets(trial, objectives) for trial in front)
    if given and meets_targets(winner, objectives):
        among = f"{met} of the {len(front)} trials of the Pareto set meet all targets; of these it"
    elif given:
        among = f"none of the {len(front)} trials of the Pareto set meets all targets; of all it"
    else:
        among = f"of the {len(front)} trials of the Pareto set it"
    return (
        f"{among} is nearest to the best value of each objective, each scaled to its range over the "
        "set"
    )
