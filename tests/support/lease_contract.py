"""What the election must do over any store of Leases: one in memory, and the real API server."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.support.loop_clock import START
from winnow_operator.api.names import standard_labels
from winnow_operator.kube.lease import (
    DURATION_SECONDS,
    RENEW_SECONDS,
    LeaseElection,
    LeaseFence,
    LeaseStore,
)
from winnow_operator.kube.resources import LEASES


@dataclass
class SetClock:
    """A clock that is set by the test; each replica may have its own."""

    seconds: float = 0.0
    skew: timedelta = timedelta()

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds) + self.skew

    def monotonic(self) -> float:
        return self.seconds


@dataclass
class Replica:
    """One replica's election with its own clock."""

    election: LeaseElection
    clock: SetClock

    @property
    def may_write(self) -> bool:
        return self.election.fence.seconds_left() > 0

    async def take(self) -> bool | None:
        return await self.election.attempt(take=True)

    async def renew(self) -> bool | None:
        return await self.election.attempt(take=False)


class LeaseContract:
    """Tests; a subclass gives the fixtures `store` and `space` (a namespace of the test's own)."""

    async def make(self, store: LeaseStore, space: str, identity: str) -> Replica:
        clock = SetClock()
        election = LeaseElection(store, LeaseFence(clock), clock, space, "winnow", identity)
        return Replica(election, clock)

    async def lease(self, store: LeaseStore, space: str) -> dict[str, Any]:
        return await store.get(LEASES, space, "winnow")

    async def test_the_first_makes_the_lease_and_may_write(
        self, store: LeaseStore, space: str
    ) -> None:
        one = await self.make(store, space, "one")
        assert not one.may_write

        assert await one.take() is True

        assert one.may_write
        lease = await self.lease(store, space)
        assert lease["spec"]["holderIdentity"] == "one"
        assert lease["spec"]["leaseDurationSeconds"] == DURATION_SECONDS
        labels = standard_labels(instance="winnow", component="operator")
        assert lease["metadata"]["labels"] == labels

    async def test_a_held_lease_is_left_alone_however_wrong_the_clocks_are(
        self, store: LeaseStore, space: str
    ) -> None:
        one, two = await self.make(store, space, "one"), await self.make(store, space, "two")
        two.clock.skew = timedelta(days=400)
        await one.take()

        for _ in range(10):
            one.clock.seconds += 2
            two.clock.seconds += 2
            assert await one.renew() is True
            assert await two.take() is False

        assert one.may_write
        assert not two.may_write

    async def test_a_silent_holder_is_succeeded_after_its_fence_has_closed(
        self, store: LeaseStore, space: str
    ) -> None:
        one, two = await self.make(store, space, "one"), await self.make(store, space, "two")
        await one.take()
        waited = 0
        while await two.take() is not True:
            assert waited <= DURATION_SECONDS + 2, "it waits no longer than it must"
            waited += 1
            one.clock.seconds += 1
            two.clock.seconds += 1

        assert waited > RENEW_SECONDS
        assert not one.may_write
        assert two.may_write
        spec = (await self.lease(store, space))["spec"]
        assert (spec["holderIdentity"], spec["leaseTransitions"]) == ("two", 1)

    async def test_who_was_succeeded_learns_it_and_does_not_take_the_lease_back(
        self, store: LeaseStore, space: str
    ) -> None:
        one, two = await self.make(store, space, "one"), await self.make(store, space, "two")
        await one.take()
        await two.take()
        two.clock.seconds += DURATION_SECONDS + 1
        assert await two.take() is True

        assert await one.renew() is False

        await two.election.release()
        assert await one.renew() is False, "free, but it must begin anew"

    async def test_a_released_lease_is_taken_at_once(self, store: LeaseStore, space: str) -> None:
        one, two = await self.make(store, space, "one"), await self.make(store, space, "two")
        await one.take()
        assert await two.take() is False

        await one.election.release()

        assert not one.may_write
        assert await two.take() is True
        assert (await self.lease(store, space))["spec"]["holderIdentity"] == "two"

    async def test_a_release_by_one_that_does_not_hold_it_changes_nothing(
        self, store: LeaseStore, space: str
    ) -> None:
        one, two = await self.make(store, space, "one"), await self.make(store, space, "two")
        await one.take()
        before = await self.lease(store, space)

        await two.election.release()

        assert await self.lease(store, space) == before
        assert one.may_write

    async def test_one_of_many_gets_a_free_lease(self, store: LeaseStore, space: str) -> None:
        replicas = [await self.make(store, space, f"replica-{n}") for n in range(5)]
        for _ in range(2):  # once while there is none, once while it is released
            results = await asyncio.gather(*(replica.take() for replica in replicas))

            assert results.count(True) == 1
            holder = replicas[results.index(True)]
            assert [replica.may_write for replica in replicas].count(True) == 1
            await holder.election.release()
            replicas.remove(holder)

    async def test_a_replica_that_comes_back_under_its_name_need_not_wait(
        self, store: LeaseStore, space: str
    ) -> None:
        await (await self.make(store, space, "one")).take()
        again = await self.make(store, space, "one")

        assert await again.take() is True

        assert (await self.lease(store, space))["spec"]["leaseTransitions"] == 0

    async def test_what_others_wrote_on_the_lease_stays(
        self, store: LeaseStore, space: str
    ) -> None:
        one = await self.make(store, space, "one")
        await one.take()
        lease = await self.lease(store, space)
        lease["metadata"]["annotations"] = {"example.com/note": "kept"}
        await store.replace_unfenced(LEASES, space, lease)

        assert await one.renew() is True

        kept = await self.lease(store, space)
        assert kept["metadata"]["annotations"] == {"example.com/note": "kept"}

    async def test_a_lease_without_a_spec_is_free(self, store: LeaseStore, space: str) -> None:
        empty = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": "winnow", "namespace": space},
        }
        await store.create_unfenced(LEASES, space, empty)

        one = await self.make(store, space, "one")

        assert await one.take() is True
