"""Why pods do not start, and whether that stops the whole job."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from winnow_operator.domain.batches import BatchFact
from winnow_operator.domain.pods import Blockage, PodFact, classify_words
from winnow_operator.domain.spreading import share_of

GRACE = timedelta(seconds=5)
"""A pod is often unschedulable or without its volume for a moment; that is no news."""

LOOK_SECONDS = GRACE.total_seconds() + 1.0
LAST_LOOK_SECONDS = 60.0
SHARE_OF_WAIT = 0.1
"""A job is looked at again after this share of the time that it has waited, between these two."""

MAX_ASKED = 20
"""Pods, and batches without one, whose Events are read in one look: each is a call of its own."""


@dataclass(frozen=True, slots=True)
class BlockedTrial:
    """An active trial whose pod cannot start."""

    number: int
    blockage: Blockage


def blocked_trials(
    pods: Collection[PodFact],
    batches: Iterable[BatchFact],
    active: frozenset[int],
    *,
    now: datetime,
) -> list[BlockedTrial]:
    """Active trials whose pods have not been able to start for longer than a moment."""
    known = {batch.uid: batch for batch in batches}
    return [
        BlockedTrial(number, pod.blockage)
        for pod in pods
        if pod.blockage is not None and pod.batch_uid in known and is_old(pod.created, now)
        for number in known[pod.batch_uid].trials_of(pod.index)
        if number in active
    ]


def started_trials(
    pods: Iterable[PodFact], batches: Iterable[BatchFact], wanted: Collection[int]
) -> list[int]:
    """Which of these trials have a pod that runs."""
    known = {batch.uid: batch for batch in batches}
    running = (p for p in pods if p.phase == "Running" and p.batch_uid in known)
    numbers = {n for p in running for n in known[p.batch_uid].trials_of(p.index)}
    return sorted(numbers.intersection(wanted))


def job_blockage(pods: Collection[PodFact], *, now: datetime) -> Blockage | None:
    """Why the job makes no progress: the commonest blockage when no pod runs, else None."""
    if any(pod.phase == "Running" for pod in pods):
        return None
    blocked = [p.blockage for p in pods if p.blockage is not None and is_old(p.created, now)]
    if not blocked:
        return None
    count = {b.reason: sum(1 for other in blocked if other.reason is b.reason) for b in blocked}
    return max(blocked, key=lambda b: count[b.reason])


def podless_batches(
    batches: Iterable[BatchFact],
    pods: Collection[PodFact],
    active: frozenset[int],
    *,
    now: datetime,
) -> list[BatchFact]:
    """Live batches for which the cluster has made no pod for longer than a moment."""
    with_pods = {pod.batch_uid for pod in pods if not pod.is_terminal}
    return [
        b
        for b in batches
        if b.is_live
        and not b.suspended
        and b.parallelism > 0
        and b.uid not in with_pods
        and is_old(b.created, now)
        and any(n in active for i in b.open_indexes() for n in b.trials_of(i))
    ]


def stuck_pods(pods: Iterable[PodFact], *, now: datetime) -> list[PodFact]:
    """Pods that wait without saying why: only their Events tell (a missing volume, say)."""
    return [
        pod
        for pod in pods
        if pod.is_waiting and pod.blockage is None and is_old(pod.created, now, GRACE * 3)
    ]


def next_to_ask(
    pods: Iterable[PodFact], batches: Iterable[BatchFact], told: Collection[int]
) -> list[PodFact]:
    """A few of these pods, those first of whose trials nothing was told yet."""
    known = {batch.uid: batch for batch in batches}

    def is_told(pod: PodFact) -> bool:
        batch = known.get(pod.batch_uid)
        return batch is None or all(n in told for n in batch.trials_of(pod.index))

    return sorted(pods, key=is_told)[:MAX_ASKED]


def blockage_from_words(message: str) -> Blockage:
    """A blockage from the words of an Event."""
    return Blockage(classify_words(message), message)


def seconds_to_look(waited: float, uid: str) -> float:
    """When to look again at a job whose pods do not start, besides their own events.

    Jobs that begin to wait together do not stay together: a thousand that were looked at in one moment
    would hold up each other, and all others.

    Args:
        waited: seconds since something of it has changed.
        uid: of the job; it says by how much, up to a half, looks at it are further apart.
    """
    seconds = min(max(LOOK_SECONDS, SHARE_OF_WAIT * waited), LAST_LOOK_SECONDS)
    return seconds * (1 + share_of(uid) / 2)


def is_old(created: str, now: datetime, age: timedelta = GRACE) -> bool:
    """Whether something was made longer than `age` ago."""
    return bool(created) and now - parse_time(created) >= age


def parse_time(text: str) -> datetime:
    """Time of a Kubernetes timestamp, in UTC."""
    return datetime.fromisoformat(text)


def format_time(moment: datetime) -> str:
    """A Kubernetes timestamp in whole seconds."""
    return moment.replace(microsecond=0).isoformat().replace("+00:00", "Z")
