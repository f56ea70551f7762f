"""Two replicas, twenty SIGKILLs at random moments: the search ends as if nothing had happened."""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from tests.crash.figures import note
from tests.crash.invariants import broken_invariants
from tests.crash.replicas import Replica, leader, open_replicas, writes_without_lease
from tests.crash.scenarios import Scenario
from tests.crash.stage import Theatre, play
from tests.crash.world import differences, world_of
from tests.support.api import Body
from tests.support.compressionjobs import compress, compression_job
from tests.support.namespace import Namespace, new_namespace
from tests.support.searchjobs import search_job
from tests.support.simulated_node import Ending, PodView, simulated_node, succeed

pytestmark = [pytest.mark.control_plane, pytest.mark.prove]

KILLS = 20
TRIALS = 60
SEED = 20261125
STAYS_DEAD = 4
"""Every fourth leader stays dead until the other replica leads, which takes its Lease's time."""
MOST_SECONDS_TO_TAKE_OVER = 25.0
"""The Lease lasts 15 s, and is looked at every 2 s; the rest is a busy machine."""


@dataclass(slots=True)
class Gate:
    """Lets a few pods end after each kill, so that the search lasts as long as the kills."""

    allowed: int = 0
    ended: set[str] = field(default_factory=set)

    ending: Callable[[PodView], Ending] = succeed

    def script(self, pod: PodView) -> Ending | None:
        """A pod ends if it may."""
        if len(self.ended) >= self.allowed and pod.name not in self.ended:
            return None
        self.ended.add(pod.name)
        return self.ending(pod)


@dataclass(slots=True)
class Killer:
    """Kills replicas and starts them again."""

    namespace: Namespace
    replicas: list[Replica]
    source: random.Random
    take_overs: list[float] = field(default_factory=list)
    leaders_killed: int = 0

    async def strike(self, number: int) -> None:
        """Kill the leader, or every third time any replica, at a random moment."""
        await asyncio.sleep(self.source.uniform(0.0, 1.5))
        first = await leader(self.namespace, self.replicas)
        victim = first if number % 3 else self.source.choice(self.replicas)
        victim.operator.kill()
        if victim is first:
            self.leaders_killed += 1
            if self.leaders_killed % STAYS_DEAD == 0:
                await self._wait_for_the_other(victim)
        victim.operator.start()

    async def _wait_for_the_other(self, victim: Replica) -> None:
        begun = time.monotonic()
        await leader(self.namespace, [r for r in self.replicas if r is not victim])
        self.take_overs.append(time.monotonic() - begun)


def tpe_job() -> Body:
    budget = {"maxTrials": TRIALS, "parallelism": 5}
    return search_job("long", algorithm={"name": "TPE", "seed": 11}, budget=budget)


async def test_twenty_kills_at_random_moments_lose_and_double_nothing(theatre: Theatre) -> None:
    begun, gate = time.monotonic(), Gate()
    async with (
        new_namespace(theatre.api) as namespace,
        open_replicas(theatre, namespace) as replicas,
        simulated_node(theatre.api, namespace.name, gate.script, look_seconds=0.1) as node,
    ):
        killer = Killer(namespace, replicas, random.Random(SEED))  # noqa: S311 -- dice
        for replica in replicas:
            replica.operator.start()
        await leader(namespace, replicas)
        await namespace.create_job(tpe_job())
        for number in range(1, KILLS + 1):
            gate.allowed = number * (TRIALS // KILLS)
            await killer.strike(number)
        gate.allowed = TRIALS
        await namespace.ended("long", seconds=240)
        world = await world_of(namespace, "long")
        ran = sorted(number for numbers in node.ran for number in numbers)

        assert broken_invariants(tpe_job(), world) == []
        assert ran == list(range(1, TRIALS + 1))
        assert writes_without_lease(replicas) == []
        assert [line for r in replicas for line in r.operator.complaints()] == []
        assert max(killer.take_overs) < MOST_SECONDS_TO_TAKE_OVER
        note(
            f"two replicas: {KILLS} kills, {killer.leaders_killed} of the leader, "
            f"{len(killer.take_overs)} take-overs by the other in "
            f"{statistics.median(killer.take_overs):.1f} s (median), "
            f"{max(killer.take_overs):.1f} s (most); {time.monotonic() - begun:.0f} s in all"
        )


CANDIDATES = 12
"""Models of the compression: with two rounds of measurement, and a pod more for each, they last as
long as the kills."""


def long_compression() -> Body:
    auto = {"maxCandidates": CANDIDATES - 1, "candidatesPerRound": 4, "seed": 11}
    return compression_job("long", auto=auto)


async def test_kills_at_random_moments_change_nothing_of_a_compression(theatre: Theatre) -> None:
    begun, gate = time.monotonic(), Gate(ending=compress)
    async with (
        new_namespace(theatre.api) as namespace,
        open_replicas(theatre, namespace) as replicas,
        simulated_node(theatre.api, namespace.name, gate.script, look_seconds=0.1) as node,
    ):
        jobs = namespace.compressions
        killer = Killer(namespace, replicas, random.Random(SEED))  # noqa: S311 -- dice
        for replica in replicas:
            replica.operator.start()
        await leader(namespace, replicas)
        await jobs.create_job(long_compression())
        for number in range(1, CANDIDATES + 1):
            gate.allowed = number
            await killer.strike(number)
        gate.allowed = 1000
        await jobs.ended("long", seconds=240)
        world = await world_of(jobs, "long")
        built = sorted(number for numbers in node.ran for number in numbers)
        undisturbed = await play(theatre, Scenario("long", long_compression(), script=compress))

        assert broken_invariants(long_compression(), world) == []
        for part in ("trials", "status"):
            assert differences(undisturbed.world[part], world[part]) == []
        assert built == list(range(1, CANDIDATES + 1))
        assert writes_without_lease(replicas) == []
        assert [line for r in replicas for line in r.operator.complaints()] == []
        note(
            f"compression, two replicas: {CANDIDATES} kills, {killer.leaders_killed} of the "
            f"leader; {time.monotonic() - begun:.0f} s in all"
        )
