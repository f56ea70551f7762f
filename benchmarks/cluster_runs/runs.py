"""Runs one workload on the cluster and makes a row of figures of what was seen."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from benchmarks.cluster_runs.cluster import OPERATOR_NAMESPACE, OPERATOR_USER, PROFILE, BenchCluster
from benchmarks.cluster_runs.spending import spend_so_far, spent
from benchmarks.cluster_runs.timeline import Timeline, per_minute, percentile, refill_gaps
from benchmarks.cluster_runs.watching import watching
from benchmarks.cluster_runs.workloads import CLAIM, NAMESPACE, Workload, bare_job, search_job
from benchmarks.machine import load
from tests.support.api import Api, Body, eventually
from tests.support.audit import Mark, count_writes, within
from tests.support.namespace import RESTRICTED, holds
from winnow_operator.kube.resources import CLAIMS, JOBS, PODS, SEARCHJOBS, TRIALS

RUN_SECONDS = 900.0
SETTLE_SECONDS = 3.0
"""After each end, for what trails behind: Events, and writes about pods that have ended."""
_CPU = re.compile(r"^process_cpu_seconds_total (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Row:
    """What one run gave; counts per trial, times in seconds."""

    round: int
    kind: str
    parallelism: int
    trials: int
    trials_per_pod: int
    at: str
    load_before: float
    succeeded: int
    seconds: float
    per_minute: float
    first_pod_seconds: float
    """From the creation of the SearchJob or Job to the arrival of its first pod."""
    gap_p50: float | None
    gap_p95: float | None
    gap_max: float | None
    cluster_writes: float | None
    """Writes of everybody about objects of the namespace, Events included."""
    cluster_events: float | None
    operator_writes: float | None
    """Object writes of the operator, Events left out."""
    operator_events: float | None
    operator_cpu: float
    """CPU seconds of the operator's pods."""
    pods_per_minute: float | None = None
    """By the ends of pods, whatever the search has recorded by then."""
    cpu: dict[str, float] = field(default_factory=dict)
    """CPU seconds by part of the cluster, on a devcluster."""


