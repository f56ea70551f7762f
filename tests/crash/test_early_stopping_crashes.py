"""The operator is killed at every single write of a search that stops trials early, and decides the same."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass

import pytest

from tests.crash.figures import note
from tests.crash.stage import NODE_SECONDS, KillAt, Theatre, open_stage
from tests.support.api import eventually
from tests.support.climbers import Climbers
from tests.support.faulty_proxy import Moment, Write
from tests.support.namespace import Namespace
from tests.support.scripted_prometheus import scripted_prometheus
from tests.support.searchjobs import search_job
from tests.support.simulated_node import simulated_node

pytestmark = [pytest.mark.control_plane, pytest.mark.prove]

SIDE_BY_SIDE = 4
VALUES = {1: 0.3, 2: 0.9, 3: 0.1, 4: 0.8}
RULE = {"minimum": 1, "eta": 2, "minTrials": 4}
DECIDED = {1: "Stopped", 2: "Succeeded", 3: "Stopped", 4: "Succeeded"}


@dataclass(frozen=True, slots=True)
class Searched:
    """What came of a search."""

    outcomes: dict[int, str]
    winner: str
    writes: tuple[Write, ...]
    killed: bool
    complaints: tuple[str, ...]


async def search(theatre: Theatre, kill: KillAt | None = None) -> Searched:
    """A whole search, with a kill in its midst or without."""
    async with scripted_prometheus() as prometheus, open_stage(theatre) as stage:
        stage.operator.settings["WINNOW_PROMETHEUS_URL"] = prometheus.url
        climbers = Climbers(prometheus, VALUES, together=len(VALUES))
        node = simulated_node(
            stage.namespace.api, stage.namespace.name, climbers, look_seconds=NODE_SECONDS
        )
        async with node:
            await stage.start()
            if kill is not None:
                stage.proxy.kill_at(kill.number, kill.moment, pid=stage.operator.pid)
            reviving = asyncio.create_task(stage.restart_when_killed())
            try:
                budget = {"maxTrials": len(VALUES), "parallelism": len(VALUES)}
                job = search_job(earlyStopping=RULE, budget=budget)
                body = await stage.namespace.create_job(job)
                climbers.job_uid = str(body["metadata"]["uid"])
                await eventually(lambda: is_decided(stage.namespace), seconds=120, what="decisions")
                climbers.ending.update({2, 4})
                ended = await stage.namespace.ended("search", seconds=120)
                if len(stage.lead_seconds) == 1 and not stage.operator.is_running:
                    await reviving
            finally:
                reviving.cancel()
                await asyncio.gather(reviving, return_exceptions=True)
        trials = await stage.namespace.trials("search")
        return Searched(
            outcomes={t["spec"]["number"]: t["status"]["outcome"] for t in trials},
            winner=ended["status"]["winner"]["trial"],
            writes=tuple(stage.proxy.writes),
            killed=len(stage.lead_seconds) > 1,
            complaints=tuple(str(line) for line in stage.operator.complaints()),
        )


async def is_decided(namespace: Namespace) -> bool:
    """Whether all four are: two stopped, two let go on, and that is remembered."""
    trials = await namespace.trials("search")
    stopped = sum(t["status"]["outcome"] == "Stopped" for t in trials)
    rungs = (await namespace.job("search"))["status"].get("rungs", [])
    return bool(stopped == 2 and rungs == [{"rung": 1, "passed": "2,4"}])


@pytest.mark.timeout(1800)
async def test_a_kill_right_before_or_after_any_write_decides_the_same(theatre: Theatre) -> None:
    expected, limit = await search(theatre), asyncio.Semaphore(SIDE_BY_SIDE)

    async def case(kill: KillAt) -> tuple[bool, list[str]]:
        async with limit:
            found = await search(theatre, kill)
        wrong = [*found.complaints]
        if (found.outcomes, found.winner) != (DECIDED, expected.winner):
            wrong.append(f"{found.outcomes}, winner {found.winner}")
        return found.killed, [f"{kill}: {line}" for line in wrong]

    numbers = range(1, len(expected.writes) + 1)
    kills = [KillAt(number, moment) for number, moment in itertools.product(numbers, Moment)]
    cases = await asyncio.gather(*map(case, kills))
    note(f"early stopping: {len(cases)} cases, {sum(killed for killed, _ in cases)} kills")

    assert expected.outcomes == DECIDED
    assert [line for _, lines in cases for line in lines] == []
