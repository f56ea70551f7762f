"""Leadership: the contract over memory, and its course in time."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field

import looptime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.examples import examples
from tests.support.lease_contract import LeaseContract
from tests.support.lease_memory import LeaseClient, MemoryLeases
from tests.support.loop_clock import LoopClock
from winnow_operator.kube.lease import (
    DURATION_SECONDS,
    LAST_WRITE_SECONDS,
    RELEASE_SECONDS,
    RENEW_SECONDS,
    RETRY_SECONDS,
    LeaseElection,
    LeaseFence,
    LeaseStore,
)


class TestLeasesInMemory(LeaseContract):
    @pytest.fixture
    def store(self) -> LeaseStore:
        return LeaseClient(MemoryLeases())

    @pytest.fixture
    def space(self) -> str:
        return "winnow"


@dataclass
class Timed:
    """A replica whose clock is the loop's, and what it writes through its fence."""

    client: LeaseClient
    name: str
    fence: LeaseFence = field(init=False)
    election: LeaseElection = field(init=False)

    def __post_init__(self) -> None:
        clock = LoopClock()
        self.fence = LeaseFence(clock)
        self.election = LeaseElection(self.client, self.fence, clock, "winnow", "winnow", self.name)


def now() -> float:
    return asyncio.get_running_loop().time()


@pytest.fixture
def leases() -> MemoryLeases:
    return MemoryLeases()


@pytest.fixture
def one(leases: MemoryLeases) -> Timed:
    return Timed(LeaseClient(leases), "one")


@pytest.fixture
def two(leases: MemoryLeases) -> Timed:
    return Timed(LeaseClient(leases), "two")


@pytest.mark.looptime
async def test_a_holder_that_can_renew_holds_on(one: Timed) -> None:
    await one.election.acquire()
    holding = asyncio.create_task(one.election.hold())

    for _ in range(20):
        await asyncio.sleep(7)
        assert one.fence.seconds_left() > LAST_WRITE_SECONDS - RETRY_SECONDS - 0.1

    assert not holding.done()
    holding.cancel()


@pytest.mark.looptime
@pytest.mark.parametrize("hang", [0.0, 30.0], ids=["refused at once", "calls that hang"])
async def test_a_holder_that_cannot_renew_gives_up_before_another_may_start(
    one: Timed, two: Timed, hang: float
) -> None:
    await one.election.acquire()
    holding = asyncio.create_task(one.election.hold())
    taking = asyncio.create_task(two.election.acquire())
    await asyncio.sleep(20)
    one.client.cut_off, one.client.delay_seconds = True, hang
    cut = now()

    await holding

    assert now() - cut <= RENEW_SECONDS + 0.1
    assert one.fence.seconds_left() == 0
    assert not taking.done()
    await taking
    assert now() - cut <= DURATION_SECONDS + 2 * RETRY_SECONDS + 0.1


@pytest.mark.looptime
async def test_short_trouble_does_not_cost_the_lease(one: Timed) -> None:
    await one.election.acquire()
    holding = asyncio.create_task(one.election.hold())
    for _ in range(5):
        one.client.cut_off = True
        await asyncio.sleep(RENEW_SECONDS - 2 * RETRY_SECONDS - 1)
        one.client.cut_off = False
        await asyncio.sleep(5)

    assert not holding.done()
    assert one.fence.seconds_left() > 0
    holding.cancel()


@pytest.mark.looptime
async def test_a_lease_that_someone_deleted_is_made_again_by_its_holder(
    one: Timed, leases: MemoryLeases
) -> None:
    await one.election.acquire()
    holding = asyncio.create_task(one.election.hold())
    leases.bodies.clear()

    await asyncio.sleep(RETRY_SECONDS * 2)

    assert leases.bodies["winnow", "winnow"]["spec"]["holderIdentity"] == "one"
    assert not holding.done()
    holding.cancel()


@pytest.mark.looptime
async def test_a_lease_in_other_hands_ends_the_holder_at_its_next_renewal(
    one: Timed, leases: MemoryLeases, caplog: pytest.LogCaptureFixture
) -> None:
    await one.election.acquire()
    lease = leases.bodies["winnow", "winnow"]
    leases.put("winnow", {**lease, "spec": {**lease["spec"], "holderIdentity": "other"}})

    await one.election.hold()

    assert now() == pytest.approx(RETRY_SECONDS, abs=0.1)
    assert one.fence.seconds_left() == 0
    assert vars(caplog.records[-1])["error"] == "it is no longer in this replica's name"


