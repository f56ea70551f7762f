"""The reason of a choice in one to three sentences, from what the choice went through.

Words only: everything is decided before (selection.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from winnow_contract.choosing.pareto import NOISE_ERRORS, Candidate, finite
from winnow_contract.choosing.verdicts import Verdict, ratio_of
from winnow_contract.measuring.amounts import amount_text, key_words, ratio_text

__all__ = ["Course", "Stage", "closest_reason", "fallback_reason", "selection_reason"]

MOST_NAMES = 4
"""Candidates or metrics named one by one in a sentence; of more, the number is said."""
MOST_MISSES = 3
"""Missed goals of which a sentence says by how much, the worst first."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of a choice: the metric that was looked at, and who was left after it."""

    key: str
    """Empty at the last stage, where the lowest number decides."""
    left: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Course:
    """What a choice went through."""

    eligible: int
    """How many candidates meet all goals."""
    front: int
    """How many of them no other dominates."""
    stages: tuple[Stage, ...]
    """How it went from the front to the one."""
    has_goals: bool = True


def selection_reason(chosen: Candidate, course: Course, *, key: str) -> str:
    """Why this one of those that meet all goals; the key is that of what counts most."""
    stages = course.stages
    who = "the baseline" if chosen.is_baseline else chosen.name
    if course.eligible == 1:
        only = "meets all goals" if course.has_goals else "was measured"
        return f"{who} is selected: it is the only one that {only}."
    among = " that meet all goals" if course.has_goals else ""
    first = f"{who} is selected: of {course.eligible} candidates{among} "
    tied = [stage for stage in stages if len(stage.left) > 1]
    if course.front == 1:
        where = _where(chosen, key)
        return f"{first}it is at least as good as every other in all that counts: {where}."
    if not tied:
        return f"{first}it has the best {_where(chosen, stages[0].key)}."
    return f"{first}it is among the best in {key_words(tied[0].key)}. {_tie(chosen, tied, stages)}"


def fallback_reason(others: int) -> str:
    """Why the baseline is kept although it does not meet the goals."""
    if not others:
        return (
            "No candidate could be measured and the baseline misses a goal; the baseline is kept."
        )
    if others == 1:
        return "The only candidate does not meet all goals, so the baseline is kept."
    return f"None of the {others} candidates meets all goals, so the baseline is kept."


def closest_reason(closest: str, verdicts: Sequence[Verdict]) -> str:
    """What the candidate that came closest to the goals misses; without any, why there is none."""
    if not closest:
        return "No candidate was measured in every metric of the goals."
    missed = sorted((v for v in verdicts if not v.met), key=lambda v: -v.miss)
    told = [verdict.sentence for verdict in missed[:MOST_MISSES]]
    rest = len(missed) - len(told)
    if rest:
        told.append(f"and {rest} more {'goal is' if rest == 1 else 'goals are'} missed")
    return f"{closest} came closest: {'; '.join(told)}."


def _tie(chosen: Candidate, tied: Sequence[Stage], stages: Sequence[Stage]) -> str:
    """What could not tell candidates apart, and what did in the end."""
    names = _names([c for c in tied[-1].left if c.number != chosen.number])
    words = [key_words(stage.key) for stage in tied]
    if len(words) > MOST_NAMES:
        words[MOST_NAMES - 1 :] = [f"{len(words) - MOST_NAMES + 1} more metrics"]
    metrics = _list(words)
    first = (
        f"In {metrics} it and {names} lie within the noise of the best "
        f"({NOISE_ERRORS:g} combined standard errors)"
    )
    decisive = next(stage for stage in stages if len(stage.left) == 1)
    if not decisive.key:
        return f"{first}, so the one with the lowest number was taken."
    return f"{first}, so the better {_where(chosen, decisive.key)} decided."


def _where(candidate: Candidate, key: str) -> str:
    """A metric with the candidate's value, and its ratio to the baseline where there is one."""
    value, _ = finite(candidate.values, key)
    if value is None:
        return key_words(key)
    ratio = ratio_of(candidate, key)
    share = (
        f", {ratio_text(ratio)} of the baseline's" if ratio and not candidate.is_baseline else ""
    )
    return f"{key_words(key)} ({amount_text(key, value)}{share})"


def _names(candidates: Sequence[Candidate]) -> str:
    if len(candidates) > MOST_NAMES:
        return f"{len(candidates)} others"
    return _list(["the baseline" if c.is_baseline else c.name for c in candidates])


def _list(words: Sequence[str]) -> str:
    if len(words) < 2:  # noqa: PLR2004 -- one word needs no "and"
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
