"""What a running search does next with its pods: pure decisions over batches and slots.

A slot is one pod of `budget.parallelism`. Slots go to the batches in the order in which they
were made; what is left over is filled with trials that must run again, then with new ones.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from winnow_operator.domain.batches import BatchFact
from winnow_operator.domain.kinds import batch_number
from winnow_operator.domain.pods import PodFact
from winnow_operator.domain.searches.fold_parts import whole_trials
from winnow_operator.domain.searches.outcomes import (
    PodVerdict,
    Settlement,
    TrialContext,
    judge_orphan,
    judge_pod,
    result_of,
)

SWEEP_AT = 20
"""Finished batches that may lie around before they are removed in one call."""
SWEEP_PODS = 500
"""The same by the pods that they hold: large batches are few, and each look goes through all pods."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the pods and batches say about the trials, before anything is written."""

    settlements: tuple[Settlement, ...] = ()
    released: frozenset[int] = frozenset()


def read_results(
    pods: Collection[PodFact],
    batches: Collection[BatchFact],
    active: frozenset[int],
    context: TrialContext,
) -> Reading:
    """All outcomes that the ended pods give, and the trials that they let go of.

    A pod that is done gives what it says before it has ended, and lets go of nothing.
    """
    known, newest = {batch.uid: batch for batch in batches}, newest_batches(batches)
    latest = _latest_pods(pods)
    open_trials, verdicts = active, list[PodVerdict]()
    for pod in sorted((p for p in pods if not p.is_running), key=_newest_first):
        batch = known.get(pod.batch_uid)
        if batch is None:
            verdict = judge_orphan(pod, open_trials, context)
        else:
            verdict = judge_pod(
                pod,
                batch,
                open_trials,
                context,
                is_latest=pod.is_terminal and latest[(pod.batch_uid, pod.index)] <= _age(pod),
                moved=frozenset(n for n in batch.trials_of(pod.index) if newest[n] != batch.number),
            )
        open_trials -= {s.number for s in verdict.settlements}
        verdicts.append(verdict)
    ended = [p for p in pods if not p.is_running]
    whole = whole_trials(ended, known, open_trials, context, result_of)
    open_trials -= {s.number for s in whole}
    settled = (*(s for v in verdicts for s in v.settlements), *whole)
    return Reading(
        settlements=tuple(sorted(settled, key=lambda s: s.number)),
        released=frozenset(n for v in verdicts for n in v.released) & open_trials,
    )


def newest_batches(batches: Iterable[BatchFact]) -> dict[int, int]:
    """The number of the latest batch of each trial: the one that runs it, if any does."""
    newest: dict[int, int] = {}
    for batch in batches:
        for number in batch.trials:
            newest[number] = max(newest.get(number, 0), batch.number)
    return newest


def _newest_first(pod: PodFact) -> tuple[int, int, int, str]:
    return (-batch_number(pod.batch), pod.index, -pod.attempt, pod.created)


def _age(pod: PodFact) -> tuple[int, str]:
    # A pod that a Job removed because its parallelism fell counts as no attempt.
    return (pod.attempt, pod.created)


def _latest_pods(pods: Iterable[PodFact]) -> dict[tuple[str, int], tuple[int, str]]:
    latest: dict[tuple[str, int], tuple[int, str]] = {}
    for pod in pods:
        key = (pod.batch_uid, pod.index)
        latest[key] = max(latest.get(key, (0, "")), _age(pod))
    return latest


def lost_indexes(
    batches: Collection[BatchFact], pods: Iterable[PodFact], active: frozenset[int]
) -> list[tuple[BatchFact, int]]:
    """Indexes that a Job counts as ended although no known pod of theirs has ended in that way.

    Their pods are gone, or the watch has not brought them yet: the caller must look. Only
    indexes with trials that have no outcome, and that no later batch runs, are told.
    """
    newest = newest_batches(batches)
    ended = {(p.batch_uid, p.index, p.phase) for p in pods if p.is_terminal}
    counted = (
        (batch, index, phase)
        for batch in batches
        for indexes, phase in ((batch.completed, "Succeeded"), (batch.failed, "Failed"))
        for index in sorted(indexes)
    )
    return [
        (batch, index)
        for batch, index, phase in counted
        if (batch.uid, index, phase) not in ended
        and any(n in active and newest[n] == batch.number for n in batch.trials_of(index))
    ]


