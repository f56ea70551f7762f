"""Which round of an iterative schedule is kept.

The most pruned one of those whose quality is within one standard error of the best: a smaller
model is preferred to a difference that is noise (the one-standard-error rule of Breiman et al.,
Classification and Regression Trees, 1984).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from winnow_measure.quality import HIGHER_IS_BETTER, Measured


@dataclass(frozen=True, slots=True)
class Round:
    """One cut and the training after it."""

    amount: float
    """Share that is gone, of what there was before the step."""
    before: Measured
    """Quality on the validation split before the training of this round."""
    after: Measured
    """The same after it; what is judged."""
    epochs: int


def best_round(rounds: Sequence[Round], metric: str) -> int:
    """The place of the round that is kept; rounds are in the order of their amounts."""
    sign = 1 if metric in HIGHER_IS_BETTER else -1
    values = [sign * kept.after[0] for kept in rounds]
    best = max(range(len(values)), key=values.__getitem__)
    noise = rounds[best].after[1] or 0.0
    return max(place for place, value in enumerate(values) if value >= values[best] - noise)
