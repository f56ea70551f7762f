"""The pods of running jobs as the watch last showed them; what ended is kept until it is read.

Only what a pod says is taken from here. That a pod is *not* here means nothing, since the watch
may lag: whoever needs that asks the API server.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from winnow_operator.domain.pods import TRIAL, PodFact
from winnow_operator.metrics.gpu_time import GpuTime
from winnow_operator.reconcile.queue import Key


@dataclass(slots=True)
class PodBook:
    """Facts by job and pod."""

    gpu_time: GpuTime = field(default_factory=GpuTime)
    """Told of each pod, to count how long it holds its GPUs."""
    _pods: dict[Key, dict[str, PodFact]] = field(default_factory=dict)
    _dropped: dict[Key, set[str]] = field(default_factory=dict)
    """Uids of pods that are done with and still to be deleted: what comes of them is no news."""

    def put(self, pod: PodFact) -> bool:
        """Note a pod; True if something changed that a reconcile should look at."""
        if pod.uid in self._dropped.get(_key(pod), ()):
            return False
        pods = self._pods.setdefault(_key(pod), {})
        old = pods.get(pod.uid)
        if old is not None and old.is_terminal and not pod.is_terminal:
            return False  # a late event: what has ended does not run again
        self.gpu_time.see(pod, old)
        pods[pod.uid] = pod
        return old is None or _essence(old) != _essence(pod)

    def remove(self, pod: PodFact) -> bool:
        """Note that a pod is gone; True if a reconcile should look at that.

        One that ended stays until its result is recorded.
        """
        self.gpu_time.gone(pod, self._pods.get(_key(pod), {}).get(pod.uid))
        dropped = self._dropped.get(_key(pod), set())
        if pod.uid in dropped:
            dropped.discard(pod.uid)
            return False
        pods = self._pods.setdefault(_key(pod), {})
        last = pod if pod.is_terminal else pods.get(pod.uid, pod)
        if last.is_terminal:
            pods[pod.uid] = replace(last, deleting=True)
        else:
            pods.pop(pod.uid, None)
        self._tidy(_key(pod))
        return True

    def pods(self, key: Key, uid: str, *, component: str = TRIAL) -> list[PodFact]:
        """Pods of the job with this uid; those of a deleted namesake never count."""
        own = (p for p in self._pods.get(key, {}).values() if p.job_uid == uid)
        return [p for p in own if p.component == component]

    def has_running(self, key: Key) -> bool:
        """Whether a pod of a job still runs, or is to."""
        return any(pod.is_running for pod in self._pods.get(key, {}).values())

    def has(self, pod: PodFact) -> bool:
        """Whether this pod was seen before."""
        return pod.uid in self._pods.get(_key(pod), ())

    def jobs(self) -> list[Key]:
        """Jobs that have pods here."""
        return list(self._pods)

    def live(self, key: Key) -> set[str]:
        """Uids of a job's pods that have not ended."""
        return {p.uid for p in self._pods.get(key, {}).values() if not p.is_terminal}

    def confirm(self, key: Key, asked: Iterable[str], found: Iterable[PodFact]) -> bool:
        """Compare the pods that were live when the API server was asked with what it has said.

        True if the watch had missed something.
        """
        found = list(found)
        changed = [pod for pod in found if self.put(pod)]
        pods = self._pods.get(key, {})
        gone = set(asked) - {pod.uid for pod in found}
        lost = [uid for uid in gone if uid in pods and not pods[uid].is_terminal]
        for uid in lost:
            last = pods.pop(uid)
            self.gpu_time.gone(last, last)
        self._tidy(key)
        return bool(changed or lost)

    def drop(self, key: Key, batch_uids: set[str]) -> None:
        """Forget the pods of batches that are over."""
        pods = self._pods.get(key, {})
        done = {p.uid for p in pods.values() if p.batch_uid in batch_uids}
        self._dropped.setdefault(key, set()).update(done)
        for uid in done:
            del pods[uid]
        self._tidy(key)

    def forget(self, key: Key) -> None:
        """Forget all pods of a job."""
        for pod in self._pods.pop(key, {}).values():
            self.gpu_time.gone(pod, pod)
        self._dropped.pop(key, None)

    def _tidy(self, key: Key) -> None:
        if not self._pods.get(key, True):
            del self._pods[key]


def _key(pod: PodFact) -> Key:
    return Key(pod.namespace, pod.job, pod.kind)


def _essence(pod: PodFact) -> tuple[object, ...]:
    image = bool(pod.image)
    ended = (pod.termination, pod.containers_ended)
    return (pod.phase, *ended, pod.deleting, pod.disrupted, pod.blockage, image)
