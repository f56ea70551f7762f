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
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

from winnow_contract.documents import Entries
from winnow_contract.errors import AssignmentsError

__all__ = [
    "ASHA",
    "EPOCHS",
    "MEDIAN",
    "STEPS",
    "Rungs",
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

Rungs = Mapping[int, float]
"""The score of a trial at each rung that it has reached; lower is better, and NaN is the worst."""


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


def judge(rule: StoppingRule, rung: int, trial: int, known: Mapping[int, Rungs]) -> Verdict:
    """Decide one trial at one rung.

    Args:
        rule: of the job.
        rung: that the trial has reached.
        trial: its number.
        known: by number, the rungs of all trials, the trial's own too.
    """
    there = {number: rungs for number, rungs in known.items() if rung in rungs}
    if len(there) < rule.min_trials:
        words = f"{len(there)} trials have reached it, and {rule.min_trials} must"
        return Verdict(rung, stops=False, reason=_said(rule, rung, words))
    decide = _median if rule.algorithm == MEDIAN else _asha
    return decide(rule, rung, trial, there)


def _asha(rule: StoppingRule, rung: int, trial: int, there: Mapping[int, Rungs]) -> Verdict:
    own = _worst_if_nan(there[trial][rung])
    better = sum(_worst_if_nan(rungs[rung]) < own for rungs in there.values())
    kept = max(1, len(there) // rule.eta)
    words = f"place {better + 1} of {len(there)}, of which the best {kept} go on"
    return Verdict(rung, stops=better >= kept, reason=_said(rule, rung, words))


def _median(rule: StoppingRule, rung: int, trial: int, there: Mapping[int, Rungs]) -> Verdict:
    means = (_mean_up_to(rung, rungs) for number, rungs in there.items() if number != trial)
    finite = [mean for mean in means if math.isfinite(mean)]
    own = min(_worst_if_nan(score) for at, score in there[trial].items() if at <= rung)
    if not finite:
        return Verdict(
            rung, stops=False, reason=_said(rule, rung, "there is nothing to compare to")
        )
    middle = median(finite)
    side = "worse" if own > middle else "no worse"
    words = f"its best is {side} than the median of {len(finite)} others"
    return Verdict(rung, stops=own > middle, reason=_said(rule, rung, words))


def _mean_up_to(rung: int, rungs: Rungs) -> float:
    return fmean(score for at, score in rungs.items() if at <= rung)


def _worst_if_nan(score: float) -> float:
    return math.inf if math.isnan(score) else score


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