@dataclass(frozen=True, slots=True)
class Slots:
    """How the pods of the budget are spread over the batches."""

    parallelism: dict[str, int] = field(default_factory=dict)
    """New parallelism of batches that must change, by name."""
    resume: tuple[str, ...] = ()
    """Batches that someone suspended by hand."""
    free: int = 0
    """Pods that may be started beside them."""
    unassigned: tuple[int, ...] = ()
    """Active trials that no live batch will run: they run again in a new one."""


def open_indexes(batch: BatchFact, active: frozenset[int]) -> list[int]:
    """Indexes of a live batch that still run or wait for an outcome."""
    if not batch.is_live:
        return []
    return [i for i in batch.open_indexes() if any(n in active for n in batch.trials_of(i))]


def spread_slots(
    batches: Iterable[BatchFact], active: frozenset[int], *, limit: int, lingering: int = 0
) -> Slots:
    """Give slots to batches in the order in which they were made.

    Args:
        batches: all batches of the job.
        active: trials without an outcome that no ended pod has let go of, so that the slots of
            ended pods are free before the Job controller has counted them.
        limit: `budget.parallelism`.
        lingering: pods without open trials that still hold a slot.
    """
    free, changes, resume, assigned = limit, dict[str, int](), list[str](), set[int]()
    for batch in sorted(batches, key=lambda b: b.number):
        waiting = open_indexes(batch, active)
        assigned.update(n for i in waiting for n in batch.trials_of(i))
        wanted = min(len(waiting), free)
        free -= wanted
        if waiting and _must_change(batch, wanted, len(waiting)):
            changes[batch.name] = wanted
        if waiting and batch.suspended and not batch.queued:
            resume.append(batch.name)
    unassigned = tuple(sorted(active - assigned))
    return Slots(changes, tuple(resume), max(0, free - lingering), unassigned)


def lingering_pods(
    pods: Iterable[PodFact], batches: Iterable[BatchFact], active: frozenset[int]
) -> int:
    """How many pods are done, all their trials have an outcome, and they have not ended yet.

    The scheduler and quotas count them until then.
    """
    known = {batch.uid: batch for batch in batches}
    held = (p for p in pods if p.is_done and not p.is_terminal and not p.deleting)
    trials = (known[p.batch_uid].trials_of(p.index) for p in held if p.batch_uid in known)
    return sum(1 for numbers in trials if active.isdisjoint(numbers))


def _must_change(batch: BatchFact, wanted: int, waiting: int) -> bool:
    # A draining batch keeps its number: with nothing left to start, a lower one changes nothing.
    return batch.parallelism < wanted or wanted < min(batch.parallelism, waiting)


def spent_batches(
    pods: Collection[PodFact], batches: Iterable[BatchFact], active: frozenset[int]
) -> list[BatchFact]:
    """Live batches that run pods although all their trials have an outcome.

    A Job starts the index of a trial that ran out of memory again, and cannot be told not to.
    """
    return [
        batch
        for batch in batches
        if batch.is_live
        and not any(n in active for n in batch.trials)
        and any(pod.batch_uid == batch.uid and pod.goes_on for pod in pods)
    ]


def surplus_pods(
    pods: Collection[PodFact], batches: Iterable[BatchFact], active: frozenset[int]
) -> list[PodFact]:
    """Pods that run although all their trials have an outcome, while others of the batch do not."""
    mixed = {b.uid: b for b in batches if any(n in active for n in b.trials)}
    return [
        pod
        for pod in pods
        if pod.batch_uid in mixed
        and pod.goes_on
        and not any(n in active for n in mixed[pod.batch_uid].trials_of(pod.index))
    ]


def swept_batches(batches: Collection[BatchFact], active: frozenset[int]) -> list[BatchFact]:
    """Finished batches whose trials all have an outcome, once there are many of them."""
    done = [
        b
        for b in batches
        if b.finished and not b.deleting and not any(n in active for n in b.trials)
    ]
    pods = sum(len(batch.indexes) for batch in done)
    return done if len(done) >= SWEEP_AT or pods >= SWEEP_PODS else []
