"""What trials with an outcome have had at the rungs, in an order in which a verdict need not go through them all.

The scores of one job's trials grow to tens of thousands, and each comes once: it is put in its place
then. What is asked of them takes a bisection.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean

__all__ = ["RungScores", "Rungs", "best_up_to", "mean_up_to", "median_with", "worst_if_nan"]

Rungs = Mapping[int, float]
"""The score of a trial at each rung that it has reached; lower is better, and NaN is the worst."""


@dataclass(slots=True)
class RungScores:
    """Scores of trials that do not change any more, ascending at each rung."""

    has_means: bool = True
    """Whether means are kept; only the rule Median reads them."""
    _scores: dict[int, list[float]] = field(default_factory=dict)
    _means: dict[int, list[float]] = field(default_factory=dict)
    """Of scores up to the rung, by trial; those that are no finite number are left out."""

    def add(self, rungs: Rungs) -> None:
        """Take what one trial has had."""
        for rung, score in rungs.items():
            insort(self._scores.setdefault(rung, []), worst_if_nan(score))
            if self.has_means and math.isfinite(mean := mean_up_to(rung, rungs)):
                insort(self._means.setdefault(rung, []), mean)

    def count(self, rung: int) -> int:
        """How many have reached a rung."""
        return len(self._scores.get(rung, ()))

    def better(self, rung: int, score: float) -> int:
        """How many have had a lower score there."""
        return bisect_left(self._scores.get(rung, ()), score)

    def means(self, rung: int) -> Sequence[float]:
        """The mean of each over all rungs up to this one, ascending."""
        return self._means.get(rung, ())


def mean_up_to(rung: int, rungs: Rungs) -> float:
    """The mean of a trial's scores at a rung and those below it; NaN if there is none."""
    try:
        return fmean(score for at, score in rungs.items() if at <= rung)
    except (ValueError, OverflowError):  # infinities of both signs; numbers too large
        return math.nan


def best_up_to(rung: int, rungs: Rungs) -> float:
    """The best of a trial's scores at a rung and those below it."""
    return min(worst_if_nan(score) for at, score in rungs.items() if at <= rung)


def worst_if_nan(score: float) -> float:
    """What is no number counts as the worst score."""
    return math.inf if math.isnan(score) else score


def median_with(ordered: Sequence[float], more: Iterable[float]) -> float:
    """The median of many ascending numbers and a few others; of an even count the middle of two.

    Raises:
        ValueError: if there is no number at all.
    """
    few = sorted(more)
    count = len(ordered) + len(few)
    if not count:
        raise ValueError("no median of nothing")
    return (_at((count - 1) // 2, ordered, few) + _at(count // 2, ordered, few)) / 2


def _at(place: int, ordered: Sequence[float], few: Sequence[float]) -> float:
    """The number at a place of both together.

    Of the many, only those count that as many places as there are few may be between.
    """
    first = max(0, place - len(few))
    return sorted((*ordered[first : place + 1], *few))[place - first]
