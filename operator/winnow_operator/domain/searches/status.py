"""The status of a SearchJob as one pure function of what is observed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from winnow_contract.results import is_reportable
from winnow_operator.api.conditions import ConditionType, Reason
from winnow_operator.api.fields import decimal_text
from winnow_operator.api.searchjob import (
    ChosenAlgorithm,
    FinalistStanding,
    Goal,
    Importance,
    LearnedBatch,
    LiveTrial,
    ParetoTrial,
    SearchJobSpec,
    SearchJobStatus,
    TrialCounts,
    WarmSource,
    Winner,
)
from winnow_operator.api.trial import Outcome
from winnow_operator.domain.blockages import format_time
from winnow_operator.domain.job_conditions import (
    JobSituation,
    OpenVerdict,
    condition_of,
    make_conditions,
    progress_of,
    state_of,
    suspended_seconds,
)
from winnow_operator.domain.kinds import Kind, trial_number
from winnow_operator.domain.ledger import Ledger
from winnow_operator.domain.searches.early_stopping import show_passed
from winnow_operator.domain.searches.finals import final_plan, leading
from winnow_operator.domain.searches.metrics_condition import Listening, metrics_verdict
from winnow_operator.domain.searches.standings import Standing


@dataclass(frozen=True, slots=True)
class Situation(JobSituation):
    """What the status of a SearchJob is made from."""

    spec: SearchJobSpec
    previous: SearchJobStatus
    name: str = ""
    """Of the job: only its own trials are shown, whatever a trainer calls them."""
    winner: Winner | None = None
    pareto: tuple[ParetoTrial, ...] = ()
    algorithm: ChosenAlgorithm | None = None
    warm_start: tuple[WarmSource, ...] = ()
    finalists: tuple[FinalistStanding, ...] = ()
    importances: tuple[Importance, ...] = ()
    learning: tuple[LearnedBatch, ...] = ()
    listening: Listening = field(default_factory=Listening)
    passed: Mapping[int, int] = field(default_factory=dict)
    """The last rung at which early stopping has let a trial go on, by number."""


def make_status(situation: Situation) -> SearchJobStatus:
    """The whole status that the situation calls for."""
    now, previous, ending = situation.now, situation.previous, situation.ending
    return SearchJobStatus(
        observed_generation=situation.generation,
        conditions=make_conditions(situation, {**_margin(situation), **_metrics(situation)}),
        state=state_of(situation),
        progress=progress_of(situation),
        trials=counts_of(situation.ledger),
        active_pods=0 if ending or situation.spec.suspend else situation.active_pods,
        metric=situation.spec.objectives[0].metric,
        best_value=_best_value(situation),
        live=None if ending else _live(situation),
        rungs=() if ending else show_passed(situation.passed, situation.ledger.active),
        pareto_size=len(situation.ledger.front) if situation.ledger.objectives else None,
        pareto=situation.pareto,
        algorithm=situation.algorithm,
        warm_start=situation.warm_start,
        finalists=situation.finalists,
        importances=situation.importances,
        learning=situation.learning,
        winner=situation.winner,
        start_time=situation.started,
        completion_time=format_time(now) if ending else None,
        suspended_seconds=suspended_seconds(previous, spec=situation.spec, now=now),
        trainer_image=situation.image,
        pod_template_hash=situation.template_hash,
    )


def _metrics(situation: Situation) -> dict[ConditionType, OpenVerdict]:
    before = condition_of(situation.previous, ConditionType.METRICS_AVAILABLE)
    verdict = metrics_verdict(situation.listening, before)
    return {ConditionType.METRICS_AVAILABLE: verdict}


def _live(situation: Situation) -> LiveTrial | None:
    """The best of the trials that run; none that has an outcome by now."""
    heard = situation.listening.heard
    best = None if heard is None else heard.best
    if best is None or not is_reportable(best.value):
        return None
    number = trial_number(best.trial)
    is_own = best.trial == Kind.SEARCH.trial_name(situation.name, number)
    if not is_own or number not in situation.ledger.searching:
        return None
    return LiveTrial(trial=best.trial, value=decimal_text(best.value), step=best.step)


def _margin(situation: Situation) -> dict[ConditionType, OpenVerdict]:
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


def _best_value(situation: Situation) -> str | None:
    """The winner's value for the first objective, as things are."""
    best = leading(situation.ledger, final_plan(situation.spec))
    return None if best is None else next(iter(values_of(best, situation.spec)), None)


def values_of(standing: Standing, spec: SearchJobSpec) -> tuple[str, ...]:
    """The value of each objective, as it was measured."""
    score = standing.score
    if score is None:
        return tuple(map(decimal_text, standing.values[: len(spec.objectives)]))
    return (decimal_text(score if spec.objectives[0].goal is Goal.MINIMIZE else -score),)


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
