"""The rungs that the trials of one pod have reached, and which trials that ends.

Where a pod runs several trials one after the other, each is compared with those before it here,
without any network. Where it runs one, the rungs are only noted: the operator compares pods.

Of one pod, a verdict does not depend on the attempt: those before a trial are those of lower numbers,
even where an attempt before has committed later ones, and only what a manifest can hold of them counts.
Trials that come into another batch have other trials before them there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from winnow_contract.manifests import RUNGS
from winnow_contract.results import TrialResult, is_reportable
from winnow_contract.rungscores import RungScores
from winnow_contract.stopping import StoppingRule, Verdict, judge

__all__ = ["DEADLINE_EXCEEDED", "EARLY_STOPPING", "OUT_OF_TIME", "RungBook", "TrialStopped"]

EARLY_STOPPING = "EarlyStopping"
"""Cause of trials that the job's rule has stopped."""
DEADLINE_EXCEEDED = "DeadlineExceeded"
OUT_OF_TIME = "it ran longer than budget.maxTrialDuration allows"
MINIMIZE = "Minimize"


class TrialStopped(BaseException):
    """This trial is ended by a rule; the others of the pod go on.

    Not an Exception: what handles failures must not swallow it.
    """

    def __init__(self, cause: str, reason: str) -> None:
        super().__init__(reason)
        self.cause = cause
        """One CamelCase word."""


class RungBook:
    """Values at rungs, by trial, as they were measured."""

    def __init__(self, rule: StoppingRule | None, goal: str, *, decides: bool) -> None:
        self.rule = rule
        self._sign = 1.0 if goal == MINIMIZE else -1.0
        self._decides = decides
        self._values: dict[int, dict[int, float]] = {}
        self._at: dict[int, int] = {}

    def begin(self, trial: int) -> None:
        """A trial begins: what it has reached before, in an attempt that failed, does not count."""
        self._values.pop(trial, None)
        self._at.pop(trial, None)

    def take(self, trial: int, values: Mapping[int, float]) -> None:
        """Take over what an earlier attempt has committed of a trial."""
        self._values[trial] = dict(values)

    def values(self, trial: int) -> dict[int, float]:
        """What can be reported of a trial, ascending."""
        found = self._values.get(trial, {})
        return {rung: value for rung, value in sorted(found.items()) if is_reportable(value)}

    def entry(self, trial: int) -> dict[str, dict[str, float]]:
        """What stands in a trial's manifest, so that a later attempt can take it over."""
        values = self.values(trial)
        return {RUNGS: {str(rung): value for rung, value in values.items()}} if values else {}

    def reach(
        self, trial: int, now: int, value: float, end: float = math.inf
    ) -> tuple[tuple[int, ...], Verdict | None]:
        """Note how far a trial is; gives the rungs that are new, and what stops it, if anything.

        Args:
            trial: its number.
            now: epochs or steps so far.
            value: the objective, as it is measured.
            end: epochs or steps at which it ends by itself.
        """
        if self.rule is None:
            return (), None
        fresh = [n for n in self.rule.passed(self._at.get(trial, 0), now) if n < end]
        self._at[trial] = max(now, self._at.get(trial, 0))
        self._values.setdefault(trial, {}).update(dict.fromkeys(fresh, value))
        if not self._decides:
            return tuple(fresh), None
        own = self._scores(self._values[trial])
        others = [self._scores(self.values(n)) for n in self._values if n < trial]
        verdicts = (judge(self.rule, rung, own, others, RungScores()) for rung in fresh)
        return tuple(fresh), next((verdict for verdict in verdicts if verdict.stops), None)

    def _scores(self, values: Mapping[int, float]) -> dict[int, float]:
        return {rung: self._sign * value for rung, value in values.items()}

    def stopped(self, trial: int, why: TrialStopped) -> TrialResult:
        """The result of a trial that a rule has ended: its value at the last rung."""
        values = self.values(trial)
        return TrialResult(
            trial,
            "Stopped",
            objective=values[max(values)] if values else None,
            rungs=values,
            cause=why.cause,
            message=str(why),
        )
