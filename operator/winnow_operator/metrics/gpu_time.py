"""How long pods have held GPUs, by their own start and end times.

A replica counts what it sees: a pod that already runs when it begins to lead counts from then on,
so that two replicas never count the same second, and the sum over all of them is what was held.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from winnow_operator.clock import Clock, SystemClock
from winnow_operator.domain.blockages import parse_time
from winnow_operator.domain.kinds import Kind
from winnow_operator.domain.pods import PodFact

MAX_JOBS = 5000
"""Jobs whose time is kept apart; of more, the one that was met first is dropped."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A pod that holds GPUs now."""

    kind: Kind
    job_uid: str
    gpus: int
    since: datetime

    def seconds(self, until: datetime) -> float:
        """GPU seconds up to a moment; clocks of nodes may differ, time never runs backwards."""
        return self.gpus * max(0.0, (until - self.since).total_seconds())


@dataclass(slots=True)
class GpuTime:
    """GPU seconds of pods that run, and of those that have ended."""

    clock: Clock = field(default_factory=SystemClock)
    _held: dict[str, Hold] = field(default_factory=dict)
    """By the pod's uid."""
    _by_kind: dict[Kind, float] = field(default_factory=dict)
    """Of pods that have ended."""
    _by_job: dict[str, float] = field(default_factory=dict)
    """The same by the job's uid."""

    def see(self, pod: PodFact, before: PodFact | None) -> None:
        """Note a pod, and what was known of it before."""
        if not pod.gpus or (before is not None and before.is_terminal):
            return
        if pod.uid not in self._held and not self._begin(pod, before):
            return
        if pod.is_terminal:
            self._end(pod)

    def _begin(self, pod: PodFact, before: PodFact | None) -> bool:
        """Whether it has begun to hold its GPUs while this replica looks on."""
        if not pod.started or (before is None and pod.is_terminal):
            return False
        since = self.clock.now() if before is None else parse_time(pod.started)
        self._held[pod.uid] = Hold(pod.kind, pod.job_uid, pod.gpus, since)
        return True

    def gone(self, pod: PodFact, before: PodFact | None) -> None:
        """Note a pod as it was when it went, and what was known of it before."""
        self.see(pod, before)
        if pod.uid in self._held:
            self._end(pod)

    def _end(self, pod: PodFact) -> None:
        hold = self._held.pop(pod.uid)
        seconds = hold.seconds(parse_time(pod.ended) if pod.ended else self.clock.now())
        self._by_kind[hold.kind] = self._by_kind.get(hold.kind, 0.0) + seconds
        self._by_job[hold.job_uid] = self._by_job.get(hold.job_uid, 0.0) + seconds
        if len(self._by_job) > MAX_JOBS:
            del self._by_job[next(iter(self._by_job))]

    def seconds_of(self, kind: Kind) -> float:
        """GPU seconds of all jobs of a kind until now."""
        return self._by_kind.get(kind, 0.0) + self._running(lambda hold: hold.kind is kind)

    def seconds_of_job(self, uid: str) -> float:
        """GPU seconds of one job until now."""
        return self._by_job.get(uid, 0.0) + self._running(lambda hold: hold.job_uid == uid)

    def _running(self, counts: Callable[[Hold], bool]) -> float:
        now = self.clock.now()
        return sum(hold.seconds(now) for hold in self._held.values() if counts(hold))
