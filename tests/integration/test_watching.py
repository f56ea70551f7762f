"""The watch on a real API server: what a broken stream, a relist or a lost event does to a search."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from functools import partial
from pathlib import Path

import pytest

from tests.support.api import Body, eventually
from tests.support.audit import AuditLog, Call, Mark, audit_log_beside, of_accounts
from tests.support.faulty_proxy import FaultyProxy
from tests.support.namespace import Namespace
from tests.support.operator_process import OperatorProcess, running
from tests.support.proxy_faults import READS, Answer, Cut, DelayEvents, DropEvents, Fault
from tests.support.searchjobs import search_job
from tests.support.simulated_node import simulated_node
from winnow_operator.kube.resources import JOBS, SEARCHJOBS

pytestmark = pytest.mark.control_plane

WATCH = "watch=true"


@pytest.fixture
async def proxy(idle_operator: OperatorProcess, tmp_path: Path) -> AsyncIterator[FaultyProxy]:
    """A proxy before the operator, which starts behind it."""
    with FaultyProxy(idle_operator.kubeconfig) as proxy:
        idle_operator.kubeconfig = proxy.kubeconfig(tmp_path / "proxied")
        yield proxy


@pytest.fixture
async def operator(
    idle_operator: OperatorProcess, proxy: FaultyProxy
) -> AsyncIterator[OperatorProcess]:
    """A replica that leads behind the proxy."""
    assert proxy.url
    async with running(idle_operator) as started:
        yield started


async def finished(namespace: Namespace, number: int) -> bool:
    trials = await namespace.trials("search")
    return len([t for t in trials if t["status"]["outcome"] != "Active"]) >= number


async def all_succeeded(namespace: Namespace) -> list[str]:
    body = await namespace.ended("search", seconds=90)
    trials = await namespace.trials("search")
    assert len(trials) == body["spec"]["budget"]["maxTrials"]
    return sorted({trial["status"]["outcome"] for trial in trials})


async def test_a_search_goes_on_when_all_streams_are_cut_again_and_again(
    operator: OperatorProcess, proxy: FaultyProxy, namespace: Namespace
) -> None:
    async with simulated_node(namespace.api, namespace.name):
        await namespace.create_job(search_job(budget={"maxTrials": 12, "parallelism": 2}))
        for number in (2, 5, 8):
            check = partial(finished, namespace, number)
            await eventually(check, what=f"{number} results")
            await asyncio.to_thread(proxy.cut_all)

        assert await all_succeeded(namespace) == ["Succeeded"]
    assert operator.is_running


async def test_a_search_goes_on_after_the_watch_has_expired_and_lists_anew(
    operator: OperatorProcess, proxy: FaultyProxy, namespace: Namespace
) -> None:
    async with simulated_node(namespace.api, namespace.name):
        await namespace.create_job(search_job(budget={"maxTrials": 8, "parallelism": 2}))
        await eventually(lambda: finished(namespace, 2), what="two results")
        proxy.inject(
            Fault(Answer(410, "Expired", as_event=True), methods=READS, path=WATCH, times=4)
        )
        await asyncio.to_thread(proxy.cut_all)

        assert await all_succeeded(namespace) == ["Succeeded"]
    assert operator.is_running


async def test_a_search_ends_though_no_pod_event_ever_arrives(
    operator: OperatorProcess, proxy: FaultyProxy, namespace: Namespace
) -> None:
    proxy.inject(Fault(DropEvents(), path=f"/pods.*{WATCH}"))
    async with simulated_node(namespace.api, namespace.name):
        await namespace.create_job(search_job(budget={"maxTrials": 4, "parallelism": 2}))

        assert await all_succeeded(namespace) == ["Succeeded"]
    assert operator.is_running


async def test_a_search_ends_though_all_events_are_late(
    operator: OperatorProcess, proxy: FaultyProxy, namespace: Namespace
) -> None:
    proxy.inject(Fault(DelayEvents(0.5), path=WATCH))
    async with simulated_node(namespace.api, namespace.name):
        await namespace.create_job(search_job(budget={"maxTrials": 4, "parallelism": 2}))

        assert await all_succeeded(namespace) == ["Succeeded"]
    assert operator.is_running


async def test_a_job_that_was_made_before_the_operator_is_found_by_its_first_list(
    idle_operator: OperatorProcess, namespace: Namespace
) -> None:
    await namespace.create_job(search_job())

    async with running(idle_operator), simulated_node(namespace.api, namespace.name):
        assert await all_succeeded(namespace) == ["Succeeded"]

    assert idle_operator.complaints() == []


async def test_a_replica_that_begins_to_lead_looks_at_an_ended_search_only_when_it_changes(
    idle_operator: OperatorProcess, control_plane: Path, namespace: Namespace
) -> None:
    log = audit_log_beside(control_plane)
    async with running(idle_operator):
        async with simulated_node(namespace.api, namespace.name):
            await namespace.create_job(search_job())
            await all_succeeded(namespace)
            await without_batches(namespace, "search")
        for name in ("first", "second"):
            await namespace.create_job(search_job(name, budget={"maxTrials": 1}))
            await eventually(partial(has_trials, namespace, name), what=f"a Trial of {name}")

    before = await log.settled_mark(namespace.api)
    async with running(idle_operator):
        await eventually(partial(looked_at, log, before, namespace, {"first", "second"}))
        path = namespace.path(SEARCHJOBS, "search")
        changed = await log.settled_mark(namespace.api)
        await namespace.api.merge(path, {"metadata": {"annotations": {"team": "blue"}}})
        await eventually(partial(looked_at, log, changed, namespace, {"search"}))

    calls = log.since(before)[: -len(log.since(changed))]
    assert looks(calls, namespace) == {"first", "second"}
    assert idle_operator.complaints() == []


async def without_batches(namespace: Namespace, job: str) -> None:
    """Nothing is left of a search that has ended but itself and its Trials, as after some minutes."""
    for batch in await namespace.batches(job):
        path = namespace.path(JOBS, batch["metadata"]["name"])
        await namespace.api.delete(path, propagationPolicy="Background")

    async def are_gone() -> bool:
        return not (await namespace.batches(job) or await namespace.pods(job))

    await eventually(are_gone, what="the end of all Jobs and pods")


async def has_trials(namespace: Namespace, name: str) -> bool:
    return bool(await namespace.trials(name))


def looks(calls: Iterable[Call], namespace: Namespace) -> set[str]:
    """Names of the searches that the operator has read."""
    own = of_accounts(calls, namespace.name)
    return {call.name for call in own if call.words == f"get {SEARCHJOBS.plural}"}


async def looked_at(log: AuditLog, mark: Mark, namespace: Namespace, names: set[str]) -> bool:
    return looks(log.since(mark), namespace) >= names


async def test_a_trial_that_someone_deleted_is_made_again(
    operator: OperatorProcess, namespace: Namespace
) -> None:
    await namespace.create_job(search_job(budget={"maxTrials": 2, "parallelism": 2}))
    trials = await eventually(lambda: both(namespace), what="two Trials")
    name = trials[0]["metadata"]["name"]

    await namespace.api.delete(
        f"/apis/winnow.dev/v1alpha1/namespaces/{namespace.name}/trials/{name}"
    )

    async def again() -> bool:
        found = {
            t["metadata"]["name"]: t["metadata"]["uid"] for t in await namespace.trials("search")
        }
        return name in found and found[name] != trials[0]["metadata"]["uid"]

    await eventually(again, what="the Trial made again")
    assert operator.is_running


async def both(namespace: Namespace) -> list[Body]:
    trials = await namespace.trials("search")
    return trials if len(trials) == 2 else []


async def test_errors_of_the_api_server_delay_a_search_and_lose_nothing(
    operator: OperatorProcess, proxy: FaultyProxy, namespace: Namespace
) -> None:
    for fault in (
        Fault(Answer(500), path="/trials", skip=3, times=3),
        Fault(Answer(429, "TooManyRequests", retry_after=1), path="/jobs", skip=2, times=2),
        Fault(Cut(after=True), path="/trials", skip=9, times=3),
    ):
        proxy.inject(fault)
    async with simulated_node(namespace.api, namespace.name):
        await namespace.create_job(search_job(budget={"maxTrials": 8, "parallelism": 2}))

        assert await all_succeeded(namespace) == ["Succeeded"]
    assert [line for line in operator.complaints() if "exception" in line] == []
