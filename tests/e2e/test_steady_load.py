"""No request is lost: under steady load from clients that never ask twice, everything moves that can.

Two models take turns pod by pod and by a canary, one is gone back to, pods come and go, one is
evicted, and both replicas of the operator die in the midst of a rollout.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from tests.crash.figures import note
from tests.e2e.cluster import Cluster
from tests.e2e.models_on_a_claim import Stock
from tests.e2e.serving_client import small_server
from tests.e2e.steady_load import SteadyLoad, Totals, steady_load
from tests.support.api import Api, Body, eventually
from tests.support.modelservers import Servers
from tests.support.namespace import Namespace

pytestmark = [pytest.mark.cluster, pytest.mark.prove, pytest.mark.timeout(1500)]

LEAST = 50_000
"""Requests in all."""
NAME = "loaded"
CANARY = {
    "strategy": "Canary",
    "canary": {
        "steps": [{"replicas": 1, "pause": "15s"}],
        # What is tried here is whether requests get lost; the latencies of a busy machine are not.
        "checks": {"minRequests": 100, "maxLatencyRatio": "20"},
    },
}


@dataclass(frozen=True, slots=True)
class Moves:
    """What happens to a server while it is asked."""

    cluster: Cluster
    servers: Servers
    first: Body
    second: Body

    async def another_model(self) -> None:
        await self.servers.edit(NAME, model=self.second)
        await self._serve(self.second)

    async def canary_to_promotion(self) -> None:
        await self.servers.edit(NAME, model=self.first, rollout=CANARY)
        await self.servers.state("Canary", NAME)
        await self._serve(self.first)

    async def rollback(self) -> None:
        await self.servers.edit(NAME, revision=2)
        await self._serve(self.second)
        await self.servers.edit(NAME, revision=None, model=self.second)
        await self._serve(self.second)

    async def scale_up_and_down(self) -> None:
        for replicas in (4, 1, 2):
            await self.servers.edit(NAME, replicas=replicas)
            await self._serve(self.second, replicas=replicas)

    async def eviction(self) -> None:
        pod = (await self.servers.pods(NAME))[0]["metadata"]
        path = f"/api/v1/namespaces/{pod['namespace']}/pods/{pod['name']}"
        await self.servers.evict(pod["name"])

        async def gone() -> bool:
            return not await self.servers.api.exists(path)

        await eventually(gone, seconds=90, what="the evicted pod's end")
        await self._serve(self.second)

    async def killed_operator(self) -> None:
        await self.servers.edit(NAME, model=self.first, rollout=None)
        await self.servers.state("RollingOut", NAME)
        self.cluster.kill_operator()
        await self._serve(self.first)

    async def _serve(self, model: Body, replicas: int = 2) -> None:
        await self.servers.serves(model, NAME, replicas=replicas, seconds=240)
        await self.servers.has_pods(replicas, NAME)


async def test_no_request_is_lost_whatever_moves(cluster: Cluster, api: Api, stock: Stock) -> None:
    servers = Servers(Namespace(api, stock.namespace))
    moves = Moves(cluster, servers, stock.models["first"], stock.models["second"])
    spec = {"model": moves.first, "replicas": 2}
    await servers.create(small_server(NAME, **spec))
    await servers.serves(moves.first, NAME, replicas=2, seconds=180)
    phases: dict[str, Callable[[], Awaitable[None]]] = {
        "one model to another": moves.another_model,
        "canary to promotion": moves.canary_to_promotion,
        "rollback": moves.rollback,
        "scaled to 4, 1 and 2 pods": moves.scale_up_and_down,
        "a pod evicted": moves.eviction,
        "operator killed in a rollout": moves.killed_operator,
    }

    async with steady_load(cluster, stock.namespace, NAME) as load:
        start = load.totals()
        table = {
            title: await phase(load, move, LEAST // len(phases) + 1)
            for title, move in phases.items()
        }
        whole = load.totals().since(start)

    for title, found in {**table, "in all": whole}.items():
        note(
            f"{title:30} {found.requests:7} requests {found.failed:5} failed {dict(found.failures) or ''}"
        )
    assert whole.failures == {}
    assert whole.requests >= LEAST
    assert set(whole.answered) == {"1", "2", "3", "4"}


async def phase(load: SteadyLoad, move: Callable[[], Awaitable[None]], least: int) -> Totals:
    """What came of the requests while something moved."""
    start = load.totals()
    await move()
    return await load.requests_since(start, least)
