"""The first ledgers of jobs: many are read in one list, each is its job's own and as new as it must be."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from tests.support.facts import record_of
from winnow_operator.errors import UnavailableError
from winnow_operator.kube.gateway import Bodies, Gateway
from winnow_operator.kube.resources import TRIALS, Resource
from winnow_operator.manifests.objects import Owner
from winnow_operator.manifests.trials import trial_object
from winnow_operator.reconcile.firstledgers import MOST_JOBS, MOST_TRIALS, FirstLedgers
from winnow_operator.reconcile.queue import Key

pytestmark = pytest.mark.looptime

SECONDS = 1.0
"""That each of the two pages of a list takes."""


@dataclass
class Lists:
    """An API server that holds Trials, by (namespace, name of the job)."""

    trials: dict[tuple[str, str], Bodies] = field(default_factory=dict)
    asked: list[list[str]] = field(default_factory=list)
    """The jobs of each list."""
    away: int = 0
    """How many lists get no answer."""

    def add(self, owner: Owner, *numbers: int) -> None:
        held = self.trials.setdefault((owner.namespace, owner.name), [])
        held += [trial_object(owner, record_of(number)) for number in numbers]

    async def pages(
        self, resource: Resource, namespace: str, *, labels: str
    ) -> AsyncIterator[Bodies]:
        assert resource is TRIALS
        key, _, names = labels.rstrip(")").partition(" in (")
        assert key == "winnow.dev/searchjob"
        self.asked.append(names.split(","))
        await asyncio.sleep(SECONDS)
        if self.away:
            self.away -= 1
            raise UnavailableError("no answer")
        found = [
            body for name in names.split(",") for body in self.trials.get((namespace, name), ())
        ]
        yield found[:2]
        await asyncio.sleep(SECONDS)
        yield found[2:]


def owner(name: str, uid: str = "", namespace: str = "blue") -> Owner:
    return Owner(namespace, name, uid or f"uid-of-{name}")


def key(name: str, namespace: str = "blue") -> Key:
    return Key(namespace, name)


@dataclass
class World:
    lists: Lists = field(default_factory=Lists)

    def __post_init__(self) -> None:
        self.ledgers = FirstLedgers(cast("Gateway", self.lists))

    def expect(self, *names: str, trials: int = 2, namespace: str = "blue") -> None:
        for name in names:
            self.ledgers.expect(key(name, namespace), f"uid-of-{name}", trials)

    async def read(self, name: str, **more: Any) -> list[int]:
        return sorted((await self.ledgers.read(owner(name, **more))).records)


@pytest.fixture
def world() -> World:
    world = World()
    for number, name in enumerate("abc"):
        world.lists.add(owner(name), *range(1, 3 + number))
    return world


async def test_jobs_that_are_expected_are_read_with_the_first_each_with_its_own_trials(
    world: World,
) -> None:
    world.expect("a", "b", "c")

    found = [await world.read(name) for name in "bac"]

    assert found == [[1, 2, 3], [1, 2], [1, 2, 3, 4]]
    assert world.lists.asked == [["b", "a", "c"]]


async def test_workers_of_one_namespace_wait_for_the_one_list_and_others_do_not(
    world: World,
) -> None:
    world.lists.add(owner("d", namespace="green"), 7)
    world.expect("a", "b", "c")
    world.expect("d", namespace="green")

    found = await asyncio.gather(*map(world.read, "abc"), world.read("d", namespace="green"))

    assert found == [[1, 2], [1, 2, 3], [1, 2, 3, 4], [7]]
    assert world.lists.asked == [["a", "b", "c"], ["d"]]
    assert asyncio.get_running_loop().time() == pytest.approx(2 * SECONDS)


async def test_a_job_that_nobody_expects_reads_its_own(world: World) -> None:
    assert await world.read("a") == [1, 2]
    assert await world.read("a") == [1, 2]
    assert world.lists.asked == [["a"], ["a"]]


@pytest.mark.parametrize("seconds", [0.5, 1.5, 3.0])
async def test_what_was_read_before_a_trial_left_the_watch_is_read_again(
    world: World, seconds: float
) -> None:
    world.expect("a", "b")
    first = asyncio.create_task(world.read("a"))
    await asyncio.sleep(seconds)

    world.lists.trials["blue", "b"].pop()
    world.ledgers.drop(key("b"))

    assert await world.read("b") == [1, 2]
    assert await first == [1, 2]
    assert world.lists.asked == [["a", "b"], ["b"]]


async def test_a_reader_whose_trial_leaves_the_watch_while_it_reads_reads_again(
    world: World,
) -> None:
    reading = asyncio.create_task(world.read("c"))
    await asyncio.sleep(1.5 * SECONDS)

    world.lists.trials["blue", "c"].pop()
    world.ledgers.drop(key("c"))

    assert await reading == [1, 2, 3]
    assert world.lists.asked == [["c"], ["c"]]


async def test_what_was_read_serves_one_look(world: World) -> None:
    world.expect("a", "b")

    await world.read("a")
    await world.read("b")
    world.lists.add(owner("b"), 9)

    assert await world.read("b") == [1, 2, 3, 9]


async def test_trials_of_a_deleted_namesake_do_not_count(world: World) -> None:
    world.lists.add(owner("b", uid="newer"), 8)
    world.expect("a", "b")
    await world.read("a")

    assert await world.read("b", uid="newer") == [8]


async def test_a_list_that_fails_is_the_error_of_its_reader_alone(world: World) -> None:
    world.lists.away = 1
    world.expect("a", "b")

    first, second = await asyncio.gather(world.read("a"), world.read("b"), return_exceptions=True)

    assert isinstance(first, UnavailableError)
    assert second == [1, 2, 3]
    assert await world.read("a") == [1, 2]


async def test_one_list_reads_a_bounded_number_of_jobs_and_of_trials(world: World) -> None:
    small = [f"s{number:03d}" for number in range(100)]
    world.expect("large", trials=MOST_TRIALS + 1)
    world.expect(*small, trials=100)

    for name in ("large", *small):
        assert await world.read(name) == []

    assert Counter(map(len, world.lists.asked)) == {1: 1, MOST_TRIALS // 100: 2}
    few = World()
    few.expect(*small, trials=0)
    for name in small:
        await few.read(name)
    assert [len(names) for names in few.lists.asked] == [MOST_JOBS, 100 - MOST_JOBS]


async def test_nothing_is_kept_of_jobs_that_were_looked_at(world: World) -> None:
    world.expect("a", "b", "c")
    await world.read("a")

    for name in "abc":
        world.ledgers.drop(key(name))

    assert world.ledgers == FirstLedgers(world.ledgers.gateway)
