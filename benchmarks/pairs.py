"""Compares runs that lie side by side: the median of paired ratios, with an interval. Pure.

The machine's speed drifts over minutes, so only ratios within a pair are compared. The interval is
of order statistics: it assumes nothing about how the ratios are distributed.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

COVERAGE = 0.9
"""How surely the interval holds the true median, at least; five pairs give 94 %."""
FEWEST_PAIRS = 5


@dataclass(frozen=True, slots=True)
class Interval:
    """A median and where it surely lies."""

    median: float
    low: float
    high: float
    coverage: float

    def text(self, digits: int = 3) -> str:
        """For tables."""
        return f"{self.median:.{digits}f} [{self.low:.{digits}f}, {self.high:.{digits}f}]"


def median_interval(values: Sequence[float]) -> Interval:
    """The median with the narrowest interval of order statistics of at least COVERAGE.

    Raises:
        ValueError: if there are too few values for one.
    """
    if len(values) < FEWEST_PAIRS:
        raise ValueError(
            f"{len(values)} pairs give no interval of {COVERAGE:.0%}: at least {FEWEST_PAIRS} do"
        )
    ordered, left_out = sorted(values), 0
    while coverage(len(ordered), left_out + 1) >= COVERAGE:
        left_out += 1
    return Interval(
        median=statistics.median(ordered),
        low=ordered[left_out],
        high=ordered[-1 - left_out],
        coverage=coverage(len(ordered), left_out),
    )


def coverage(count: int, left_out: int) -> float:
    """Chance that the median lies between the values that remain when so many at each end go."""
    outside = sum(math.comb(count, below) for below in range(left_out + 1))
    return 1.0 - outside / 2.0 ** (count - 1)
