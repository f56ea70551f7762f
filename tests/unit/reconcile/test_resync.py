"""The resync: an event that was lost delays a job and never stops it; a deaf watch is noticed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.support.loop_clock import LoopClock
from tests.support.podfacts import pod_body, pod_fact
from winnow_operator.errors import NotFoundError, UnavailableError
from winnow_operator.kube.resources import PODS, Resource
from winnow_operator.reconcile.podbook import PodBook
from winnow_operator.reconcile.queue import Key, WorkQueue
from winnow_operator.reconcile.resync import (
    GRACE_SECONDS,
    PERIOD_SECONDS,
    RELIST_SECONDS,
    SPREAD_SECONDS,
    Resync,
    SeenJobs,
)

pytestmark = pytest.mark.looptime

DIGITS = Key("blue", "digits")


def job(name: str = "digits", version: str = "10", *, ended: str = "") -> dict[str, Any]:
    conditions = [{"type": ended, "status": "True"}] if ended else []
    return {
        "metadata": {"name": name, "namespace": "blue", "resourceVersion": version},
        "status": {"conditions": conditions},
    }


@dataclass
class Lists:
    """What the API server holds."""

    jobs: list[dict[str, Any]] = field(default_factory=list)
    pods: list[dict[str, Any]] = field(default_factory=list)
    away: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def list(
        self, resource: Resource, namespace: str, *, labels: str = "", fields: str = ""
    ) -> list[dict[str, Any]]:
        assert fields == ""
        self.asked.append((str(resource), namespace))
        if self.away:
            raise UnavailableError("no answer")
        if resource is PODS:
            assert labels == "winnow.dev/searchjob=digits"
            return self.pods
        return self.jobs

    async def get(self, resource: Resource, namespace: str, name: str) -> dict[str, Any]:
        for body in self.jobs:
            if (namespace, name) == ("blue", body["metadata"]["name"]):
                return body
        raise NotFoundError(f"no {resource} {name}")


@dataclass
class World:
    lists: Lists = field(default_factory=Lists)
    pods: PodBook = field(default_factory=PodBook)
    seen: SeenJobs = field(default_factory=SeenJobs)
    queue: WorkQueue = field(default_factory=lambda: WorkQueue(LoopClock()))

    def __post_init__(self) -> None:
        self.resync = Resync(self.lists, self.queue, self.pods, self.seen)

    async def queued(self) -> list[str]:
        names = []
        while self.queue.oldest_wait_seconds() or self.queue._later:
            key = await self.queue.take()
            self.queue.done(key)
            names.append(key.name)
        return sorted(names)


@pytest.fixture
def world() -> World:
    return World()


async def test_jobs_that_go_on_are_looked_at_and_finished_ones_are_not(world: World) -> None:
    world.lists.jobs = [job("runs"), job("ended", ended="Complete"), job("failed", ended="Failed")]
    for body in world.lists.jobs:
        world.seen.see(Key("blue", body["metadata"]["name"]), "10")

    await world.resync.compare_jobs()

    assert await world.queued() == ["runs"]
    assert world.resync.complaint == ""


async def test_jobs_that_go_on_are_not_all_looked_at_in_one_moment(world: World) -> None:
    world.lists.jobs = [job(f"runs-{number}") for number in range(100)]
    for body in world.lists.jobs:
        world.seen.see(Key("blue", body["metadata"]["name"]), "10")

    await world.resync.compare_jobs()
    await asyncio.sleep(SPREAD_SECONDS / 2)
    key = await world.queue.take()
    world.queue.done(key)

    assert 30 < world.queue.depth < 70
    assert len(await world.queued()) == 99
    assert asyncio.get_running_loop().time() <= SPREAD_SECONDS


async def test_a_job_that_the_watch_has_not_shown_is_looked_at_and_the_watch_is_deaf(
    world: World,
) -> None:
    world.lists.jobs = [job(ended="Complete")]
    comparing = asyncio.create_task(world.resync.compare_jobs())
    await asyncio.sleep(1)
    assert await world.queued() == ["digits"]
    assert world.resync.complaint == ""

    await comparing

    assert asyncio.get_running_loop().time() == pytest.approx(GRACE_SECONDS)
    assert world.resync.complaint == "the watch has not shown searchjob blue/digits"


@pytest.mark.parametrize("shown", ["10", "11", "100"])
async def test_a_watch_that_is_only_late_is_not_deaf(world: World, shown: str) -> None:
    world.lists.jobs = [job(version="10")]
    world.seen.see(DIGITS, "9")
    loop = asyncio.get_running_loop()
    loop.call_later(GRACE_SECONDS - 1, world.seen.see, DIGITS, shown)

    await world.resync.compare_jobs()

    assert world.resync.complaint == ""


async def test_a_watch_that_is_ahead_of_the_list_owes_nothing(world: World) -> None:
    world.lists.jobs = [job(version="99")]
    world.seen.see(DIGITS, "100")

    await world.resync.compare_jobs()

    assert asyncio.get_running_loop().time() == 0, "there is nothing to wait for"


async def test_a_job_that_was_deleted_meanwhile_does_not_make_the_watch_deaf(world: World) -> None:
    world.lists.jobs = [job()]
    asyncio.get_running_loop().call_later(5, world.lists.jobs.clear)

    await world.resync.compare_jobs()

    assert world.resync.complaint == ""


async def test_a_watch_that_hears_again_is_well(world: World) -> None:
    world.lists.jobs = [job()]
    await world.resync.compare_jobs()
    assert world.resync.complaint

    world.seen.see(DIGITS, "10")
    await world.resync.compare_jobs()

    assert world.resync.complaint == ""


async def test_memory_of_jobs_that_are_gone_is_let_go(world: World) -> None:
    for number in range(100):
        world.seen.see(Key("blue", str(number)), "1")

    await world.resync.compare_jobs()

    assert world.seen._versions == {}


async def test_pods_that_went_unseen_are_forgotten_and_their_job_is_looked_at(world: World) -> None:
    world.pods.put(pod_fact(uid="stays"))
    world.pods.put(pod_fact(uid="gone"))
    world.lists.pods = [pod_body("a", "stays")]

    await world.resync.compare_pods()

    assert world.pods.live(DIGITS) == {"stays"}
    assert await world.queued() == ["digits"]


async def test_pods_that_the_watch_has_shown_rightly_are_no_news(world: World) -> None:
    world.pods.put(pod_fact(uid="stays"))
    world.lists.pods = [pod_body("a", "stays")]

    await world.resync.compare_pods()

    assert await world.queued() == []


async def test_jobs_without_running_pods_are_not_asked_for(world: World) -> None:
    world.pods.put(pod_fact(phase="Succeeded"))

    await world.resync.compare_pods()

    assert world.lists.asked == []


async def test_lists_are_compared_once_in_a_period_whatever_the_api_server_says(
    world: World,
) -> None:
    running = asyncio.create_task(world.resync.run())
    await asyncio.sleep(PERIOD_SECONDS - 1)
    assert world.lists.asked == []

    world.lists.away = True
    await asyncio.sleep(2)
    assert world.lists.asked == [("searchjobs.winnow.dev", "")]
    await asyncio.sleep(PERIOD_SECONDS)
    assert len(world.lists.asked) == 2
    running.cancel()


async def test_a_watch_that_began_anew_has_the_pods_compared_soon_and_once(world: World) -> None:
    world.pods.put(pod_fact(uid="gone"))
    running = asyncio.create_task(world.resync.run())
    await asyncio.sleep(10)
    for _ in range(100):
        world.resync.relisted()

    await asyncio.sleep(RELIST_SECONDS + 1)

    assert world.lists.asked == [("pods", "blue")]
    assert world.pods.live(DIGITS) == set()
    running.cancel()
