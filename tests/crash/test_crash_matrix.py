"""The operator is killed at every single write of a search, and the final world is the same."""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from collections.abc import Iterable

import pytest

from tests.crash import scenarios
from tests.crash.figures import note
from tests.crash.invariants import broken_invariants
from tests.crash.scenarios import Scenario
from tests.crash.stage import KillAt, Played, Theatre, play
from tests.crash.world import differences
from tests.support.faulty_proxy import Moment

pytestmark = pytest.mark.control_plane

SIDE_BY_SIDE = 4
"""Cases at one time; most of a case is waiting."""


class Matrix:
    """One scenario, played without a kill and then with each of many."""

    def __init__(self, theatre: Theatre, scenario: Scenario) -> None:
        self.scenario = scenario
        self._theatre = theatre
        self._limit = asyncio.Semaphore(SIDE_BY_SIDE)
        self._begun = time.monotonic()

    async def play_undisturbed(self) -> Played:
        """What a search without a kill looks like."""
        return await play(self._theatre, self.scenario)

    async def play_all(self, kills: Iterable[KillAt]) -> list[str]:
        """A line for everything that is wrong in some case."""
        expected = await self.play_undisturbed()
        wrong = self._wrong(expected, expected)
        chosen = [k for k in kills if k.number <= len(expected.writes)]
        cases = await asyncio.gather(*(self._case(expected, kill) for kill in chosen))
        self._note(expected, [played for played, _ in cases if played is not None])
        return [*wrong, *(line for _, lines in cases for line in lines)]

    async def _case(self, expected: Played, kill: KillAt) -> tuple[Played | None, list[str]]:
        async with self._limit:
            write = expected.writes[kill.number - 1]
            where = f"{kill} ({write.method} {write.path.rpartition('/namespaces/')[2]})"
            try:
                played = await play(self._theatre, self.scenario, kill)
            except AssertionError as error:
                return None, [f"{where}: {error}"]
            return played, [f"{where}: {line}" for line in self._wrong(expected, played)]

    def _wrong(self, expected: Played, found: Played) -> list[str]:
        scenario = self.scenario
        lines = [*found.complaints, *broken_invariants(scenario.job, found.world)]
        if scenario.exact:
            lines += differences(expected.world, found.world)
        if scenario.runs_once and found.ran != expected.ran:
            lines.append(f"pods ran the trials {found.ran}")
        return lines

    def _note(self, expected: Played, cases: list[Played]) -> None:
        leads = [seconds for case in cases for seconds in case.lead_seconds]
        note(
            f"{self.scenario.name}: {len(expected.writes)} writes, {len(cases)} cases, "
            f"{sum(case.killed for case in cases)} kills, {time.monotonic() - self._begun:.0f} s; "
            f"the operator led after {statistics.median(leads or [0]):.1f} s (median)"
        )


@pytest.mark.prove
@pytest.mark.parametrize("scenario", scenarios.ALL, ids=lambda s: s.name)
async def test_a_kill_right_before_or_after_any_write_leads_to_the_same_world(
    theatre: Theatre, scenario: Scenario
) -> None:
    matrix = Matrix(theatre, scenario)

    kills = [KillAt(k, moment) for k, moment in itertools.product(range(1, 200), Moment)]
    assert await matrix.play_all(kills) == []


async def test_a_kill_after_some_writes_leads_to_the_same_world(theatre: Theatre) -> None:
    """A taste of the whole matrix, so that a search that cannot go on is seen at once."""
    matrix = Matrix(theatre, scenarios.RANDOM)

    assert await matrix.play_all([KillAt(k, Moment.AFTER) for k in range(1, 200, 5)]) == []
