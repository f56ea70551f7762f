"""Early stopping across pods on a real API server, with pods and a Prometheus that are played."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.api import Body, eventually
from tests.support.audit import AuditLog, audit_log_beside, count_writes, of_accounts, within
from tests.support.climbers import Climbers
from tests.support.namespace import Namespace, conditions, outcomes
from tests.support.operator_process import OperatorProcess, running
from tests.support.scripted_prometheus import ScriptedPrometheus, scripted_prometheus
from tests.support.searchjobs import search_job
from tests.support.simulated_node import INDEX, simulated_node

pytestmark = pytest.mark.control_plane

# All trials are of one batch, so that index i runs trial i + 1.
RULE = {"minimum": 1, "eta": 2, "minTrials": 2}


@pytest.fixture
async def prometheus() -> AsyncIterator[ScriptedPrometheus]:
    async with scripted_prometheus() as started:
        yield started


@pytest.fixture
async def operator(
    idle_operator: OperatorProcess, prometheus: ScriptedPrometheus
) -> AsyncIterator[OperatorProcess]:
    idle_operator.settings["WINNOW_PROMETHEUS_URL"] = prometheus.url
    async with running(idle_operator):
        yield idle_operator
    assert idle_operator.complaints() == []


@pytest.fixture
def audit(control_plane: Path) -> AuditLog:
    return audit_log_beside(control_plane)


async def make(namespace: Namespace, trials: int, parallelism: int) -> str:
    """Make a job; gives its uid."""
    budget = {"maxTrials": trials, "parallelism": parallelism}
    body = await namespace.create_job(search_job(earlyStopping=RULE, budget=budget))
    return str(body["metadata"]["uid"])


async def by_number(namespace: Namespace) -> dict[int, Body]:
    """Status of each Trial."""
    return {t["spec"]["number"]: t["status"] for t in await namespace.trials("search")}


async def stopped(namespace: Namespace, *numbers: int) -> dict[int, Body]:
    """The Trials once exactly these are stopped and their pods are gone."""

    async def check() -> dict[int, Body] | None:
        trials = await by_number(namespace)
        if {n for n, t in trials.items() if t["outcome"] == "Stopped"} != set(numbers):
            return None
        indexes = {int(p["metadata"]["annotations"][INDEX]) for p in await namespace.pods("search")}
        return None if indexes.intersection(number - 1 for number in numbers) else trials

    return await eventually(check, seconds=60, what=f"the stop of {numbers}")


async def passed(namespace: Namespace, shown: list[Body]) -> None:
    """Wait until the status remembers who was let go on."""

    async def check() -> bool:
        return bool((await namespace.job("search"))["status"].get("rungs", []) == shown)

    await eventually(check, seconds=60, what=f"rungs {shown}")


async def lives(namespace: Namespace, shown: Body) -> None:
    """Wait until the status shows this as the best of the trials that run."""

    async def check() -> bool:
        return bool((await namespace.job("search"))["status"].get("live") == shown)

    await eventually(check, seconds=60, what=f"live {shown}")


async def test_asha_stops_the_worse_half_ends_their_pods_and_lets_the_best_win(
    namespace: Namespace, operator: OperatorProcess, prometheus: ScriptedPrometheus, audit: AuditLog
) -> None:
    assert operator.is_running
    mark = await audit.settled_mark(namespace.api)
    climbers = Climbers(prometheus, {1: 0.3, 2: 0.9, 3: 0.1, 4: 0.8}, together=4)
    async with simulated_node(namespace.api, namespace.name, climbers):
        climbers.job_uid = await make(namespace, trials=4, parallelism=4)
        trials = await stopped(namespace, 1, 3)
        await passed(namespace, [{"rung": 1, "passed": "2,4"}])
        await lives(namespace, {"trial": "search-t00002", "value": "0.9", "step": 1})
        climbers.ending.update({2, 4})
        body = await namespace.ended("search")

    assert trials[3]["cause"] == "EarlyStopping"
    assert trials[3]["message"] == "ASHA at 1 epoch: place 4 of 4, of which the best 2 go on"
    assert (trials[3]["score"], trials[3]["rungs"]) == ("-0.1", [{"rung": 1, "value": "0.1"}])
    status = body["status"]
    assert (status["winner"]["trial"], status["progress"]) == ("search-t00002", "4/4")
    assert status.get("rungs", []) == []
    assert conditions(body)["MetricsAvailable"]["reason"] == "Scraped"
    counted = count_writes(
        within(
            of_accounts(await audit.settled_since(mark, namespace.api), namespace.name),
            namespace.name,
        )
    )
    assert counted.objects <= 2 * 4 + 2 * 6


async def test_what_was_let_go_on_at_a_rung_is_not_decided_there_again_after_a_restart(
    namespace: Namespace, operator: OperatorProcess, prometheus: ScriptedPrometheus
) -> None:
    values = {1: 0.4, 2: 0.3}
    climbers = Climbers(prometheus, values)
    async with simulated_node(namespace.api, namespace.name, climbers):
        climbers.job_uid = await make(namespace, trials=4, parallelism=2)
        await stopped(namespace, 2)  # of two, one goes on
        await passed(namespace, [{"rung": 1, "passed": "1"}])
        operator.kill()
        operator.start()
        await namespace.edit_job("search", budget={"maxTrials": 4, "parallelism": 3})
        values |= {3: 0.8, 4: 0.9}
        # Among all four, trial 1 would be third of which two go on.
        await passed(namespace, [{"rung": 1, "passed": "1,3-4"}])
        trials = await by_number(namespace)
        climbers.ending.update({1, 3, 4})
        await namespace.ended("search")

    assert [trials[n]["outcome"] for n in (1, 2, 3, 4)] == ["Active", "Stopped", "Active", "Active"]
    assert outcomes(await namespace.trials("search")).count("Succeeded") == 3


@pytest.mark.parametrize(
    "lie", ["of a job before", pytest.param("of an attempt before", marks=pytest.mark.prove)]
)
async def test_foreign_and_stale_series_stop_nothing(
    namespace: Namespace, operator: OperatorProcess, prometheus: ScriptedPrometheus, lie: str
) -> None:
    assert operator.is_running
    climbers = Climbers(prometheus, {1: 0.4, 2: 0.3, 3: 0.2})
    async with simulated_node(namespace.api, namespace.name, climbers):
        uid = await make(namespace, trials=3, parallelism=3)
        climbers.job_uid = "another" if lie == "of a job before" else uid
        climbers.attempt = "00000000" if lie == "of an attempt before" else ""
        await eventually(
            lambda: asked_twice_of(prometheus, climbers), what="answers with the series"
        )
        climbers.ending.update({1, 2, 3})
        body = await namespace.ended("search")

    assert outcomes(await namespace.trials("search")) == ["Succeeded"] * 3
    expected = "Pending" if lie == "of a job before" else "Scraped"
    assert conditions(body)["MetricsAvailable"]["reason"] == expected


async def asked_twice_of(prometheus: ScriptedPrometheus, climbers: Climbers) -> bool:
    """Whether values at rungs were asked for twice while all three pods showed theirs."""
    if len(prometheus.trials) < len(climbers.values):
        prometheus.asked.clear()
    return await asked_twice(prometheus)


async def test_a_silent_prometheus_holds_nothing_up_and_is_said(
    namespace: Namespace, operator: OperatorProcess, prometheus: ScriptedPrometheus
) -> None:
    assert operator.is_running
    prometheus.silent = True
    climbers = Climbers(prometheus, {1: 0.4, 2: 0.3, 3: 0.2})
    async with simulated_node(namespace.api, namespace.name, climbers):
        climbers.job_uid = await make(namespace, trials=3, parallelism=3)
        found = await namespace.condition(
            "search", "MetricsAvailable", "PrometheusUnreachable", status="False", seconds=60
        )
        climbers.ending.update({1, 2, 3})
        body = await namespace.ended("search", seconds=20)

    assert "check prometheus.url" in found["message"]
    assert outcomes(await namespace.trials("search")) == ["Succeeded"] * 3
    assert body["status"]["winner"]["trial"] == "search-t00001"


@pytest.mark.prove
async def test_a_prometheus_that_lost_its_series_stops_nothing_until_it_has_them_again(
    namespace: Namespace, operator: OperatorProcess, prometheus: ScriptedPrometheus
) -> None:
    assert operator.is_running
    climbers = Climbers(prometheus, {1: 0.4, 2: 0.3})
    async with simulated_node(namespace.api, namespace.name, climbers):
        uid = climbers.job_uid = await make(namespace, trials=2, parallelism=2)
        await stopped(namespace, 2)
        await passed(namespace, [{"rung": 1, "passed": "1"}])
        climbers.job_uid = ""
        prometheus.trials.clear()
        prometheus.asked.clear()
        await eventually(lambda: asked_twice(prometheus), what="answers without series")
        found = conditions(await namespace.job("search"))["MetricsAvailable"]
        climbers.job_uid = uid
        climbers.ending.add(1)
        body = await namespace.ended("search")

    assert (found["status"], found["reason"]) == ("True", "Scraped")  # so soon that may be a gap
    assert outcomes(await namespace.trials("search")) == ["Succeeded", "Stopped"]
    assert body["status"]["winner"]["trial"] == "search-t00001"


async def asked_twice(prometheus: ScriptedPrometheus) -> bool:
    return sum("rung_value" in query for query in prometheus.asked) > 1
