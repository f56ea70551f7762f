"""The status of a SearchJob as one pure function of what is observed."""

from __future__ import annotations

from dataclasses import dataclass

from winnow_operator.api.conditions import ConditionType, Reason
from winnow_operator.api.fields import decimal_text
from winnow_operator.api.searchjob import (
    Goal,
    ParetoTrial,
    SearchJobSpec,
    SearchJobStatus,
    TrialCounts,
    Winner,
)
from winnow_operator.api.trial import Outcome
from winnow_operator.domain.blockages import format_time
from winnow_operator.domain.job_conditions import (
    JobSituation,
    Verdict,
    make_conditions,
    progress_of,
    state_of,
    suspended_seconds,
)
from winnow_operator.domain.ledger import Ledger, TrialRecord
from winnow_operator.domain.winner import best_record


@dataclass(frozen=True, slots=True)
class Situation(JobSituation):
    """What the status of a SearchJob is made from."""

    spec: SearchJobSpec
    previous: SearchJobStatus
    winner: Winner | None = None
    pareto: tuple[ParetoTrial, ...] = ()


def make_status(situation: Situation) -> SearchJobStatus:
    """The whole status that the situation calls for."""
    now, previous, ending = situation.now, situation.previous, situation.ending
    best = best_record(situation.ledger)
    return SearchJobStatus(
        observed_generation=situation.generation,
        conditions=make_conditions(situation, _margin(situation)),
        state=state_of(situation),
        progress=progress_of(situation),
        trials=counts_of(situation.ledger),
        active_pods=0 if ending or situation.spec.suspend else situation.active_pods,
        metric=situation.spec.objectives[0].metric,
        best_value=None if best is None else _value(best, situation.spec),
        pareto_size=len(situation.ledger.front) if situation.ledger.objectives else None,
        pareto=situation.pareto,
        winner=situation.winner,
        start_time=situation.started,
        completion_time=format_time(now) if ending else None,
        suspended_seconds=suspended_seconds(previous, spec=situation.spec, now=now),
        trainer_image=situation.image,
        pod_template_hash=situation.template_hash,
    )


def _margin(situation: Situation) -> dict[ConditionType, Verdict]:
    """A winner whose lead is small makes a search that has ended Degraded."""
    winner = situation.winner
    if situation.degraded or not (winner and winner.warning and situation.ending):
        return {}
    return {ConditionType.DEGRADED: (True, Reason.NARROW_MARGIN, winner.warning)}


def counts_of(ledger: Ledger) -> TrialCounts:
    """How many trials there are of each outcome."""
    return TrialCounts(
        total=len(ledger),
        active=len(ledger.active),
        succeeded=ledger.count(Outcome.SUCCEEDED),
        stopped=ledger.count(Outcome.STOPPED),
        failed=ledger.count(Outcome.FAILED),
    )


def _value(best: TrialRecord, spec: SearchJobSpec) -> str | None:
    score = best.score
    if score is None:
        return decimal_text(best.values[0]) if best.values else None
    return decimal_text(score if spec.objectives[0].goal is Goal.MINIMIZE else -score)


def is_urgent(old: SearchJobStatus, new: SearchJobStatus) -> bool:
    """Whether a status must be written at once rather than with the next progress write."""
    return _essence(old) != _essence(new)


def _essence(status: SearchJobStatus) -> object:
    conditions = tuple((c.type, c.status, c.reason) for c in status.conditions)
    return (
        status.observed_generation,
        conditions,
        status.state,
        status.start_time,
        status.completion_time is not None,
        status.trainer_image,
        status.pod_template_hash,
        status.suspended_seconds,
    )
