"""Canaries on real pods under a steady load, judged by a real Prometheus: to promotion, by hand, and blind.

What the status says of their share of the requests is held against what the clients have counted.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.crash.figures import note
from tests.e2e.cluster import Cluster
from tests.e2e.conftest import PROFILE
from tests.e2e.models_on_a_claim import Stock
from tests.e2e.serving_client import small_server
from tests.e2e.steady_load import SteadyLoad, Totals, steady_load
from tests.support.api import Api, Body, eventually
from tests.support.modelservers import Servers, outcomes, revision
from tests.support.namespace import Namespace, conditions, holds

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.prove,
    pytest.mark.timeout(900),
    pytest.mark.skipif(
        (os.environ.get("CLUSTER") or "devcluster") != "devcluster",
        reason="no Prometheus is known there",
    ),
]


def canary(*pauses: str) -> Body:
    """A rollout whose step N has N pods beside the two that serve."""
    steps = [{"replicas": n, "pause": pause} for n, pause in enumerate(pauses, start=1)]
    # Latencies of a busy machine say nothing about a model.
    checks = {"minRequests": 200, "maxLatencyRatio": "50"}
    return {"strategy": "Canary", "canary": {"steps": steps, "checks": checks}}


CHECKS = {"Readiness", "Restarts", "ErrorRate", "Latency", "Agreement"}
NEAR = 0.05
"""How far a reported share may lie from the counted one, which is as much newer as a scrape may be old."""
SECONDS = 240.0


@dataclass(frozen=True, slots=True)
class Stage:
    """A server of two pods under load, whose connections end often enough to spread over all pods."""

    servers: Servers
    name: str
    models: Mapping[str, Body]
    load: SteadyLoad

    async def serves(self, model: str) -> Body:
        return await self.servers.serves(self.models[model], self.name, replicas=2, seconds=SECONDS)

    async def edit(self, **spec: object) -> None:
        await self.servers.edit(self.name, **spec)

    async def rollout(self) -> Body:
        """What the status says of the revision on its way; empty if none is."""
        body = await self.servers.get(self.name)
        found: Body = body.get("status", {}).get("rollout", {})
        return found


@dataclass(slots=True)
class Step:
    """What was seen of one step of a canary."""

    begun: Totals
    passed: set[str] = field(default_factory=set)
    """Checks that have passed at some time; it comes no further before all of them do."""
    weight: float = 0.0
    counted: float = 0.0
    """The canary's share of the answers that clients have got in the step."""
    messages: set[str] = field(default_factory=set)


async def watched_steps(stage: Stage, number: int) -> dict[int, Step]:
    """What is seen of a canary from its first step until it takes over."""
    steps: dict[int, Step] = {}

    async def is_through() -> bool:
        rollout = await stage.rollout()
        step = rollout.get("step")
        if step is None or "stepSince" not in rollout:
            return bool(steps) and step is None
        if step not in steps:
            steps[step] = Step(stage.load.totals())
        seen = steps[step]
        seen.passed |= {c["name"] for c in rollout["checks"] if c["verdict"] == "Passed"}
        seen.messages |= {c["message"] for c in rollout["checks"]}
        if seen.weight != float(rollout.get("weight", 0)):
            _compare_weight(seen, float(rollout["weight"]), stage.load.totals(), str(number))
        return False

    await eventually(is_through, seconds=SECONDS, what="the end of the canary's steps")
    return steps


def _compare_weight(seen: Step, weight: float, totals: Totals, canary: str) -> None:
    answered = totals.since(seen.begun).answered
    seen.weight = weight
    seen.counted = answered.get(canary, 0) / max(1, sum(answered.values()))


@pytest.fixture
async def servers(api: Api, stock: Stock) -> Servers:
    return Servers(Namespace(api, stock.namespace))


def watched_server(name: str, model: Body, **spec: object) -> Body:
    settings = {"connectionMaxAge": "2s"}
    return small_server(name, model=model, replicas=2, server=settings, **spec)


