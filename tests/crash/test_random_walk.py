"""Whatever was done to a search: once everybody leaves it alone, it comes to its end and to rest."""

from __future__ import annotations

import asyncio
import random

import pytest

from tests.crash.stage import Theatre, open_stage
from tests.crash.walk import FINAL_TRIALS, NAME, Walk, held_back
from tests.crash.world import World, world_of
from tests.support.simulated_node import simulated_node, succeed

pytestmark = pytest.mark.control_plane

STEPS = 15
QUIET_SECONDS = 10.0
SIDE_BY_SIDE = 4


def unsettled(world: World) -> list[str]:
    """What does not fit together in the final world."""
    status, trials = world["status"], world["trials"]
    conditions = {c["type"]: c["status"] for c in status["conditions"]}
    outcomes = [trial["status"]["outcome"] for trial in trials.values()]
    wrong = []
    if conditions["Complete"] != "True" or conditions["Reconciling"] != "False":
        wrong.append(f"conditions are {conditions}")
    if status["observedGeneration"] != world["generation"]:
        wrong.append(f"generation {world['generation']}, observed {status['observedGeneration']}")
    if any(c["observedGeneration"] != world["generation"] for c in status["conditions"]):
        wrong.append("a condition speaks of an older generation")
    if sorted(map(int, trials)) != list(range(1, FINAL_TRIALS + 1)):
        wrong.append(f"Trials have the numbers {sorted(map(int, trials))}")
    if outcomes != ["Succeeded"] * FINAL_TRIALS:
        wrong.append(f"outcomes are {outcomes}")
    if status["trials"]["succeeded"] != outcomes.count("Succeeded"):
        wrong.append(f"the status counts {status['trials']}, Trials are {outcomes}")
    return wrong


async def walk_and_rest(theatre: Theatre, seed: int) -> list[str]:
    """A line for everything that is wrong after a walk."""
    async with (
        open_stage(theatre) as stage,
        simulated_node(theatre.api, stage.namespace.name, held_back, look_seconds=0.1) as node,
    ):
        walk = Walk(stage, random.Random(seed))  # noqa: S311 -- dice
        await stage.start()
        await walk.begin()
        try:
            for _ in range(STEPS):
                await walk.step()
            node.script = succeed
            await walk.rest()
            await stage.namespace.ended(NAME, seconds=120)
            wrong = unsettled(await world_of(stage.namespace, NAME))
        except AssertionError as error:
            wrong = [str(error)]
        written = len(stage.proxy.writes)
        await asyncio.sleep(QUIET_SECONDS)  # nothing is awaited: nothing may come
        late = [f"{w.method} {w.path} after the end" for w in stage.proxy.writes[written:]]
        found = [*wrong, *late, *map(str, stage.operator.complaints())]
        return [f"seed {seed}: {line}; steps: {', '.join(walk.steps)}" for line in found]


async def walk_all(theatre: Theatre, seeds: range) -> list[str]:
    limit = asyncio.Semaphore(SIDE_BY_SIDE)

    async def one(seed: int) -> list[str]:
        async with limit:
            return await walk_and_rest(theatre, seed)

    return [line for lines in await asyncio.gather(*map(one, seeds)) for line in lines]


@pytest.mark.prove
async def test_a_search_comes_to_rest_after_any_of_many_walks(theatre: Theatre) -> None:
    assert await walk_all(theatre, range(100, 130)) == []
