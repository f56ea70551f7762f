"""Means over several trainings of one trial: its folds, or its repeats with other seeds."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from statistics import fmean, stdev

from winnow_contract.assignments import TrialAssignment
from winnow_contract.folds import figure
from winnow_measure.quality import Measured
from winnow_trainer.bench import Quality

Extras = Mapping[str, float]
"""Figures of a training."""


def mean_quality(measured: Sequence[Quality]) -> dict[str, Measured]:
    """Mean of each metric, and the standard error of that mean, s / sqrt(n)."""
    return {name: _mean([quality[name][0] for quality in measured]) for name in measured[0]}


def mean_extras(figures: Sequence[Extras]) -> dict[str, float]:
    """Figures of all trainings together."""
    return {name: figure(name, [each[name] for each in figures]) for name in figures[0]}


def seeds_of(assignment: TrialAssignment, count: int) -> list[int]:
    """Seeds of so many trainings of a trial: its own first, then others that follow from it."""
    texts = (f"{assignment.seed}/repeat/{number}" for number in range(1, count))
    digests = (hashlib.sha256(text.encode()).digest() for text in texts)
    return [assignment.seed, *(int.from_bytes(d[:4], "big") >> 1 for d in digests)]


def _mean(values: Sequence[float]) -> Measured:
    return fmean(values), stdev(values) / math.sqrt(len(values)) if len(values) > 1 else None
