"""Whether a candidate meets a goal, by how much, and the same in words.

Goals are bounds, judged on the figures as they were recorded: exactly, in decimal, so that a drop
from 0.99 to 0.98 is 0.01 and not a little more. How that compares with the noise is said, not
decided here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from winnow_contract.choosing.goals import Goal
from winnow_contract.choosing.pareto import NOISE_ERRORS, Candidate, finite
from winnow_contract.measuring.amounts import (
    amount_text,
    difference_text,
    key_words,
    limit_text,
    ratio_text,
    speedup_text,
)
from winnow_contract.measuring.metrics import Bound, is_higher_better

__all__ = ["Verdict", "judge", "ratio_of", "speedup_of"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be said about one goal of one candidate."""

    goal: Goal
    met: bool
    observed: float | None
    """What the bound is on: a drop, speedup, ratio or value; None if it was not measured."""
    miss: float
    """By how much it is missed, as a share of the bound; 0 if met, infinite if not measured."""
    sentence: str


def judge(goal: Goal, candidate: Candidate) -> Verdict:
    """The verdict about one goal, against the baseline of the candidate's own round."""
    observed, error = _observed(goal, candidate)
    if observed is None:
        sentence = f"{key_words(goal.key)} was not measured, so the goal counts as missed"
        return Verdict(goal, met=False, observed=None, miss=math.inf, sentence=sentence)
    excess = _excess(goal, observed)
    miss = float(max(excess, Fraction(0)) / _scale(goal, candidate))
    met = excess <= 0
    words = [_finding(goal, float(observed)), _asked(goal), _outcome(goal, excess, error)]
    return Verdict(goal, met=met, observed=float(observed), miss=miss, sentence=", ".join(words))


def speedup_of(candidate: Candidate, key: str) -> float | None:
    """How many times as good as the baseline of its round in a metric; above 1 is better.

    For times the baseline's over the candidate's, for a throughput the other way round.
    """
    ratio = ratio_of(candidate, key)
    if ratio is None or ratio <= 0:
        return None
    return ratio if is_higher_better(key) else 1 / ratio


def ratio_of(candidate: Candidate, key: str) -> float | None:
    """The candidate's value over that of the baseline of its round."""
    (value, _), (base, _) = finite(candidate.values, key), finite(candidate.baseline, key)
    return None if value is None or base is None or base <= 0 else value / base


def _observed(goal: Goal, candidate: Candidate) -> tuple[Fraction | None, float]:
    """What the bound is on, with its standard error."""
    value, error = finite(candidate.values, goal.key)
    base, base_error = finite(candidate.baseline, goal.key)
    if value is None:
        return None, 0.0
    if goal.bound in {Bound.MIN, Bound.MAX}:
        return _exact(value), error
    if base is None:
        return None, 0.0
    if goal.bound is Bound.MAX_DROP:
        drop = _exact(base) - _exact(value)
        combined = 0.0 if candidate.is_baseline else math.hypot(error, base_error)
        return (drop if is_higher_better(goal.key) else -drop), combined
    if value <= 0 or base <= 0:
        return None, 0.0
    upside_down = goal.bound is Bound.MIN_SPEEDUP and not is_higher_better(goal.key)
    top, bottom = (base, value) if upside_down else (value, base)
    ratio = _exact(top) / _exact(bottom)
    relative = 0.0 if candidate.is_baseline else math.hypot(error / value, base_error / base)
    return ratio, float(ratio) * relative


def _exact(number: float) -> Fraction:
    return Fraction(str(number))


def _is_floor(goal: Goal) -> bool:
    return goal.bound in {Bound.MIN_SPEEDUP, Bound.MIN}


def _excess(goal: Goal, observed: Fraction) -> Fraction:
    """How far beyond the bound it is; negative where there is room left."""
    limit = _exact(goal.limit)
    return limit - observed if _is_floor(goal) else observed - limit


def _scale(goal: Goal, candidate: Candidate) -> Fraction:
    """What a miss is measured in: the bound, or, of a bound of 0, the baseline's own value."""
    base, _ = finite(candidate.baseline, goal.key)
    return abs(_exact(goal.limit)) or abs(_exact(base or 0.0)) or Fraction(1)


def _finding(goal: Goal, observed: float) -> str:
    words = key_words(goal.key)
    match goal.bound:
        case Bound.MAX_DROP:
            if observed == 0:
                return f"{words} is as before"
            direction = "worse" if observed > 0 else "better"
            return f"{words} is {direction} by {difference_text(goal.key, abs(observed))}"
        case Bound.MIN_SPEEDUP:
            return f"{words} is {speedup_text(observed)} as fast"
        case Bound.MAX_RATIO:
            return f"{words} is {ratio_text(observed)} of the baseline's"
        case Bound.MIN | Bound.MAX:
            return f"{words} is {amount_text(goal.key, observed)}"


def _asked(goal: Goal) -> str:
    limit = limit_text(goal.key, goal.limit)
    match goal.bound:
        case Bound.MAX_DROP:
            return f"allowed is a drop of {limit}"
        case Bound.MIN_SPEEDUP:
            return f"asked is {goal.limit:g}x"
        case Bound.MAX_RATIO:
            return f"allowed is {goal.limit:g}"
        case Bound.MIN:
            return f"asked is at least {limit}"
        case Bound.MAX:
            return f"allowed is at most {limit}"


def _outcome(goal: Goal, excess: Fraction, error: float) -> str:
    word, by = ("missed", float(excess)) if excess > 0 else ("met", -float(excess))
    words, noise = f"{word} by {_difference(goal, by)}", NOISE_ERRORS * error
    if by > noise or not noise:
        return words
    return (
        f"{words}, which is inside the noise "
        f"({NOISE_ERRORS:g} standard errors are {_difference(goal, noise)})"
    )


def _difference(goal: Goal, amount: float) -> str:
    match goal.bound:
        case Bound.MIN_SPEEDUP:
            return f"{amount:.2g}x"
        case Bound.MAX_RATIO:
            return ratio_text(amount)
        case Bound.MAX_DROP | Bound.MIN | Bound.MAX:
            return difference_text(goal.key, amount)
