"""A cluster with a thousand searches of a hundred recorded trials each: what the operator needs.

The objects are copies of what the operator itself has written of a real search and its trials.
"""

from __future__ import annotations

import asyncio
import copy
import socket
import subprocess
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.access import operator_kubeconfig
from tests.support.api import Api, Body, eventually, open_api
from tests.support.audit import Call, audit_log_beside, of_accounts
from tests.support.chart import ROOT
from tests.support.cluster_fixtures import start_control_plane
from tests.support.namespace import Namespace, new_namespace
from tests.support.operator_process import OperatorProcess, running
from tests.support.searchjobs import search_job
from tests.support.simulated_node import simulated_node
from winnow_operator.kube.resources import SEARCHJOBS, TRIALS

pytestmark = [pytest.mark.prove, pytest.mark.control_plane, pytest.mark.timeout(5400)]

PROFILE = "scale-cp"
JOBS, RUNNING, TRIALS_EACH = 1000, 100, 100
EDITS = 200
AT_ONCE = 32
START_SECONDS = 15.0
MEMORY_MIB = 256
QUEUE_SECONDS = 0.5
REST_SECONDS = 60
SETTLE_SECONDS = 15


@pytest.fixture(scope="module")
def control_plane() -> Iterator[Path]:
    """A control plane of its own, which goes with all these objects."""
    yield start_control_plane(PROFILE)
    command = [str(ROOT / "scripts/devcluster"), "down", "--profile", PROFILE]
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture
async def api(control_plane: Path) -> AsyncIterator[Api]:
    """The administrator's client."""
    async with open_api(control_plane) as opened:
        yield opened


@dataclass(frozen=True, slots=True)
class Pattern:
    """What the operator has written of one search, to be copied."""

    job: Body
    trials: list[Body]


async def pattern(api: Api, operator: OperatorProcess, namespace: Namespace) -> Pattern:
    """One search, really run, with pods that a test plays."""
    budget = {"maxTrials": TRIALS_EACH, "parallelism": 20}
    async with running(operator), simulated_node(api, namespace.name):
        await namespace.create_job(search_job(budget=budget))
        job = await namespace.ended("search", seconds=300)
    return Pattern(job, await namespace.trials("search"))


async def copies(namespace: Namespace, found: Pattern) -> None:
    """Fill the namespace: the first searches still run, all others have ended."""
    limit = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> None:
        async with limit:
            await copy_job(namespace, found, number, runs=number < RUNNING)

    await asyncio.gather(*(one(number) for number in range(JOBS)))


async def copy_job(namespace: Namespace, found: Pattern, number: int, *, runs: bool) -> None:
    """One search with its trials; one that runs has half of its budget left."""
    name = f"search-{number:04d}"
    budget = {"maxTrials": 2 * TRIALS_EACH if runs else TRIALS_EACH, "parallelism": 1}
    made = await namespace.create_job(search_job(name, budget=budget))
    uid = made["metadata"]["uid"]
    for trial in found.trials:
        body = renamed(trial, name, uid)
        path = namespace.path(TRIALS, body["metadata"]["name"], "status")
        await namespace.api.create(namespace.path(TRIALS), {**body, "status": None})
        await namespace.api.merge(path, {"status": body["status"]})
    if not runs:
        path = namespace.path(SEARCHJOBS, name, "status")
        await namespace.api.merge(path, {"status": found.job["status"]})


def renamed(trial: Body, job: str, uid: str) -> Body:
    """A trial as that of another search."""
    body = copy.deepcopy(trial)
    metadata = body["metadata"]
    old = metadata["ownerReferences"][0]["name"]
    body["metadata"] = {
        "name": metadata["name"].replace(old, job, 1),
        "labels": {k: job if v == old else v for k, v in metadata["labels"].items()},
        "ownerReferences": [{**metadata["ownerReferences"][0], "name": job, "uid": uid}],
    }
    return body


@dataclass(frozen=True, slots=True)
class Page:
    """The operator's own metrics."""

    port: int

    def read(self) -> dict[tuple[str, str], float]:
        """The sum over all series by name and `le`."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics") as answer:
            families = text_string_to_metric_families(answer.read().decode())
        found: dict[tuple[str, str], float] = {}
        for sample in (s for family in families for s in family.samples):
            key = sample.name, sample.labels.get("le", "")
            found[key] = found.get(key, 0.0) + sample.value
        return found

    def is_at_rest(self) -> bool:
        """Whether every search has been looked at and none waits."""
        found = self.read()
        looked = found.get(("winnow_reconcile_total", ""), 0)
        return looked >= JOBS and found["winnow_workqueue_depth", ""] == 0


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])


def memory_mib(pid: int) -> float:
    """The most that a process has had in memory."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (peak,) = (line.split()[1] for line in lines if line.startswith("VmHWM"))
    return int(peak) / 1024


def share_within(
    before: Mapping[tuple[str, str], float], after: Mapping[tuple[str, str], float]
) -> float:
    """Of the keys that waited in between, the share that waited no longer than QUEUE_SECONDS."""
    name = "winnow_workqueue_queue_duration_seconds"
    bucket, count = (f"{name}_bucket", str(QUEUE_SECONDS)), (f"{name}_count", "")
    return (after[bucket] - before[bucket]) / (after[count] - before[count])


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
        settings = {"WINNOW_METRICS_PORT": str(port)}
        operator = OperatorProcess(
            own, namespace.name, tmp_path / "operator.log", settings=settings
        )
        found = await pattern(api, operator, namespace)
        await copies(namespace, found)
        page = Page(port)
        operator = replace(operator, log=tmp_path / "restarted.log", process=None)
        began = time.monotonic()
        async with running(operator):

            async def at_rest() -> bool:
                return page.is_at_rest()

            await eventually(at_rest, seconds=120, what="a look at every search")
            started = time.monotonic() - began
            before = page.read()
            for number in range(EDITS):
                path = namespace.path(SEARCHJOBS, f"search-{number % RUNNING:04d}")
                await api.merge(path, {"metadata": {"annotations": {"team": str(number)}}})
            await eventually(at_rest, seconds=60, what="rest after the edits")
            within = share_within(before, page.read())
            written = await writes_at_rest(api, control_plane, namespace)
            memory = memory_mib(operator.pid)

    print(  # noqa: T201 -- the proof
        f"start {started:.1f} s, memory {memory:.0f} MiB, {100 * within:.1f}% of keys within "
        f"{QUEUE_SECONDS} s, {len(written)} writes in {REST_SECONDS} s at rest"
    )
    assert operator.complaints() == []
    assert started < START_SECONDS
    assert memory < MEMORY_MIB
    assert within >= 0.99
    assert written == []
