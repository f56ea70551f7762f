"""The status of a CompressionJob as pure functions of what is observed and recorded.

The choice follows from the recorded Trials and the goals alone, so that it is made again, without
a pod, where goals are edited on a job that has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from winnow_contract.choosing.recorded import as_candidate, choose_recorded
from winnow_contract.choosing.selection import Choice
from winnow_operator.api.compressionjob import CompressionJobSpec
from winnow_operator.api.compressionjob_status import (
    CandidateStatus,
    ClosestCandidate,
    CompressionJobStatus,
    SourceStatus,
)
from winnow_operator.api.conditions import ConditionType, Reason
from winnow_operator.api.trial import TrialStatus
from winnow_operator.domain.blockages import format_time
from winnow_operator.domain.compressions.chains import goals_of, prefer_of
from winnow_operator.domain.compressions.choosing import (
    measured_of,
    ratios_of,
    shown_keys,
    size_shown,
    speed_key,
    speedup_shown,
)
from winnow_operator.domain.compressions.rounds import BASELINE_NUMBER
from winnow_operator.domain.job_conditions import (
    JobSituation,
    Verdict,
    condition,
    condition_of,
    make_conditions,
    progress_of,
    state_of,
    suspended_seconds,
)
from winnow_operator.domain.ledger import Ledger, TrialRecord
from winnow_operator.domain.searches.endings import Ending
from winnow_operator.domain.searches.status import counts_of

MAX_REASON = 1024
MAX_CLOSEST = 512


@dataclass(frozen=True, slots=True)
class Chosen:
    """A choice with the Trials that it speaks of."""

    choice: Choice
    baseline: CandidateStatus
    selected: CandidateStatus
    closest: ClosestCandidate | None
    speedup: str | None
    size: str | None

    def selected_value(self, metric: str) -> str | None:
        """Value of the first quality metric of the selected candidate."""
        return next((v.value for v in self.selected.values if v.metric == metric), None)

    @property
    def verdict(self) -> Verdict:
        """Whether the goals are met, as a condition says it; if not, with what is missed."""
        if self.choice.goals_met:
            words = f"{self.choice.name} meets all goals; status.selected.reason says why it is selected"
            return True, Reason.GOALS_MET, words
        return False, Reason.GOALS_NOT_MET, self.choice.reason


@dataclass(frozen=True, slots=True)
class CompressionSituation(JobSituation):
    """What the status of a CompressionJob is made from."""

    spec: CompressionJobSpec
    previous: CompressionJobStatus
    source: SourceStatus | None = None
    metric: str | None = None
    server_image: str | None = None
    artifacts_uri: str = ""
    chosen: Chosen | None = None
    """Once it has ended."""


def make_compression_status(situation: CompressionSituation) -> CompressionJobStatus:
    """The whole status that the situation calls for."""
    now, previous, ending = situation.now, situation.previous, situation.ending
    chosen, rounds = situation.chosen, measured_rounds(situation.ledger)
    goals = (
        (False, Reason.NOT_CHOSEN, "nothing is chosen yet") if chosen is None else chosen.verdict
    )
    status = CompressionJobStatus(
        observed_generation=situation.generation,
        conditions=make_conditions(situation, {ConditionType.GOALS_MET: goals}),
        state=state_of(situation),
        progress=progress_of(situation),
        trials=counts_of(situation.ledger),
        rounds=rounds,
        active_pods=0 if ending or situation.spec.suspend else situation.active_pods,
        source=situation.source,
        report=f"{situation.artifacts_uri}/report/{rounds}" if rounds else None,
        metric=situation.metric,
        start_time=situation.started,
        completion_time=format_time(now) if ending else None,
        suspended_seconds=suspended_seconds(previous, spec=situation.spec, now=now),
        trainer_image=situation.image,
        server_image=situation.server_image,
        pod_template_hash=situation.template_hash,
    )
    return status if chosen is None else _with_choice(status, chosen, situation.generation)


def _with_choice(
    status: CompressionJobStatus, chosen: Chosen, generation: int
) -> CompressionJobStatus:
    return status.model_copy(
        update={
            "baseline": chosen.baseline,
            "selected": chosen.selected,
            "closest": chosen.closest,
            "goals_generation": generation,
            "selected_value": chosen.selected_value(status.metric or ""),
            "speedup": chosen.speedup,
            "size": chosen.size,
        }
    )


def measured_rounds(ledger: Ledger) -> int:
    """The last round with recorded measurements; 0 if there is none."""
    numbers = (r.status.round or 0 for r in ledger.records.values() if r.status is not None)
    return max(numbers, default=0)


def is_urgent_change(old: CompressionJobStatus, new: CompressionJobStatus) -> bool:
    """Whether a status must be written at once rather than with the next progress write."""
    return _essence(old) != _essence(new)


def _essence(status: CompressionJobStatus) -> object:
    return (
        status.observed_generation,
        tuple((c.type, c.status, c.reason) for c in status.conditions),
        status.state,
        status.source,
        status.rounds,
        status.start_time,
        status.completion_time is not None,
        status.trainer_image,
        status.server_image,
        status.pod_template_hash,
        status.suspended_seconds,
    )


def choose_from(
    spec: CompressionJobSpec, ledger: Ledger, trial_name: Callable[[int], str]
) -> Chosen | None:
    """The choice among what is recorded; None while no baseline was measured.

    Raises:
        GoalError: if goals or prefer cannot be used.
    """
    goals, prefer = goals_of(spec), prefer_of(spec)
    measured = measured_of(ledger)
    baseline = measured.pop(BASELINE_NUMBER, None)
    if baseline is None:
        return None
    choice = choose_recorded(baseline, measured.values(), goals=goals, prefer=prefer)
    selected = as_candidate(measured.get(choice.number, baseline), baseline)
    speed = speed_key(goals, prefer, spec.measurement.batch_sizes[0])
    keys = shown_keys(goals, prefer, speed)
    shown = _Shown(trial_name)
    why = {"ratios": ratios_of(selected, keys), "reason": choice.reason[:MAX_REASON]}
    return Chosen(
        choice=choice,
        baseline=shown.candidate(ledger.records[BASELINE_NUMBER], shown_keys((), (), speed)),
        selected=shown.candidate(ledger.records[choice.number], keys).model_copy(update=why),
        closest=shown.closest(choice),
        speedup=speedup_shown(selected, speed),
        size=size_shown(selected),
    )


@dataclass(frozen=True, slots=True)
class _Shown:
    """How candidates stand in a status: with few figures, because their Trials have all of them."""

    trial_name: Callable[[int], str]

    def candidate(self, record: TrialRecord, others: Sequence[str]) -> CandidateStatus:
        status = record.status or TrialStatus()
        keys = {*(value.metric for value in status.values[:1]), *others}
        return CandidateStatus(
            trial=self.trial_name(record.number),
            candidate=record.candidate.name if record.candidate else "",
            steps=record.candidate.steps if record.candidate else (),
            values=tuple(value for value in status.values if value.metric in keys),
            test=tuple(value for value in status.test if value.metric in keys),
            artifact=status.artifact,
        )

    def closest(self, choice: Choice) -> ClosestCandidate | None:
        closest = choice.closest
        if closest is None:
            return None
        return ClosestCandidate(
            trial=self.trial_name(closest.number),
            candidate=closest.name,
            metric=closest.failing.goal.key,
            message=closest.failing.sentence[:MAX_CLOSEST],
        )


def chosen_again(
    status: CompressionJobStatus, chosen: Chosen, situation: JobSituation
) -> CompressionJobStatus:
    """The status of a job that has ended, with another choice from the same records."""
    status = _with_goals(status, chosen.verdict, situation)
    return _with_choice(status, chosen, situation.generation)


def not_chosen_again(
    status: CompressionJobStatus, reason: Reason, words: str, situation: JobSituation
) -> CompressionJobStatus:
    """The status of a job that has ended where the edited goals choose nothing.

    What was selected before stays so: something may serve it.
    """
    return _with_goals(status, (False, reason, words), situation)


def _with_goals(
    status: CompressionJobStatus, verdict: Verdict, situation: JobSituation
) -> CompressionJobStatus:
    now, generation = situation.now, situation.generation
    before = condition_of(status, ConditionType.GOALS_MET)
    goals = condition(ConditionType.GOALS_MET, verdict, before, now, generation)
    others = (
        c.model_copy(update={"observed_generation": generation})
        for c in status.conditions
        if c.type != ConditionType.GOALS_MET
    )
    update = {"observed_generation": generation, "conditions": (*others, goals)}
    return status.model_copy(update=update)


def told(ending: Ending, chosen: Chosen | None) -> Ending:
    """The ending as an Event tells it, with the choice; the status has that where it is renewed."""
    if chosen is None:
        return ending
    return replace(ending, message=f"{ending.message}; {chosen.choice.reason}")
