"""How much the operator writes: per trial, for a finished job, and where there is no job at all.

All of it is counted in the API server's audit log, by the operator's own identity.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.access import operator_kubeconfig
from tests.support.api import Api, Body, eventually
from tests.support.audit import (
    AuditLog,
    Call,
    audit_log_beside,
    count_writes,
    of_accounts,
    within,
)
from tests.support.compressionjobs import compress, compression_job
from tests.support.namespace import Namespace, new_namespace, outcomes
from tests.support.operator_process import OperatorProcess, running
from tests.support.proofs import proofs
from tests.support.searchjobs import search_job
from tests.support.simulated_node import Ending, PodView, simulated_node, succeed

pytestmark = pytest.mark.control_plane

MOST_WRITES_PER_TRIAL = 4
MOST_EVENTS_PER_TRIAL = 2
POD_TTL_SECONDS = 5
"""So short that the removal of the last pods falls into the time in which nothing may be written."""


@pytest.fixture
def audit(control_plane: Path) -> AuditLog:
    return audit_log_beside(control_plane)


@pytest.mark.usefixtures("operator")
@pytest.mark.parametrize("algorithm", ["TPE", *proofs("Random")])
@pytest.mark.parametrize(
    "trials",
    [
        60,
        pytest.param(100, marks=pytest.mark.prove),
    ],
)
async def test_a_search_costs_few_writes_and_events_per_trial(
    namespace: Namespace, audit: AuditLog, algorithm: str, trials: int
) -> None:
    mark = await audit.settled_mark(namespace.api)
    async with simulated_node(namespace.api, namespace.name):
        budget = {"maxTrials": trials, "parallelism": 10}
        await namespace.create_job(search_job(algorithm={"name": algorithm}, budget=budget))
        await namespace.ended("search", seconds=240)
    calls = await audit.settled_since(mark, namespace.api)
    counted = count_writes(within(of_accounts(calls, namespace.name), namespace.name))
    print(f"{algorithm}, {trials} trials\n{counted.table(trials)}")  # noqa: T201 -- the proof

    assert outcomes(await namespace.trials("search")) == ["Succeeded"] * trials
    # Each Trial is made once and gets its outcome once: fewer were not counted.
    assert counted.by_words["create trials"] == trials
    assert counted.by_words["patch trials/status"] == trials
    assert counted.objects <= MOST_WRITES_PER_TRIAL * trials
    assert counted.events <= MOST_EVENTS_PER_TRIAL * trials


@pytest.mark.usefixtures("operator")
async def test_a_compression_costs_few_writes_and_events_per_candidate(
    namespace: Namespace, audit: AuditLog
) -> None:
    mark = await audit.settled_mark(namespace.api)
    jobs, candidates = namespace.compressions, [candidate(n) for n in range(1, 16)]
    async with simulated_node(namespace.api, namespace.name, compress):
        await jobs.create_job(compression_job(candidates=candidates, budget={"parallelism": 4}))
        await jobs.ended("small", seconds=120)
    calls = await audit.settled_since(mark, namespace.api)
    counted, trials = count_writes(within(of_accounts(calls, namespace.name), namespace.name)), 16
    print(f"compression, {trials} models\n{counted.table(trials)}")  # noqa: T201 -- the proof

    assert outcomes(await jobs.trials("small")) == ["Succeeded"] * trials
    # Made, built, measured: each once.
    assert counted.by_words["create trials"] == trials
    assert counted.by_words["patch trials/status"] == 2 * trials
    assert counted.objects <= MOST_WRITES_PER_TRIAL * trials
    assert counted.events <= MOST_EVENTS_PER_TRIAL * trials


def candidate(number: int) -> Body:
    """A candidate of its own."""
    steps = [{"prune": {"amount": f"0.{number:02}"}}]
    return {"name": f"cut-{number}", "steps": steps}


@pytest.fixture
async def empty_namespace(api: Api) -> AsyncIterator[Namespace]:
    """A second namespace, whose operator never sees a job."""
    async with new_namespace(api) as made:
        yield made


@pytest.fixture
async def jobless_operator(
    control_plane: Path, empty_namespace: Namespace, tmp_path: Path
) -> AsyncIterator[OperatorProcess]:
    """The operator of the second namespace."""
    place = (empty_namespace.api, control_plane, empty_namespace.name, tmp_path)
    kubeconfig = await operator_kubeconfig(*place)
    log = tmp_path / "jobless.log"
    async with running(OperatorProcess(kubeconfig, empty_namespace.name, log)) as started:
        yield started
    assert started.complaints() == []


@pytest.mark.usefixtures("jobless_operator")
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "seconds",
    [
        20,
        pytest.param(600, marks=pytest.mark.prove),
    ],
)
async def test_nothing_is_written_for_a_finished_job_or_for_none(
    namespace: Namespace,
    empty_namespace: Namespace,
    idle_operator: OperatorProcess,
    audit: AuditLog,
    seconds: int,
) -> None:
    idle_operator.settings["WINNOW_FINISHED_POD_TTL_SECONDS"] = str(POD_TTL_SECONDS)
    async with running(idle_operator):
        async with simulated_node(namespace.api, namespace.name, search_or_compress):
            await namespace.create_job(search_job())
            await namespace.compressions.create_job(compression_job())
            finished = await namespace.ended("search")
            compressed = await namespace.compressions.ended("small")
            await eventually(lambda: has_last_event(namespace), what="the Events of the ends")
        mark = await audit.settled_mark(namespace.api)
        await asyncio.sleep(seconds)  # that nothing happens shows only by waiting
        await eventually(lambda: is_tidied_up(namespace), what="the removal of the last pods")
        calls = await audit.settled_since(mark, namespace.api)

        assert written(calls, namespace) == set()
        assert written(calls, empty_namespace) == set()
        assert renewals(calls, namespace) > seconds / 5  # they were awake and were seen
        assert renewals(calls, empty_namespace) > seconds / 5
        assert (await namespace.job("search"))["status"] == finished["status"]
        body = await namespace.compressions.job("small")
        assert body["status"] == compressed["status"]
    assert idle_operator.complaints() == []


async def has_last_event(namespace: Namespace) -> bool:
    events = await namespace.events("search") + await namespace.compressions.events("small")
    return {"BudgetSpent", "Selected"} <= {event["reason"] for event in events}


def search_or_compress(pod: PodView) -> Ending:
    """Pods of both kinds succeed."""
    is_search = bool(pod.trials) and not pod.trials[0].candidate
    return succeed(pod) if is_search else compress(pod)


async def is_tidied_up(namespace: Namespace) -> bool:
    jobs = namespace.compressions
    left = [*await namespace.pods("search"), *await namespace.batches("search")]
    return [*left, *await jobs.pods("small"), *await jobs.batches("small")] == []


def written(calls: list[Call], namespace: Namespace) -> set[str]:
    """What the operator of a namespace has written anywhere, but for its Lease."""
    own = of_accounts(calls, namespace.name)
    return {c.words for c in own if c.is_write and c.words != "update leases"}


def renewals(calls: list[Call], namespace: Namespace) -> int:
    own = of_accounts(calls, namespace.name)
    return sum(c.is_write and c.words == "update leases" for c in own)
