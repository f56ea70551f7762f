"""Comparing measured candidates: what is better, what is a tie, what nothing beats.

Two candidates differ in a metric only if they are further apart than the noise, 2 combined
standard errors of the two. Candidates of different rounds ran on a machine in different moods, so
what a machine decides (time, memory) is compared as the ratio to the baseline of the same round.
Pure: the same measurements give the same answer, in whatever order they come.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from winnow_contract.manifests import Values
from winnow_contract.measuring.metrics import is_higher_better, is_of_the_machine

__all__ = [
    "NOISE_ERRORS",
    "Candidate",
    "Values",
    "dominates",
    "finite",
    "front",
    "is_tie",
    "noise",
    "standing",
]

NOISE_ERRORS = 2.0
"""A difference counts from here on, in combined standard errors: about 95 % of mere chance."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a choice may know of a model that was measured: nothing of the test split is here."""

    number: int
    """Number of its Trial."""
    name: str
    values: Values = field(default_factory=dict)
    """On the validation split and in the serving runtime."""
    baseline: Values = field(default_factory=dict)
    """The same of the baseline, as measured in the same round."""
    is_baseline: bool = False


@dataclass(frozen=True, slots=True)
class _Reading:
    """One metric of one candidate, in units that all candidates share."""

    value: float
    own_error: float
    shared_error: float
    """What comes from the baseline of its round; it cancels between two of the same round."""


def standing(candidate: Candidate, key: str) -> float:
    """Where a candidate stands in a metric, lower is better; infinite if it was not measured."""
    reading = _reading(candidate, key)
    if reading is None:
        return math.inf
    return -reading.value if is_higher_better(key) else reading.value


def noise(one: Candidate, other: Candidate, key: str) -> float:
    """The difference up to which two candidates count as equal in a metric."""
    if one.is_baseline is not other.is_baseline:
        one, other = _as_measured_beside(one, other), _as_measured_beside(other, one)
    readings = [r for r in (_reading(one, key), _reading(other, key)) if r is not None]
    errors = [r.own_error for r in readings]
    if one.baseline.get(key) != other.baseline.get(key):
        errors += [r.shared_error for r in readings]
    return NOISE_ERRORS * math.hypot(*errors)


def is_tie(one: Candidate, other: Candidate, key: str) -> bool:
    """Whether nothing can be said about which of the two is better."""
    first, second = standing(one, key), standing(other, key)
    return first == second or abs(first - second) <= noise(one, other, key)


def dominates(one: Candidate, other: Candidate, keys: Sequence[str]) -> bool:
    """Whether one is nowhere worse than the other, and somewhere better beyond the noise.

    "Nowhere worse" goes by the values as they are: allowing for noise there too could make three
    candidates beat each other in a circle.
    """
    pairs = [(standing(one, key), standing(other, key)) for key in keys]
    if any(mine > theirs for mine, theirs in pairs):
        return False
    return any(
        mine < theirs and not is_tie(one, other, key)
        for key, (mine, theirs) in zip(keys, pairs, strict=True)
    )


def front(candidates: Iterable[Candidate], keys: Sequence[str]) -> tuple[Candidate, ...]:
    """The candidates that no other dominates, by number."""
    everyone = sorted(candidates, key=lambda c: c.number)
    return tuple(
        one for one in everyone if not any(dominates(other, one, keys) for other in everyone)
    )


def _as_measured_beside(candidate: Candidate, other: Candidate) -> Candidate:
    """The baseline was measured in every round: take it from that of the other."""
    if not candidate.is_baseline:
        return candidate
    return Candidate(
        candidate.number, candidate.name, other.baseline, other.baseline, is_baseline=True
    )


def _reading(candidate: Candidate, key: str) -> _Reading | None:
    value, error = finite(candidate.values, key)
    if value is None:
        return None
    if not is_of_the_machine(key):
        return _Reading(value, error, 0.0)
    base, base_error = finite(candidate.baseline, key)
    if base is None or base <= 0:
        return None
    ratio = value / base
    return _Reading(ratio, error / base, ratio * base_error / base)


def finite(values: Values, key: str) -> tuple[float | None, float]:
    """Value (None unless it is a finite number) and standard error (0 if there is none)."""
    value, error = values.get(key, (math.nan, None))
    if not math.isfinite(value):
        return None, 0.0
    return value, error if error is not None and math.isfinite(error) else 0.0
