"""Whether a trial is hopeless after some of its folds: a paired test against the best trial's.

Both were trained on the same rows of each fold, so their difference tells more than their values. Folds
share most of their training rows, which makes their differences alike: the variance of the mean is
corrected for that (Nadeau and Bengio, "Inference for the Generalization Error", Machine Learning 2003).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, stdev

from scipy.stats import t as student

FEWEST = 2
"""Folds that have a spread."""


def chance_to_be_better(
    own: Sequence[float], rival: Sequence[float], folds: int, sign: int
) -> float:
    """One-sided p value of the corrected paired t-test: small where the trial is surely worse.

    Args:
        own: the objective on the first folds of the trial.
        rival: the same of the best trial, all folds.
        folds: how many there are.
        sign: 1 where lower is better, else -1.
    """
    worse = [sign * (mine - theirs) for mine, theirs in zip(own, rival, strict=False)]
    if len(worse) < FEWEST:
        return 1.0
    mean, spread = fmean(worse), stdev(worse)
    if spread == 0:
        return 0.0 if mean > 0 else 1.0
    error = spread * math.sqrt(1 / len(worse) + 1 / (folds - 1))
    return float(student.sf(mean / error, len(worse) - 1))
