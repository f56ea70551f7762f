"""Constraints between parameters: sums and products of their values that lie within limits.

A point that breaks one is never suggested. For a trial without one of the parameters, because of a
condition, the constraint says nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from winnow_operator.api.space import SpaceConstraint
from winnow_operator.domain.spaces.values import Value

MAX_SIFTED = 1_000_000
"""Points that are looked at one by one for those that keep the constraints."""
TOLERANCE = 1e-12
"""Relative to the size of what is added up: a sum of decimal numbers is not exact in binary."""

Range = tuple[float, float]
"""Lowest and highest value."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One constraint."""

    names: tuple[str, ...]
    factors: tuple[float, ...]
    """Of a sum; of a product there are none."""
    low: float
    high: float

    def holds(self, assignment: Mapping[str, Value]) -> bool:
        """Whether values keep it; so they do where one of the parameters is missing."""
        if any(name not in assignment for name in self.names):
            return True
        values = [float(assignment[name]) for name in self.names]
        parts = self._parts(values)
        slack = TOLERANCE * max(map(abs, parts))
        total = math.fsum(parts) if self.factors else parts[0]
        return self.low - slack <= total <= self.high + slack

    def _parts(self, values: list[float]) -> list[float]:
        if not self.factors:
            return [math.prod(values)]
        return [factor * value for factor, value in zip(self.factors, values, strict=True)]

    def can_hold(self, ranges: Mapping[str, Range]) -> bool:
        """Whether some values within these ranges may keep it, each parameter by itself."""
        if self.factors:
            ends = [
                sorted((f * low, f * high))
                for f, (low, high) in zip(self.factors, self._ranges(ranges), strict=True)
            ]
            least, most = sum(e[0] for e in ends), sum(e[1] for e in ends)
        else:
            least, most = 1.0, 1.0
            for low, high in self._ranges(ranges):
                corners = [least * low, least * high, most * low, most * high]
                least, most = min(corners), max(corners)
        slack = TOLERANCE * max(abs(least), abs(most))
        return self.low <= self.high and least - slack <= self.high and most + slack >= self.low

    def _ranges(self, ranges: Mapping[str, Range]) -> Iterable[Range]:
        return (ranges[name] for name in self.names)


def limit_of(constraint: SpaceConstraint) -> Limit:
    """The limit that a spec describes."""
    low = -math.inf if constraint.min is None else float(constraint.min)
    high = math.inf if constraint.max is None else float(constraint.max)
    if constraint.sum is not None:
        names = tuple(term.parameter for term in constraint.sum)
        return Limit(names, tuple(float(term.factor) for term in constraint.sum), low, high)
    return Limit(constraint.product or (), (), low, high)
