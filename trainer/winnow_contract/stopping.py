"""Early stopping: when a trial that trains is not worth going on, decided at rungs alone.

A rung is an amount of training, `minimum * eta^k` epochs or steps, the same for all trials of a
job, whatever the length of each: a trial has the rungs below its own end. It is decided once at
each rung that it reaches, from the scores at that rung of the trials that have reached it by then.

ASHA: a trial goes on if it is among the best 1/eta of them (Li et al., "A System for Massively
Parallel Hyperparameter Tuning", MLSys 2020, in the form that only stops, as of Syne Tune).

Median: a trial stops if its best score so far is worse than the median of the others' means so far
(Golovin et al., "Google Vizier", KDD 2017, section 3.2.2); best and means are over rungs, and the others
are all that have reached the rung, not only those that have ended.

Pure, and the same for the operator, which compares pods, and the trainer, which compares the
trials of one pod.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from winnow_contract.documents import Entries
from winnow_contract.errors import AssignmentsError
from winnow_contract.rungscores import (
    Rungs,
    RungScores,
    best_up_to,
    mean_up_to,
    median_with,
    worst_if_nan,
)

__all__ = [
    "ASHA",
    "EPOCHS",
    "MEDIAN",
    "STEPS",
    "StoppingRule",
    "Verdict",
    "judge",
    "read_rule",
    "rule_document",
]

ASHA, MEDIAN = "ASHA", "Median"
EPOCHS, STEPS = "Epochs", "Steps"
MAX_RUNGS = 20
"""Rungs that a trial may have: more would be more series than anybody looks at."""


@dataclass(frozen=True, slots=True)
class StoppingRule:
    """What `spec.earlyStopping` says."""

    algorithm: str
    """ASHA or Median."""
    resource: str = EPOCHS
    """Epochs or Steps: what rungs are counted in."""
    minimum: int = 1
    """The first rung."""
    eta: int = 3
    """Each rung is so many times the one before."""
    min_trials: int = 3
    """Nothing is stopped at a rung that fewer trials have reached."""

    def rungs(self, end: float = math.inf) -> tuple[int, ...]:
        """The rungs below an end, ascending."""
        all_rungs = (self.minimum * self.eta**k for k in range(MAX_RUNGS))
        return tuple(rung for rung in all_rungs if rung < end)

    def passed(self, before: int, now: int) -> tuple[int, ...]:
        """The rungs that are reached by going from one amount of training to another."""
        return tuple(rung for rung in self.rungs(now + 1) if rung > before)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided of a trial at a rung."""

    rung: int
    stops: bool
    reason: str
    """The same in words."""


def judge(
    rule: StoppingRule, rung: int, own: Rungs, others: Iterable[Rungs], ended: RungScores
) -> Verdict:
    """Decide one trial at one rung.

    Args:
        rule: of the job.
        rung: that the trial has reached.
        own: its rungs.
        others: those of the other trials that still train.
        ended: those of all trials with an outcome.
    """
    there = [rungs for rungs in others if rung in rungs]
    count = 1 + len(there) + ended.count(rung)
    if count < rule.min_trials:
        words = f"{count} trials have reached it, and {rule.min_trials} must"
        return Verdict(rung, stops=False, reason=_said(rule, rung, words))
    decide = _median if rule.algorithm == MEDIAN else _asha
    return decide(rule, rung, own, there, ended)


def _asha(
    rule: StoppingRule, rung: int, own: Rungs, there: Sequence[Rungs], ended: RungScores
) -> Verdict:
    score, count = worst_if_nan(own[rung]), 1 + len(there) + ended.count(rung)
    better = sum(worst_if_nan(rungs[rung]) < score for rungs in there) + ended.better(rung, score)
    kept = max(1, count // rule.eta)
    words = f"place {better + 1} of {count}, of which the best {kept} go on"
    return Verdict(rung, stops=better >= kept, reason=_said(rule, rung, words))


def _median(
    rule: StoppingRule, rung: int, own: Rungs, there: Sequence[Rungs], ended: RungScores
) -> Verdict:
    running = [m for rungs in there if math.isfinite(m := mean_up_to(rung, rungs))]
    recorded = ended.means(rung)
    count = len(running) + len(recorded)
    if not count:
        words = "there is nothing to compare to"
        return Verdict(rung, stops=False, reason=_said(rule, rung, words))
    best, middle = best_up_to(rung, own), median_with(recorded, running)
    side = "worse" if best > middle else "no worse"
    words = f"its best is {side} than the median of {count} others"
    return Verdict(rung, stops=best > middle, reason=_said(rule, rung, words))


def _said(rule: StoppingRule, rung: int, words: str) -> str:
    unit = rule.resource.lower().removesuffix("s" if rung == 1 else "")
    return f"{rule.algorithm} at {rung} {unit}: {words}"


def rule_document(rule: StoppingRule) -> dict[str, Any]:
    """The rule as it stands in an assignment file."""
    return {
        "algorithm": rule.algorithm,
        "resource": rule.resource,
        "minimum": rule.minimum,
        "eta": rule.eta,
        "minTrials": rule.min_trials,
    }


def read_rule(item: Entries) -> StoppingRule:
    """The rule of an assignment file.

    Raises:
        AssignmentsError: if it is none.
    """
    algorithm, resource = item.text("algorithm"), item.text("resource")
    if algorithm not in {ASHA, MEDIAN}:
        raise AssignmentsError(f"'algorithm' is {algorithm[:80]!r}, allowed: {ASHA}, {MEDIAN}")
    if resource not in {EPOCHS, STEPS}:
        raise AssignmentsError(f"'resource' is {resource[:80]!r}, allowed: {EPOCHS}, {STEPS}")
    return StoppingRule(
        algorithm,
        resource,
        minimum=item.whole("minimum", minimum=1),
        eta=item.whole("eta", minimum=2),
        min_trials=item.whole("minTrials", minimum=1),
    )
