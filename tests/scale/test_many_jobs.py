"""A cluster with a thousand searches of a hundred recorded trials each: what the operator needs.

Nine in ten of the searches have ended, the others run, each with a trial in a pod, which a first operator has made.
What is measured is the operator that comes after it:

- start: from the start of the process until it leads, shows every search in its metrics, and has looked at each one
  that runs, so that it knows of its trial;
- from event to reconcile: at rest, with ten edits a second, about as many events as a hundred running searches have
  whose trials take a minute; from the moment at which the API server receives an edit until it receives the read
  with which the look at that search begins, both by its audit log. What a start brings at one moment is part of the
  start;
- writes at rest, but for the Lease; the most that the process has had in memory, from start to end.

The objects are copies of what the operator itself has written of a real search and its trials. A real
Prometheus scrapes the operator every second, so that its minutes have as many samples as an hour has of
scrapes every half minute, which is what the dashboard shows.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from monitoring.answers import Prometheus, Span, answer
from tests.scale.conftest import PROFILE
from tests.support.access import operator_kubeconfig
from tests.support.api import Api, Body, eventually
from tests.support.audit import AuditLog, Call, audit_log_beside, of_accounts
from tests.support.chart import ROOT
from tests.support.job_copies import Copies
from tests.support.local_prometheus import local_prometheus, needs_prometheus
from tests.support.namespace import Namespace, new_namespace
from tests.support.operator_page import Page, free_port, peak_memory_mib
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
EDITS = 300
EDIT_EVERY_SECONDS = 0.1
START_SECONDS = 15.0
MEMORY_MIB = 256
EVENT_SECONDS = 0.5
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
    servers = {"Model servers", "Requests to model servers", "Latency of model servers, p95"}
    # An operator that has only taken over running trials has suggested none.
    assert empty <= servers | {"Time of suggestions, p95"}
    (jobs,) = found["Jobs"]
    assert len(jobs.series) >= JOBS
    return prometheus.seconds


async def written_in(seconds: float, log: AuditLog, namespace: Namespace) -> list[Call]:
    """What the operator writes from now on."""
    mark = await log.settled_mark(namespace.api)
    await asyncio.sleep(seconds)
    calls = of_accounts(await log.settled_since(mark, namespace.api), namespace.name)
    return [call for call in calls if call.is_write and call.resource != "leases"]


async def seconds_to_looks(log: AuditLog, namespace: Namespace) -> list[float]:
    """From each edit to the look at its search, ascending."""
    mark = await log.settled_mark(namespace.api)
    begun = time.monotonic()
    for number in range(EDITS):
        await asyncio.sleep(max(0.0, begun + number * EDIT_EVERY_SECONDS - time.monotonic()))
        path = namespace.path(SEARCHJOBS, f"search-{number % RUNNING:04d}")
        await namespace.api.merge(path, {"metadata": {"annotations": {"team": str(number)}}})

    async def followed() -> list[float]:
        found = waits(log.since(mark), namespace)
        return found if len(found) == EDITS else []

    return await eventually(followed, what="a look after each edit")


def waits(calls: list[Call], namespace: Namespace) -> list[float]:
    """Seconds between each edit of a search and the operator's next read of it, ascending."""
    looks = defaultdict[str, list[datetime]](list)
    for call in of_accounts(calls, namespace.name):
        if call.words == "get searchjobs":
            looks[call.name].append(datetime.fromisoformat(call.at))
    edits = [(c.name, datetime.fromisoformat(c.at)) for c in calls if c.words == "patch searchjobs"]
    next_looks = [(at, [look for look in looks[name] if look > at]) for name, at in edits]
    return sorted((min(after) - at).total_seconds() for at, after in next_looks if after)


async def shows_every_search(page: Page) -> bool:
    """Whether an operator knows of all searches, has looked at each that runs, and has no look left to take."""
    found = page.read()
    figures = ("winnow_searchjobs_running", "winnow_trials_active", "winnow_workqueue_depth")
    held = [found.get((name, ""), 0) for name in figures]
    return held == [RUNNING, RUNNING, 0] and found.get(("winnow_job_state", ""), 0) >= JOBS


async def writes_no_more(log: AuditLog, namespace: Namespace) -> bool:
    """Whether nobody has written anything for a while."""
    return not await written_in(SETTLE_SECONDS, log, namespace)


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

        log = audit_log_beside(control_plane)
        has_started = partial(shows_every_search, page)
        has_settled = partial(writes_no_more, log, namespace)
        before = replace(operator, log=tmp_path / "before.log", process=None)
        async with running(before):
            await eventually(has_started, seconds=600, what="a trial for each running search")
            await eventually(has_settled, seconds=20 * SETTLE_SECONDS, what="the last write")

        operator = replace(operator, log=tmp_path / "restarted.log", process=None)
        since = time.time()
        async with local_prometheus(tmp_path, port) as url:
            began = time.monotonic()
            async with running(operator):
                await eventually(has_started, seconds=600, what="a look at every search")
                started = time.monotonic() - began
                await eventually(has_settled, seconds=20 * SETTLE_SECONDS, what="the last write")
                looked = await seconds_to_looks(log, namespace)
                written = await written_in(REST_SECONDS, log, namespace)
                memory = peak_memory_mib(operator.pid)
                asked = ask_dashboard(url, Span(since, time.time(), STEP_SECONDS))

    p99 = looked[int(0.99 * EDITS)]
    query, seconds = max(asked.items(), key=lambda entry: entry[1])
    print(  # noqa: T201 -- the proof
        f"start {started:.1f} s, memory {memory:.0f} MiB, from event to reconcile p50 "
        f"{looked[EDITS // 2]:.3f} s, p99 {p99:.3f} s, {len(written)} writes in {REST_SECONDS} s at rest, "
        f"{len(asked)} queries, the slowest {seconds:.3f} s: {query}"
    )
    assert before.complaints() == operator.complaints() == []
    assert started < START_SECONDS
    assert memory < MEMORY_MIB
    assert p99 < EVENT_SECONDS
    assert written == []
    assert seconds < QUERY_SECONDS
