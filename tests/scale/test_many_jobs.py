"""A cluster with a thousand searches of a hundred recorded trials each: what the operator needs.

The objects are copies of what the operator itself has written of a real search and its trials. A real
Prometheus scrapes the operator every second, so that its minutes have as many samples as an hour has of
scrapes every half minute, which is what the dashboard shows.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from monitoring.answers import Prometheus, Span, answer
from tests.scale.conftest import PROFILE
from tests.support.access import operator_kubeconfig
from tests.support.api import Api, Body, eventually
from tests.support.audit import Call, audit_log_beside, of_accounts
from tests.support.chart import ROOT
from tests.support.job_copies import Copies
from tests.support.local_prometheus import local_prometheus, needs_prometheus
from tests.support.namespace import Namespace, new_namespace
from tests.support.operator_page import Page, free_port, peak_memory_mib, share_within
from tests.support.operator_process import OperatorProcess, running
from tests.support.searchjobs import search_job
from tests.support.simulated_node import simulated_node
from winnow_operator.kube.resources import SEARCHJOBS

pytestmark = [
    pytest.mark.prove,
    pytest.mark.control_plane,
    pytest.mark.timeout(5400),
    needs_prometheus,
]

JOBS, RUNNING, TRIALS_EACH = 1000, 100, 100
EDITS = 200
START_SECONDS = 15.0
MEMORY_MIB = 256
QUEUE_SECONDS = 0.5
REST_SECONDS = 60
SETTLE_SECONDS = 15
QUERY_SECONDS = 1.0
STEP_SECONDS = 1.0
"""Of the dashboard's curves: hundreds of points each."""


async def one_search(api: Api, operator: OperatorProcess, namespace: Namespace) -> Body:
    """One search, really run, with pods that a test plays."""
    budget = {"maxTrials": TRIALS_EACH, "parallelism": 20}
    async with running(operator), simulated_node(api, namespace.name):
        await namespace.create_job(search_job(budget=budget))
        return await namespace.ended("search", seconds=300)


@dataclass(frozen=True, slots=True)
class Timed(Prometheus):
    """Notes how long each query takes."""

    seconds: dict[str, float] = field(default_factory=dict)

    @override
    def read(self, path: str, **parameters: object) -> Any:
        begun = time.monotonic()
        found = Prometheus.read(self, path, **parameters)
        self.seconds[str(parameters["query"])] = time.monotonic() - begun
        return found


def ask_dashboard(url: str, span: Span) -> dict[str, float]:
    """Seconds of each query of the cluster's dashboard; those about searches have answers."""
    dashboard = json.loads(
        (ROOT / "charts/winnow/files/dashboards/winnow-cluster.json").read_text()
    )
    prometheus = Timed(url)
    found = {panel.title: panel.answers for panel in answer(dashboard, {}, prometheus, span)}
    empty = {title for title, answers in found.items() if not any(a.series for a in answers)}
    assert empty <= {"Model servers", "Requests to model servers", "Latency of model servers, p95"}
    (jobs,) = found["Jobs"]
    assert len(jobs.series) >= JOBS
    return prometheus.seconds


async def writes_at_rest(api: Api, control_plane: Path, namespace: Namespace) -> list[Call]:
    """What the operator writes in REST_SECONDS, once all jobs have said what their pods wait for."""
    log = audit_log_beside(control_plane)

    async def written_in(seconds: float) -> list[Call]:
        mark = await log.settled_mark(api)
        await asyncio.sleep(seconds)
        calls = await log.settled_since(mark, api)
        return [
            call
            for call in of_accounts(calls, namespace.name)
            if call.is_write and call.resource != "leases"
        ]

    async def has_settled() -> bool:
        return not await written_in(SETTLE_SECONDS)

    await eventually(has_settled, seconds=20 * SETTLE_SECONDS, what="the last write")
    return await written_in(REST_SECONDS)


async def test_a_thousand_searches_cost_little(
    api: Api, control_plane: Path, tmp_path: Path
) -> None:
    port = free_port()
    async with new_namespace(api) as namespace:
        own = await operator_kubeconfig(api, control_plane, namespace.name, tmp_path)
        settings = {"WINNOW_METRICS_PORT": str(port), "WINNOW_METRICS_OBJECTS": str(2 * JOBS)}
        operator = OperatorProcess(
            own, namespace.name, tmp_path / "operator.log", settings=settings
        )
        found = await one_search(api, operator, namespace)
        trials = await Copies(namespace, found, JOBS, RUNNING).make(PROFILE)
        assert trials == JOBS * TRIALS_EACH
        page = Page(port)

        async def at_rest() -> bool:
            """Whether every search has been looked at and none waits."""
            found = page.read()
            looked = found.get(("winnow_reconcile_total", ""), 0)
            return looked >= JOBS and found["winnow_workqueue_depth", ""] == 0

        operator = replace(operator, log=tmp_path / "restarted.log", process=None)
        began, since = time.monotonic(), time.time()
        async with local_prometheus(tmp_path, port) as url, running(operator):
            await eventually(at_rest, seconds=600, what="a look at every search")
            started = time.monotonic() - began
            before = page.read()
            for number in range(EDITS):
                path = namespace.path(SEARCHJOBS, f"search-{number % RUNNING:04d}")
                await api.merge(path, {"metadata": {"annotations": {"team": str(number)}}})
            await eventually(at_rest, seconds=300, what="rest after the edits")
            within = share_within(QUEUE_SECONDS, before, page.read())
            written = await writes_at_rest(api, control_plane, namespace)
            memory = peak_memory_mib(operator.pid)
            asked = ask_dashboard(url, Span(since, time.time(), STEP_SECONDS))

    query, seconds = max(asked.items(), key=lambda entry: entry[1])
    print(  # noqa: T201 -- the proof
        f"start {started:.1f} s, memory {memory:.0f} MiB, {100 * within:.1f}% of keys within "
        f"{QUEUE_SECONDS} s, {len(written)} writes in {REST_SECONDS} s at rest, "
        f"{len(asked)} queries, the slowest {seconds:.3f} s: {query}"
    )
    assert operator.complaints() == []
    assert started < START_SECONDS
    assert memory < MEMORY_MIB
    assert within >= 0.99
    assert written == []
    assert seconds < QUERY_SECONDS
