"""Leadership on a real API server: the same contract as in memory, and whole processes."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.api import eventually
from tests.support.faulty_proxy import FaultyProxy
from tests.support.lease_contract import LeaseContract
from tests.support.namespace import Namespace
from tests.support.operator_process import OperatorProcess, spawn_python
from tests.support.proxy_faults import WRITES, Answer, Cut, Fault
from tests.support.searchjobs import search_job
from tests.support.simulated_node import simulated_node
from winnow_operator.kube.lease import RENEW_SECONDS, LeaseStore

pytestmark = pytest.mark.control_plane


class TestLeasesOnTheApiServer(LeaseContract):
    @pytest.fixture
    def store(self, namespace: Namespace) -> LeaseStore:
        return namespace.api.gateway

    @pytest.fixture
    def space(self, namespace: Namespace) -> str:
        return namespace.name


@pytest.fixture
async def idle_operator(idle_operator: OperatorProcess) -> OperatorProcess:
    """As in its pod, whole from the first import on: its exit code and its log are looked at."""
    idle_operator.spawn = spawn_python
    return idle_operator


@pytest.fixture
async def second(idle_operator: OperatorProcess) -> AsyncIterator[OperatorProcess]:
    """Another replica, not started yet."""
    log = idle_operator.log.with_name("second.log")
    operator = replace(idle_operator, identity="replica-2", log=log, process=None)
    yield operator
    if operator.is_running:
        operator.kill()


@pytest.fixture
async def proxy(idle_operator: OperatorProcess, tmp_path: Path) -> AsyncIterator[FaultyProxy]:
    """A proxy before the first replica, which starts behind it."""
    with FaultyProxy(idle_operator.kubeconfig) as proxy:
        idle_operator.kubeconfig = proxy.kubeconfig(tmp_path / "proxied")
        yield proxy


async def logged(operator: OperatorProcess, message: str) -> None:
    async def check() -> bool:
        assert operator.is_running, operator.log.read_text()[-3000:]
        return bool(operator.lines(message))

    await eventually(check, what=f"the line {message!r}")


async def ends(operator: OperatorProcess) -> tuple[int, float]:
    """SIGTERM; gives exit code and seconds."""
    started = time.monotonic()
    code = await asyncio.to_thread(operator.terminate)
    return code, time.monotonic() - started


async def ends_well(operator: OperatorProcess) -> None:
    code, seconds = await ends(operator)
    assert code == 0
    assert seconds < 4


async def test_a_leader_that_is_asked_to_end_hands_over_in_three_seconds(
    idle_operator: OperatorProcess, second: OperatorProcess
) -> None:
    idle_operator.start()
    await idle_operator.leads()
    second.start()
    await logged(second, "waiting for the Lease")

    code, _ = await ends(idle_operator)
    handed_over = time.monotonic()
    await second.leads(seconds=10)

    assert time.monotonic() - handed_over < 3
    assert code == 0
    await ends_well(second)
    assert idle_operator.complaints() == second.complaints() == []


async def test_a_standby_ends_at_once_and_leaves_the_leader_alone(
    idle_operator: OperatorProcess, second: OperatorProcess
) -> None:
    idle_operator.start()
    await idle_operator.leads()
    second.start()
    await logged(second, "waiting for the Lease")

    await ends_well(second)

    assert second.lines("leading") == []
    assert idle_operator.is_running
    assert idle_operator.lines("lost the Lease") == []


async def test_a_leader_that_is_killed_is_succeeded_when_its_lease_has_expired(
    idle_operator: OperatorProcess, second: OperatorProcess
) -> None:
    idle_operator.start()
    await idle_operator.leads()
    second.start()
    await logged(second, "waiting for the Lease")

    idle_operator.kill()
    killed = time.monotonic()
    await second.leads(seconds=30)

    assert 10 < time.monotonic() - killed < 20


async def test_a_leader_that_cannot_renew_writes_no_more_and_ends_with_1(
    idle_operator: OperatorProcess, proxy: FaultyProxy, namespace: Namespace
) -> None:
    idle_operator.start()
    await idle_operator.leads()
    endless = search_job(budget={"maxTrials": 2000, "parallelism": 2})
    async with simulated_node(namespace.api, namespace.name):
        await namespace.create_job(endless)
        await eventually(lambda: some_trials_ended(namespace), what="the first results")
        cut = time.monotonic()
        proxy.inject(Fault(Cut(), path="/leases"))

        code = await idle_operator.wait_ended(seconds=RENEW_SECONDS + 15)

    assert code == 1
    assert time.monotonic() - cut < RENEW_SECONDS + 10
    written = [write.at - cut for write in proxy.writes]
    assert max(written) > 2, "it goes on while the Lease is surely held"
    assert max(written) < RENEW_SECONDS, "and not a moment longer"
    assert idle_operator.lines("lost the Lease")
    assert not [line for line in idle_operator.complaints() if "exception" in line]


async def some_trials_ended(namespace: Namespace) -> bool:
    trials = await namespace.trials("search")
    return any(trial["status"]["outcome"] == "Succeeded" for trial in trials)


async def test_an_api_server_that_is_away_at_the_start_is_a_line_and_waited_for(
    idle_operator: OperatorProcess, proxy: FaultyProxy
) -> None:
    proxy.inject(Fault(Cut()))
    idle_operator.start()
    await logged(idle_operator, "cannot watch yet")

    proxy.heal()
    await idle_operator.leads()

    code, _ = await ends(idle_operator)
    assert code == 0
    assert "Traceback" not in idle_operator.log.read_text()


async def test_a_right_that_is_missing_is_named_and_waited_for(
    idle_operator: OperatorProcess, proxy: FaultyProxy
) -> None:
    proxy.inject(Fault(Answer(403, "Forbidden"), path="/pods"))
    idle_operator.start()
    await logged(idle_operator, "cannot watch yet")

    (line,) = idle_operator.lines("cannot watch yet")
    assert line["error"].startswith(f"no right to list pods in namespace {idle_operator.namespace}")
    await ends_well(idle_operator)
    assert "Traceback" not in idle_operator.log.read_text()


async def test_a_lease_that_may_not_be_taken_is_said_once(
    idle_operator: OperatorProcess, proxy: FaultyProxy
) -> None:
    proxy.inject(Fault(Answer(403, "Forbidden"), methods=WRITES, path="/leases"))
    idle_operator.start()

    async def tried_thrice() -> bool:
        return len(proxy.lease_writes) >= 3

    await eventually(tried_thrice, what="three attempts at the Lease")

    (line,) = idle_operator.lines("the Lease was not taken")
    assert "injected: Forbidden" in line["error"]
    await ends_well(idle_operator)


async def test_every_line_of_the_log_is_json(idle_operator: OperatorProcess) -> None:
    idle_operator.settings["WINNOW_LOG_LEVEL"] = "DEBUG"
    idle_operator.start()
    await idle_operator.leads()
    await ends(idle_operator)

    lines = idle_operator.log.read_text().splitlines()
    loggers = {json.loads(line)["logger"].partition(".")[0] for line in lines}
    assert {"winnow_operator", "kopf"} <= loggers
