"""The Events of a job: one per transition, in words for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from winnow_operator.api.conditions import ConditionType, Reason
from winnow_operator.api.searchjob import Winner
from winnow_operator.domain.blockages import BlockedTrial
from winnow_operator.domain.intervals import format_intervals
from winnow_operator.domain.job_conditions import condition_of
from winnow_operator.domain.jobs import JobStatus
from winnow_operator.domain.pods import Blockage
from winnow_operator.domain.searches.endings import Ending
from winnow_operator.domain.searches.outcomes import Settlement
from winnow_operator.kube.recorder import EventType, Note

MAX_FAILURE_EVENTS = 20
"""Failed trials of one job that get an Event of their own; all of them stand on their Trials."""


def ended(ending: Ending, winner: Winner | None) -> Note:
    """The job has ended."""
    kind = EventType.WARNING if ending.failed else EventType.NORMAL
    words = ending.message
    if winner is not None and winner.values and not ending.failed:
        value = winner.values[0]
        words = f"{words}; winner is {winner.trial} with {value.metric} {value.value}"
    return Note(kind, str(ending.reason), "End", words)


def failed_trial(name: str, settlement: Settlement) -> Note:
    """A trial has failed by its own fault."""
    status = settlement.status
    words = f"trial {name} failed: {status.cause}: {status.message}"
    return Note(EventType.WARNING, "TrialFailed", "Record", words)


def cannot_start(blocked: Iterable[BlockedTrial]) -> list[Note]:
    """Pods cannot start; one Event per cause."""
    causes = {b.blockage.reason: b.blockage for b in blocked}
    return [
        Note(EventType.WARNING, str(reason), "Start", f"pods cannot start: {blockage.message}")
        for reason, blockage in causes.items()
    ]


def refused(refusal: Blockage) -> Note:
    """The API server does not take a batch now: a quota is spent, say."""
    words = f"no batch can be made: {refusal.message}"
    return Note(EventType.WARNING, str(refusal.reason), "Start", words)


def waiting_for_source(blockage: Blockage) -> Note:
    """A compression waits for the winner of a search."""
    return Note(EventType.NORMAL, str(blockage.reason), "Start", blockage.message)


def chosen_again(candidate: str, why: str, generation: int) -> Note:
    """Goals or prefer were edited on a compression that has ended."""
    words = f"generation {generation} of the spec selects {candidate}: {why}"
    return Note(EventType.NORMAL, str(Reason.SELECTED), "Choose", words)


def not_chosen_again(reason: Reason, why: str, generation: int) -> Note:
    """The same, where the edited goals choose nothing."""
    words = f"generation {generation} of the spec chooses nothing: {why}"
    return Note(EventType.WARNING, str(reason), "Choose", words)


def trials_deleted(numbers: Sequence[int]) -> Note:
    """Someone deleted Trials of a running job."""
    words = f"Trials number {format_intervals(numbers)} were deleted; they are made again"
    return Note(EventType.WARNING, "TrialDeleted", "Restore", words)


def batch_lost(name: str) -> Note:
    """Someone deleted a batch's Job."""
    words = f"Job {name} was deleted by someone else; its open trials run again"
    return Note(EventType.WARNING, "BatchDeleted", "Restore", words)


def write_refused(refusal: str) -> Note:
    """The API server accepts nothing of what is to be written, so that no status can say it."""
    words = (
        f"the API server refuses what the operator writes: {refusal}; if the CRDs are of another "
        "release, apply those of this one"
    )
    return Note(EventType.WARNING, "WriteRefused", "Reconcile", words)


def transitions(old: JobStatus, new: JobStatus) -> list[Note]:
    """Events for what a status write changes while the job goes on."""
    made: list[Note] = []
    if old.start_time is None and new.start_time is not None:
        made.append(Note(EventType.NORMAL, "Started", "Start", "the first batch was made"))
    made.extend(_flip(old, new, ConditionType.SUSPENDED, "Suspended", "Resumed"))
    return made


def _flip(old: JobStatus, new: JobStatus, kind: ConditionType, on: str, off: str) -> list[Note]:
    before, after = condition_of(old, kind), condition_of(new, kind)
    if after is None or before is None or before.status == after.status:
        return []
    word = on if after.status == "True" else off
    # The generation makes each flip an Event of its own, and the same one after a restart.
    words = f"{word.lower()} by generation {new.observed_generation} of the spec"
    return [Note(EventType.NORMAL, word, "Reconcile", words)]
