"""The operator is killed at every single write of a server's life, and the final world is the same.

The life: a first model, a second one that goes through the steps of a canary, with Prometheus asked at
each, and takes over, a third one that the server refuses, so that its canary is aborted.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterable
from dataclasses import dataclass

import pytest

from tests.crash.figures import note
from tests.crash.stage import KillAt, Stage, Theatre, open_stage
from tests.crash.world import World, differences, said, timeless
from tests.support.api import eventually
from tests.support.faulty_proxy import Moment, Write
from tests.support.modelservers import FIRST, SECOND, THIRD, Servers, artifact, model_server
from tests.support.scripted_prometheus import scripted_prometheus
from tests.support.serving_node import Fares, ServerView, serving_node
from winnow_operator.domain.kinds import Kind
from winnow_operator.domain.servers.loads import Load
from winnow_operator.kube.resources import EVENTS, SERVER_CHILDREN

pytestmark = pytest.mark.control_plane

SIDE_BY_SIDE = 4
"""Cases at one time; most of a case is waiting."""
SECONDS = 120.0
STEPS = [{"replicas": 1, "pause": "1s"}, {"replicas": 2, "pause": "1s"}]
CANARY = {"strategy": "Canary", "canary": {"steps": STEPS}}
WELL = Load(requests=500, errors=0, p95_seconds=0.01)


@dataclass(frozen=True, slots=True)
class Lived:
    """What came of a life."""

    world: World
    writes: tuple[Write, ...]
    killed: bool
    complaints: tuple[str, ...]
    least_ready: int
    """The fewest pods that were ready at one time, once the first model served."""


def refuses_the_third(pod: ServerView) -> Fares:
    return Fares(refusal="damaged") if pod.digest == THIRD else Fares()


async def live(theatre: Theatre, kill: KillAt | None = None) -> Lived:
    """A whole life, with a kill in its midst or without."""
    async with scripted_prometheus() as prometheus, open_stage(theatre) as stage:
        namespace = stage.namespace
        prometheus.loads = dict.fromkeys((1, 2, 3), WELL)
        stage.operator.settings["WINNOW_PROMETHEUS_URL"] = prometheus.url
        async with serving_node(namespace.api, namespace.name, refuses_the_third) as node:
            await stage.start()
            if kill is not None:
                stage.proxy.kill_at(kill.number, kill.moment, pid=stage.operator.pid)
            reviving = asyncio.create_task(stage.restart_when_killed())
            try:
                servers = Servers(namespace)
                await servers.create(model_server(replicas=2, rollout=CANARY))
                await servers.serves(artifact(FIRST), replicas=2, seconds=SECONDS)
                node.least_ready = 2
                await servers.edit(model=artifact(SECOND))
                await servers.serves(artifact(SECOND), replicas=2, seconds=SECONDS)
                await servers.edit(model=artifact(THIRD))
                await servers.state("RolloutAborted", seconds=SECONDS)
                await servers.only_deployment("digits-r2", seconds=SECONDS)
                await eventually(lambda: is_settled(servers), what="the end of the canary's pod")
                world = await world_of(stage, servers)
            except AssertionError as error:
                raise AssertionError(f"{error}; {stage.last_words()}") from error
            finally:
                reviving.cancel()
                await asyncio.gather(reviving, return_exceptions=True)
        return Lived(
            world=world,
            writes=tuple(stage.proxy.writes),
            killed=len(stage.lead_seconds) > 1,
            complaints=tuple(str(line) for line in stage.operator.complaints()),
            least_ready=node.least_ready,
        )


async def is_settled(servers: Servers) -> bool:
    """Whether the status counts no pod that goes."""
    return bool((await servers.get())["status"]["replicas"] == 2)


async def world_of(stage: Stage, servers: Servers) -> World:
    namespace = stage.namespace
    body = await servers.get()
    events = (await namespace.api.get(namespace.path(EVENTS)))["items"]
    children = {
        kind: sorted(
            child["metadata"]["name"]
            for child in (await namespace.api.get(namespace.path(resource)))["items"]
        )
        for kind, resource in SERVER_CHILDREN.items()
    }
    return {
        "generation": body["metadata"]["generation"],
        "status": _without_pods(timeless(body["status"])),
        "events": said([e for e in events if e["regarding"]["kind"] == Kind.SERVER]),
        "deployments": await servers.deployments(),
        "children": children,
    }


def _without_pods(status: World) -> World:
    """Names of pods differ, and namespaces do."""
    history = [{**r, "message": r["message"].partition("pod ")[0]} for r in status["history"]]
    conditions = [{**c, "message": ""} for c in status["conditions"]]
    return {**status, "history": history, "conditions": conditions, "url": ""}


def wrong(expected: Lived, found: Lived) -> list[str]:
    """A line for everything that is wrong."""
    lines = [*found.complaints, *differences(_countless(expected.world), _countless(found.world))]
    repeated = {text: count for text, count in found.world["events"].items() if count > 1}
    if repeated:
        lines.append(f"Events were written more than once: {repeated}")
    if found.least_ready < 2:
        lines.append(f"only {found.least_ready} of 2 pods were ready at some time")
    return lines


def _countless(world: World) -> World:
    """Without the Events, whose words name pods; that none is written twice is looked at apart."""
    return {key: value for key, value in world.items() if key != "events"}


async def matrix(theatre: Theatre, kills: Iterable[KillAt]) -> list[str]:
    """A line for everything that is wrong in some case."""
    begun, limit = time.monotonic(), asyncio.Semaphore(SIDE_BY_SIDE)
    expected = await live(theatre)

    async def case(kill: KillAt) -> tuple[bool, list[str]]:
        async with limit:
            write = expected.writes[kill.number - 1]
            where = f"{kill} ({write.method} {write.path.rpartition('/namespaces/')[2]})"
            try:
                lived = await live(theatre, kill)
            except AssertionError as error:
                return False, [f"{where}: {error}"]
            return lived.killed, [f"{where}: {line}" for line in wrong(expected, lived)]

    chosen = [k for k in kills if k.number <= len(expected.writes)]
    cases = await asyncio.gather(*map(case, chosen))
    note(
        f"rollouts: {len(expected.writes)} writes, {len(cases)} cases, "
        f"{sum(killed for killed, _ in cases)} kills, {time.monotonic() - begun:.0f} s"
    )
    return [*wrong(expected, expected), *(line for _, lines in cases for line in lines)]


@pytest.mark.prove
async def test_a_kill_right_before_or_after_any_write_of_a_rollout_leads_to_the_same_world(
    theatre: Theatre,
) -> None:
    kills = [KillAt(k, moment) for k, moment in itertools.product(range(1, 200), Moment)]

    assert await matrix(theatre, kills) == []