async def test_a_canary_is_promoted_step_by_step_and_its_share_is_the_one_that_clients_count(
    cluster: Cluster, servers: Servers, stock: Stock
) -> None:
    rollout = canary("40s", "40s")
    await servers.create(watched_server("watched", stock.models["first"], rollout=rollout))
    await servers.serves(stock.models["first"], "watched", replicas=2, seconds=SECONDS)
    async with steady_load(cluster, stock.namespace, "watched") as load:
        stage = Stage(servers, "watched", stock.models, load)
        await stage.edit(model=stock.models["second"])
        steps = await watched_steps(stage, 2)
        promoted = await stage.serves("second")
        await stage.edit(revision=1)
        back = await stage.serves("first")
        failures = load.totals().failures

    for number, step in sorted(steps.items()):
        note(f"canary, step {number + 1}: weight {step.weight:.3f}, counted {step.counted:.3f}")
        assert step.passed == CHECKS
        assert any(
            "recorded rows got the answer of the one that serves" in m for m in step.messages
        )
        assert any("requests failed (0.0%)" in m for m in step.messages)
        assert 0 < step.weight < 1
        assert abs(step.weight - step.counted) < NEAR
    assert set(steps) == {0, 1}
    assert outcomes(promoted) == {2: "Serving", 1: "Retired"}
    assert outcomes(back) == {2: "Retired", 1: "Serving"}
    assert failures == {}


async def test_a_canary_of_a_person_s_choice_is_promoted_and_gone_back_from_by_number(
    cluster: Cluster, servers: Servers, stock: Stock
) -> None:
    by_hand = watched_server(
        "by-hand", stock.models["first"], promotion="Manual", rollout=canary("15s", "15s")
    )
    await servers.create(by_hand)
    await servers.serves(stock.models["first"], "by-hand", replicas=2, seconds=SECONDS)
    async with steady_load(cluster, stock.namespace, "by-hand") as load:
        stage = Stage(servers, "by-hand", stock.models, load)
        await stage.edit(model=stock.models["second"])
        await servers.condition(
            "Progressing", "WaitingForPromotion", status="False", name="by-hand"
        )
        assert await stage.rollout() == {}
        await stage.edit(revision=2)
        steps = await watched_steps(stage, 2)
        promoted = await stage.serves("second")
        await stage.edit(revision=1)
        back = await stage.serves("first")
        failures = load.totals().failures

    assert set(steps) == {0, 1}
    assert outcomes(promoted) == {2: "Serving", 1: "Retired"}
    assert outcomes(back) == {2: "Retired", 1: "Serving"}
    assert failures == {}


async def test_a_prometheus_that_goes_away_in_the_middle_holds_the_canary_up_and_nothing_else(
    cluster: Cluster, servers: Servers, stock: Stock
) -> None:
    await servers.create(watched_server("blind", stock.models["first"], rollout=canary("45s")))
    await servers.serves(stock.models["first"], "blind", replicas=2, seconds=SECONDS)
    async with steady_load(cluster, stock.namespace, "blind") as load:
        stage = Stage(servers, "blind", stock.models, load)
        await stage.edit(model=stock.models["second"])
        await eventually(lambda: has_begun(stage), seconds=SECONDS, what="the canary's first step")
        with stopped_prometheus():
            said = await eventually(lambda: inconclusive(stage), seconds=90, what="no answer")
            await servers.create(watched_server("beside", stock.models["third"]))
            await servers.serves(stock.models["third"], "beside", replicas=2, seconds=SECONDS)
            held = await servers.get("blind")
        body = await stage.serves("second")
        failures = load.totals().failures

    assert "checks are inconclusive: Prometheus does not answer" in said
    assert held["status"]["rollout"]["step"] == 0
    assert revision(held, 2)["outcome"] == "RollingOut"
    assert holds(held, "Ready")
    assert outcomes(body) == {2: "Serving", 1: "Retired"}
    assert failures == {}


async def has_begun(stage: Stage) -> bool:
    """Whether the pause of a step runs, and its requests have been counted once."""
    rollout = await stage.rollout()
    return "stepSince" in rollout and "weight" in rollout


async def inconclusive(stage: Stage) -> str:
    body = await stage.servers.get(stage.name)
    found = conditions(body)["Progressing"]
    is_it = found["reason"] == "Inconclusive" and "Prometheus does not answer" in found["message"]
    return str(found["message"]) if is_it else ""


@contextmanager
def stopped_prometheus() -> Iterator[None]:
    """The node's Prometheus takes connections and answers nothing, as long as the block lasts."""
    processes = prometheus_processes()
    assert processes
    try:
        for number in processes:
            os.kill(number, signal.SIGSTOP)
        yield
    finally:
        for number in processes:
            os.kill(number, signal.SIGCONT)


def prometheus_processes() -> list[int]:
    """Process numbers of the Prometheus of the tests' own cluster."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().decode().split("\0")
        except OSError:  # it ended meanwhile
            continue
        is_ours = any(f"/profiles/{PROFILE}/" in word for word in words)
        if words[0].rpartition("/")[2] == "prometheus" and is_ours:
            found.append(int(folder.name))
    return found
