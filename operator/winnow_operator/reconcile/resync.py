"""Looks past the watch now and then, so that an event that was lost delays a job, never stops it.

    list all jobs and servers -> put those on the queue that go on, or that the watch has not shown
    list the pods of running jobs -> forget those that went while nobody looked

kopf reconnects a silent stream by itself. A watch that is deaf in some way that kopf does not see
is found here: if it does not show a job for GRACE_SECONDS that a list has shown, the health check
fails, and the kubelet starts the process again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from winnow_operator.domain.job_conditions import has_ended
from winnow_operator.domain.kinds import Kind
from winnow_operator.domain.pods import read_pod
from winnow_operator.domain.spreading import share_of
from winnow_operator.errors import KubernetesError, NotFoundError
from winnow_operator.kube.resources import OWN_KINDS, PODS, Resource
from winnow_operator.metrics.own import RESYNCED
from winnow_operator.reconcile.podbook import PodBook
from winnow_operator.reconcile.queries import of_job
from winnow_operator.reconcile.queue import Key, WorkQueue

PERIOD_SECONDS = 300.0
GRACE_SECONDS = 90.0
"""How long the watch may lag behind a list before it counts as deaf: longer than kopf needs to
notice a silent stream (70 s)."""
SPREAD_SECONDS = 60.0
"""Over which the jobs that go on are looked at, so that no event has to wait for all of them."""
RELIST_SECONDS = 5.0
"""How soon the pods are compared after the watch had to start anew."""

logger = logging.getLogger(__name__)


class Reads(Protocol):
    """What the resync needs of the gateway."""

    async def list(
        self, resource: Resource, namespace: str, *, labels: str = "", fields: str = ""
    ) -> list[dict[str, Any]]:
        """Objects that match."""
        ...

    async def get(self, resource: Resource, namespace: str, name: str) -> dict[str, Any]:
        """One object."""
        ...


@dataclass(slots=True)
class SeenJobs:
    """The newest version of each job that the watch has shown."""

    _versions: dict[Key, str] = field(default_factory=dict)

    def see(self, key: Key, version: str) -> None:
        """The watch has shown a job."""
        self._versions[key] = version

    def gone(self, key: Key) -> None:
        """The watch has shown that a job is gone."""
        self._versions.pop(key, None)

    def has_seen(self, key: Key, version: str) -> bool:
        """Whether the watch has shown this version of a job, or a later one."""
        seen = self._versions.get(key, "")
        # Versions of one resource may be compared as numbers (KEP-5504).
        later = seen.isdigit() and version.isdigit() and int(seen) > int(version)
        return seen == version or later

    def keep_only(self, listed: Iterable[Key]) -> None:
        """Forget jobs that a list no longer shows."""
        for key in set(self._versions) - set(listed):
            self.gone(key)


@dataclass(slots=True)
class Resync:
    """Compares lists with what the watch has shown."""

    gateway: Reads
    queue: WorkQueue
    pods: PodBook
    seen: SeenJobs
    namespaces: tuple[str, ...] = ()
    """Empty: all."""
    kinds: tuple[Kind, ...] = (Kind.SEARCH,)
    complaint: str = ""
    """Why the watch counts as deaf; empty if it does not."""
    _relisted: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Compare for ever."""
        while True:
            relisted = await self._wait()
            try:
                await self.compare_pods()
                if not relisted:
                    await self.compare_jobs()
            except KubernetesError as error:
                logger.warning("not compared with the watch", extra={"error": str(error)})

    async def _wait(self) -> bool:
        """Until the next comparison; True if it is because the watch of pods began anew."""
        try:
            async with asyncio.timeout(PERIOD_SECONDS):
                await self._relisted.wait()
        except TimeoutError:
            return False
        await asyncio.sleep(RELIST_SECONDS)  # one comparison for all pods of the list
        self._relisted.clear()
        return True

    def relisted(self) -> None:
        """The watch has shown a known pod as if for the first time: it had to start anew.

        Pods that went meanwhile are not in its list, and no event will say so.
        """
        self._relisted.set()

    async def compare_jobs(self) -> None:
        """Put every job on the queue that goes on, or that the watch has not shown."""
        listed: dict[Key, str] = {}
        for kind in self.kinds:
            for namespace in self.namespaces or ("",):
                for body in await self.gateway.list(OWN_KINDS[kind], namespace):
                    metadata = body["metadata"]
                    key = Key(metadata["namespace"], metadata["name"], kind)
                    listed[key] = metadata["resourceVersion"]
                    self._look_at_open(key, body)
        self.seen.keep_only(listed)
        await self._check_watch(listed)

    def _look_at_open(self, key: Key, body: Mapping[str, Any]) -> None:
        if not self.seen.has_seen(key, body["metadata"]["resourceVersion"]):
            self._look(key, "unseen")
        elif not has_ended(body):
            self._look(key, "running", SPREAD_SECONDS * share_of(str(key)))

    async def _check_watch(self, listed: Mapping[Key, str]) -> None:
        """Give the watch time to show what the list has shown, then judge it."""
        if not self._unseen(listed):
            self.complaint = ""
            return
        await asyncio.sleep(GRACE_SECONDS)
        deaf = [key for key in self._unseen(listed) if await self._exists(key)]
        self.complaint = f"the watch has not shown {deaf[0].kind.word} {deaf[0]}" if deaf else ""
        if deaf:
            logger.error("the watch is deaf", extra={"error": self.complaint})

    def _unseen(self, listed: Mapping[Key, str]) -> list[Key]:
        return [key for key, version in listed.items() if not self.seen.has_seen(key, version)]

    async def _exists(self, key: Key) -> bool:
        try:
            await self.gateway.get(OWN_KINDS[key.kind], key.namespace, key.name)
        except NotFoundError:
            return False
        return True

    async def compare_pods(self) -> None:
        """Ask the API server for the pods that the book holds as running."""
        for key in self.pods.jobs():
            asked = self.pods.live(key)
            if not asked:
                continue
            labels = of_job(key.kind, key.name)
            bodies = await self.gateway.list(PODS, key.namespace, labels=labels)
            found = [pod for pod in map(read_pod, bodies) if pod is not None]
            if self.pods.confirm(key, asked, found):
                self._look(key, "pods")

    def _look(self, key: Key, cause: str, delay: float = 0.0) -> None:
        RESYNCED.labels(cause).inc()
        self.queue.add(key, delay=delay)
