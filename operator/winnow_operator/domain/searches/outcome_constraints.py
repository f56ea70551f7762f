"""Constraints on what trials measure: how far a trial is from meeting them.

A trial that misses one has succeeded all the same, but cannot win. What counts of it besides is one
number, the sum of what it is beyond each limit, relative to the limit, so that figures of different
units can be added up. Engines that learn from constraints prefer less of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from winnow_operator.api.searchjob import Constraint


def violation(values: Mapping[str, float], constraints: Sequence[Constraint]) -> float:
    """How far values are from meeting constraints; 0 where they do.

    Raises:
        KeyError: if a metric has no value.
    """
    return sum(_excess(values[c.metric], c) for c in constraints)


def _excess(value: float, constraint: Constraint) -> float:
    below = 0.0 if constraint.min is None else float(constraint.min) - value
    above = 0.0 if constraint.max is None else value - float(constraint.max)
    missed = max(below, above, 0.0)
    limit = constraint.min if below > 0 else constraint.max
    return missed / (abs(float(limit or 0)) or 1.0)


def describe(constraints: Sequence[Constraint]) -> str:
    """The constraints in words, `accuracy >= 0.97 and parameters <= 50000`."""
    parts = [
        f"{c.metric} {sign} {limit}"
        for c in constraints
        for sign, limit in ((">=", c.min), ("<=", c.max))
        if limit is not None
    ]
    return " and ".join(parts)