@pytest.mark.looptime
async def test_a_loss_for_want_of_renewals_says_so(
    one: Timed, caplog: pytest.LogCaptureFixture
) -> None:
    await one.election.acquire()
    one.client.delay_seconds = 1000

    await one.election.hold()

    assert caplog.records[-1].getMessage() == "lost the Lease"
    assert vars(caplog.records[-1])["error"] == "no renewal came through for 10 s"


@pytest.mark.looptime
async def test_a_planned_handover_takes_less_than_three_seconds(one: Timed, two: Timed) -> None:
    await one.election.acquire()
    holding = asyncio.create_task(one.election.hold())
    taking = asyncio.create_task(two.election.acquire())
    await asyncio.sleep(11.3)
    holding.cancel()
    released = now()

    await one.election.release()
    await taking

    assert now() - released < 3


@pytest.mark.looptime
async def test_a_release_of_an_api_server_that_hangs_is_given_up(one: Timed) -> None:
    await one.election.acquire()
    one.client.delay_seconds = 1000

    await one.election.release()

    assert now() == pytest.approx(RELEASE_SECONDS, abs=0.1)
    assert one.fence.seconds_left() == 0


@pytest.mark.looptime
async def test_no_write_starts_late_or_may_last_until_the_lease_expires(one: Timed) -> None:
    await one.election.acquire()
    taken = now()
    while one.fence.seconds_left() > 0:
        assert now() - taken < RENEW_SECONDS
        assert now() + one.fence.seconds_left() - taken < DURATION_SECONDS
        await asyncio.sleep(0.5)

    assert now() - taken == pytest.approx(RENEW_SECONDS, abs=0.5)


@pytest.mark.looptime
async def test_the_same_trouble_is_logged_once(
    one: Timed, caplog: pytest.LogCaptureFixture
) -> None:
    one.client.cut_off = True
    taking = asyncio.create_task(one.election.acquire())
    await asyncio.sleep(60)
    taking.cancel()

    assert [r.getMessage() for r in caplog.records] == ["the Lease was not taken"]
    assert caplog.records[0].levelno == logging.WARNING


Outage = tuple[float, float, float]
"""When it starts after the last one, how long it lasts, and how long calls hang in it."""


@settings(max_examples=examples(0.3))  # each is minutes of virtual time, and seconds of ours
@given(
    outages=st.lists(
        st.lists(
            st.tuples(st.floats(1, 20), st.floats(1, 30), st.sampled_from([0.0, 3.0, 9.0, 40.0])),
            max_size=2,
        ),
        min_size=2,
        max_size=3,
    )
)
def test_never_do_two_replicas_write_at_one_time_and_one_leads_in_the_end(
    outages: list[list[Outage]],
) -> None:
    with asyncio.Runner(loop_factory=looptime.new_event_loop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, looptime.LoopTimeEventLoop)
        runner.run(_two_worlds(outages))


async def _two_worlds(outages: list[list[Outage]]) -> None:
    leases = MemoryLeases()
    replicas = [Timed(LeaseClient(leases), f"replica-{n}") for n in range(len(outages))]
    everything = [
        *(asyncio.create_task(_live(replica)) for replica in replicas),
        *(
            asyncio.create_task(_suffer(r.client, o))
            for r, o in zip(replicas, outages, strict=True)
        ),
    ]
    for _ in range(200):
        await asyncio.sleep(1)
        ends = [now() + r.fence.seconds_left() for r in replicas if r.fence.seconds_left() > 0]
        assert len(ends) <= 1, "two may write"
    assert len(ends) == 1
    for task in everything:
        task.cancel()


async def _live(replica: Timed) -> None:
    """Lead again and again, as a pod that is started anew."""
    while True:
        await replica.election.acquire()
        await replica.election.hold()
        replica.__post_init__()


async def _suffer(client: LeaseClient, outages: list[Outage]) -> None:
    for pause, length, hang in outages:
        await asyncio.sleep(pause)
        client.cut_off, client.delay_seconds = True, hang
        await asyncio.sleep(length)
        client.cut_off, client.delay_seconds = False, 0.0
