"""One figure per measured candidate, for engines that search chains: lower is better.

    a goal is missed     1 + by how much, as shares of the bounds
    all are met          below 0: the logarithms of the ratios to the baseline in the metrics of
                         prefer, the first by far the most important

So whatever meets the goals is better than whatever misses one, as in the choice itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from winnow_contract.choosing.goals import Goal
from winnow_contract.choosing.selection import Candidate
from winnow_contract.choosing.verdicts import judge, ratio_of
from winnow_contract.measuring.metrics import is_higher_better
from winnow_operator.domain.compressions.choosing import SIZE

WORST = 100.0
"""A miss, or the logarithm of a ratio, counts up to here."""
_WEIGHT = 0.1
"""Of each further metric, in comparison with the one before it."""


def chain_score(candidate: Candidate, goals: Sequence[Goal], prefer: Sequence[str]) -> float:
    """The figure of a candidate."""
    missed = [verdict.miss for goal in goals if not (verdict := judge(goal, candidate)).met]
    if missed:
        return 1.0 + min(sum(missed), WORST)
    keys = dict.fromkeys((*prefer, *(goal.key for goal in goals), SIZE))
    gains = (_gain(candidate, key) * _WEIGHT**place for place, key in enumerate(keys))
    return 2 / math.pi * math.atan(sum(gains)) - 1.0


def _gain(candidate: Candidate, key: str) -> float:
    """How much worse than the baseline it is, as a logarithm; below 0 where it is better."""
    ratio = ratio_of(candidate, key)
    if ratio is None:
        return 0.0
    logarithm = math.log(ratio) if ratio > 0 else -WORST
    return max(-WORST, min(WORST, -logarithm if is_higher_better(key) else logarithm))
