"""Folds of one trial over several pods: each pod gives a part, and all parts together are the trial.

The value is the mean over all folds, and its standard error s / sqrt(k), the same as if one pod had
trained them all.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean, stdev

from winnow_contract.results import TrialResult

SUMMED, LARGEST = frozenset({"train_seconds"}), frozenset({"peak_memory_bytes"})
"""Figures of a trial that are not means over its trainings."""


def joined(parts: Mapping[int, TrialResult], objective: str) -> TrialResult | None:
    """The trial that its parts make, or None while one of them is missing.

    Args:
        parts: by number from 1; each has the objective of each of its folds.
        objective: the first objective's metric.
    """
    of = max((part.parts for part in parts.values()), default=0)
    if not of or parts.keys() != set(range(1, of + 1)):
        return None
    ordered = [parts[number] for number in sorted(parts)]
    folds = [value for part in ordered for value in part.folds]
    weights = [len(part.folds) for part in ordered]
    values = [part.objective if part.objective is not None else 0.0 for part in ordered]
    metrics = [name for name in ordered[0].metrics if all(name in p.metrics for p in ordered)]
    return replace(
        ordered[0],
        part=0,
        parts=0,
        folds=tuple(folds),
        objective=figure(objective, values, weights),
        standard_error=stdev(folds) / math.sqrt(len(folds)) if len(folds) > 1 else None,
        metrics={
            name: figure(name, [part.metrics[name] for part in ordered], weights)
            for name in metrics
        },
    )


def figure(name: str, values: Sequence[float], weights: Sequence[int] | None = None) -> float:
    """A figure of several trainings together: a mean, a sum, or the largest."""
    if name in SUMMED:
        return math.fsum(values)
    if name in LARGEST:
        return max(values)
    return fmean(values, weights)