@dataclass(frozen=True, slots=True)
class Bench:
    """The cluster and the client that look at a run."""

    cluster: BenchCluster
    api: Api

    async def prepare(self) -> None:
        """Namespace and claim, which are there for all runs; nothing else in it."""
        for body in (_namespace(), _claim()):
            await self.api.apply(*body)
        await self.clean()

    async def run(self, round_number: int, workload: Workload) -> tuple[Row, list[Body]]:
        """One run; gives its row and the pod templates of its Jobs."""
        load_before, cpu_before = load(), await self._operator_cpu()
        audit = self.cluster.audit
        mark = await audit.settled_mark(self.api) if audit else None
        spent_before = self._spend_so_far()
        async with watching(self.api.client, NAMESPACE) as timeline:
            created = time.monotonic()
            await self._create(round_number, workload)
            await self._wait(workload, timeline)
            await asyncio.sleep(SETTLE_SECONDS)
        parts = spent(spent_before, self._spend_so_far())
        cpu = await self._operator_cpu() - cpu_before
        writes = await self._writes(mark, workload.trials)
        await self.clean()
        about = {"round": round_number, "load_before": load_before, "operator_cpu": round(cpu, 2)}
        row = _row(workload, timeline, created, {**about, **writes, "cpu": parts})
        return row, timeline.templates

    async def _create(self, round_number: int, workload: Workload) -> None:
        image = self.cluster.image
        if workload.is_bare:
            await self.api.create(JOBS.path(NAMESPACE), bare_job(workload, image))
        else:
            body = search_job(workload, image, seed=round_number)
            await self.api.create(SEARCHJOBS.path(NAMESPACE), body)

    async def _wait(self, workload: Workload, timeline: Timeline) -> None:
        """Until every trial has succeeded and its job says that it is complete."""
        resource = JOBS if workload.is_bare else SEARCHJOBS
        path = resource.path(NAMESPACE, workload.kind if not workload.is_bare else "bare-b0001")

        async def is_done() -> bool:
            if len(_successes(workload, timeline)) < workload.trials:
                return False
            return holds(await self.api.get(path), "Complete")

        words = f"{workload.kind} with parallelism {workload.parallelism}"
        await eventually(is_done, seconds=RUN_SECONDS, what=words)

    async def _writes(self, mark: Mark | None, trials: int) -> dict[str, float | None]:
        names = ("cluster_writes", "cluster_events", "operator_writes", "operator_events")
        audit = self.cluster.audit
        if audit is None or mark is None:
            return dict.fromkeys(names)
        calls = within(await audit.settled_since(mark, self.api), NAMESPACE)
        everybody = count_writes(calls)
        operator = count_writes(call for call in calls if call.user == OPERATOR_USER)
        counts = (
            everybody.objects + everybody.events,
            everybody.events,
            operator.objects,
            operator.events,
        )
        return {n: round(count / trials, 3) for n, count in zip(names, counts, strict=True)}

    def _spend_so_far(self) -> dict[str, float]:
        return spend_so_far(PROFILE) if self.cluster.audit else {}

    async def _operator_cpu(self) -> float:
        """CPU seconds that the operator's pods have used."""
        path = f"/api/v1/namespaces/{OPERATOR_NAMESPACE}/pods"
        pods = (await self.api.get(path, labelSelector="app.kubernetes.io/name=winnow"))["items"]
        pages = [
            await self._text(f"{path}/{pod['metadata']['name']}:8080/proxy/metrics") for pod in pods
        ]
        return sum(float(found[1]) for page in pages if (found := _CPU.search(page)))

    async def _text(self, path: str) -> str:
        client = self.api.client
        headers: dict[str, str] = {}
        await client.update_params_for_auth(headers, [], ["BearerToken"], path, "GET", None)
        answer = await client.call_api("GET", f"{client.configuration.host}{path}", headers)
        page: bytes = await answer.response.read()
        return page.decode()

    async def clean(self) -> None:
        """Remove whatever a run has made, and wait until it is gone."""
        for resource in (SEARCHJOBS, JOBS):
            await self.api.delete(resource.path(NAMESPACE), propagationPolicy="Background")

        async def is_empty() -> bool:
            kinds = (SEARCHJOBS, TRIALS, JOBS, PODS)
            return not any([await self._count(k.path(NAMESPACE)) for k in kinds])

        await eventually(is_empty, seconds=300, what="an empty namespace")

    async def _count(self, path: str) -> int:
        return len((await self.api.get(path, limit="1"))["items"])


def _successes(workload: Workload, timeline: Timeline) -> dict[str, float]:
    return timeline.pods_succeeded if workload.is_bare else timeline.trials_succeeded


def _row(workload: Workload, seen: Timeline, created: float, rest: dict[str, Any]) -> Row:
    successes = _successes(workload, seen).values()
    added, ended = seen.pods_added.values(), seen.pods_ended.values()
    gaps = refill_gaps(added, ended, workload.parallelism)
    return Row(
        **asdict(workload),
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        succeeded=len(successes),
        seconds=round(max(successes) - seen.started, 2),
        per_minute=round(per_minute(successes, seen.started), 2),
        pods_per_minute=round(per_minute(ended, seen.started), 2),
        first_pod_seconds=round(min(added) - created, 3),
        gap_p50=round(percentile(gaps, 0.5), 3) if gaps else None,
        gap_p95=round(percentile(gaps, 0.95), 3) if gaps else None,
        gap_max=round(max(gaps), 3) if gaps else None,
        **rest,
    )


def _namespace() -> tuple[str, Body]:
    metadata = {"name": NAMESPACE, "labels": RESTRICTED}
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
    return f"/api/v1/namespaces/{NAMESPACE}", body


def _claim() -> tuple[str, Body]:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    metadata = {"name": CLAIM}
    body = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}
    return CLAIMS.path(NAMESPACE, CLAIM), body
