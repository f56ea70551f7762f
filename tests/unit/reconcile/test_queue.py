"""The queue: de-duplication, delays, backoff, fairness between namespaces."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from tests.support.loop_clock import LoopClock
from winnow_operator.reconcile.queue import (
    FIRST_BACKOFF_SECONDS,
    LAST_BACKOFF_SECONDS,
    MAX_OUTDATED,
    Key,
    QueueClosedError,
    WorkQueue,
)

pytestmark = pytest.mark.looptime

A, B = Key("blue", "a"), Key("blue", "b")


def make_queue(share: int = 100) -> WorkQueue:
    return WorkQueue(LoopClock(), share=share)


async def take_all(queue: WorkQueue) -> list[Key]:
    """The keys that are due now, each worked on at once."""
    taken = []
    while queue.depth or queue.oldest_wait_seconds():
        key = await queue.take()
        queue.done(key)
        taken.append(key)
    return taken


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_a_key_added_many_times_is_taken_once() -> None:
    queue = make_queue()
    for _ in range(5):
        queue.add(A)

    assert await queue.take() == A

    queue.done(A)
    assert queue.depth == 0
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(queue.take(), 3600)


async def test_a_delayed_key_is_taken_when_it_is_due_and_not_before() -> None:
    queue = make_queue()
    queue.add(A, delay=30)

    assert await queue.take() == A

    assert now() == pytest.approx(30)


@pytest.mark.parametrize("delays", [(30, 5), (5, 30)], ids=str)
async def test_the_sooner_of_two_delays_counts(delays: tuple[float, float]) -> None:
    queue = make_queue()
    for delay in delays:
        queue.add(A, delay=delay)

    assert await queue.take() == A
    assert now() == pytest.approx(5)

    queue.done(A)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(queue.take(), 3600)


async def test_who_waits_for_a_key_gets_one_that_is_added_later() -> None:
    queue = make_queue()
    queue.add(A, delay=100)
    taking = asyncio.create_task(queue.take())
    await asyncio.sleep(1)

    queue.add(B)

    assert await taking == B
    assert now() == pytest.approx(1)


async def test_a_key_added_while_it_is_worked_on_is_given_to_nobody_else_and_comes_again() -> None:
    queue = make_queue()
    queue.add(A)
    await queue.take()
    queue.add(A)
    queue.add(B)

    assert await queue.take() == B
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(queue.take(), 60)
    queue.done(A)

    assert await queue.take() == A


async def test_a_reconcile_may_ask_to_come_back_and_an_event_meanwhile_comes_first() -> None:
    queue = make_queue()
    queue.add(A)
    await queue.take()
    queue.done(A, again=50)
    assert await queue.take() == A
    assert now() == pytest.approx(50)

    queue.add(A, delay=10)
    queue.done(A, again=50)

    assert await queue.take() == A
    assert now() == pytest.approx(60)


async def test_a_failing_key_waits_twice_as_long_each_time_up_to_a_limit() -> None:
    queue = make_queue()
    queue.add(A)
    waits = []
    for _ in range(12):
        started = now()
        await queue.take()
        waits.append(now() - started)
        queue.failed(A)

    assert waits[:5] == pytest.approx([0, 0.2, 0.4, 0.8, 1.6])
    assert waits[-1] == pytest.approx(LAST_BACKOFF_SECONDS)


async def test_success_ends_the_backoff() -> None:
    queue = make_queue()
    queue.add(A)
    for _ in range(6):
        await queue.take()
        queue.failed(A)
    await queue.take()
    queue.done(A)
    queue.add(A)
    await queue.take()
    failed_at = now()
    queue.failed(A)

    await queue.take()

    assert now() - failed_at == pytest.approx(FIRST_BACKOFF_SECONDS)


async def test_an_event_during_a_failing_reconcile_brings_the_key_back_soon_but_not_at_once() -> (
    None
):
    queue = make_queue()
    queue.add(A)
    for _ in range(10):
        await queue.take()
        queue.failed(A)
    await queue.take()
    queue.add(A)
    failed_at = now()
    queue.failed(A)

    await queue.take()

    assert now() - failed_at == pytest.approx(FIRST_BACKOFF_SECONDS)


async def test_an_event_during_the_backoff_brings_the_key_back_at_once() -> None:
    queue = make_queue()
    queue.add(A)
    for _ in range(10):
        await queue.take()
        queue.failed(A)
    added_at = now()
    queue.add(A)

    await queue.take()

    assert now() == added_at


async def test_the_oldest_wait_counts_what_is_due_and_nothing_that_is_due_later() -> None:
    queue = make_queue()
    queue.add(A, delay=1000)
    await asyncio.sleep(500)
    assert queue.oldest_wait_seconds() == 0

    queue.add(B)
    await asyncio.sleep(20)
    assert queue.oldest_wait_seconds() == pytest.approx(20)

    await queue.take()
    assert queue.oldest_wait_seconds() == 0
    await asyncio.sleep(500)
    assert queue.oldest_wait_seconds() == pytest.approx(20), "nobody takes it when it is due"


async def test_the_longest_work_is_that_of_the_key_taken_first() -> None:
    queue = make_queue()
    assert queue.longest_work_seconds() == 0
    queue.add(A)
    await queue.take()
    await asyncio.sleep(7)
    queue.add(B)
    await queue.take()
    await asyncio.sleep(3)

    assert queue.longest_work_seconds() == pytest.approx(10)
    queue.done(A)
    assert queue.longest_work_seconds() == pytest.approx(3)


async def test_a_thousand_keys_of_one_namespace_do_not_delay_the_key_of_another() -> None:
    queue = make_queue()
    for number in range(1000):
        queue.add(Key("crowd", f"{number:04d}"))
    queue.add(Key("lone", "a"))

    first = [await queue.take() for _ in range(2)]

    assert Key("lone", "a") in first


async def test_namespaces_take_turns_and_keys_of_one_come_in_the_order_they_were_due() -> None:
    queue = make_queue()
    for number in range(3):
        for namespace in ("a", "b", "c"):
            queue.add(Key(namespace, str(number)), delay=number / 1000)
    await asyncio.sleep(1)

    taken = await take_all(queue)

    assert [key.namespace for key in taken] == ["a", "b", "c"] * 3
    assert [key.name for key in taken] == ["0"] * 3 + ["1"] * 3 + ["2"] * 3


async def test_one_namespace_never_gets_all_workers() -> None:
    queue = make_queue(share=2)
    for number in range(10):
        queue.add(Key("crowd", str(number)))
    crowd = [await queue.take(), await queue.take()]
    waiting = asyncio.create_task(queue.take())
    await asyncio.sleep(60)
    assert not waiting.done(), "its third key would take the last worker"

    queue.add(Key("lone", "a"))
    assert await waiting == Key("lone", "a")

    queue.done(crowd[0])
    assert (await queue.take()).namespace == "crowd", "its share is free again"


async def test_a_worker_that_waits_for_a_share_is_told_when_it_is_free() -> None:
    queue = make_queue(share=1)
    queue.add(A)
    queue.add(B)
    first = await queue.take()
    waiting = asyncio.create_task(queue.take())
    await asyncio.sleep(1)

    queue.failed(first)

    assert await asyncio.wait_for(waiting, 0.01) == B


async def test_a_closed_queue_gives_out_nothing_and_tells_who_waits() -> None:
    queue = make_queue()
    waiting = [asyncio.create_task(queue.take()) for _ in range(3)]
    await asyncio.sleep(1)
    queue.add(A, delay=10)

    queue.close()

    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results] == [QueueClosedError] * 3
    with pytest.raises(QueueClosedError):
        await queue.take()


async def test_a_key_that_is_put_off_again_and_again_does_not_fill_the_memory() -> None:
    queue = make_queue()
    for _ in range(5000):
        queue.add(A)
        await queue.take()
        queue.done(A, again=24 * 3600)

    assert len(queue._heap) <= MAX_OUTDATED + 3


@given(
    keys=st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 5), st.floats(0, 100)), max_size=40
    ),
    failures=st.sets(st.integers(0, 39)),
)
def test_every_key_is_worked_on_after_it_was_added_last_and_never_twice_at_once(
    keys: list[tuple[str, int, float]], failures: set[int]
) -> None:
    added = {Key(namespace, str(name)) for namespace, name, _ in keys}

    async def scenario() -> Counter[Key]:
        clock = _StepClock()
        queue, done, turn = WorkQueue(clock, share=2), Counter[Key](), 0
        for namespace, name, delay in keys:
            queue.add(Key(namespace, str(name)), delay=delay)
        while queue._later or queue._ready:
            clock.seconds += 1000  # everything is due
            key = await asyncio.wait_for(queue.take(), 1)
            assert key in queue._busy
            (queue.failed if turn in failures else queue.done)(key)
            done[key] += turn not in failures
            turn += 1
        return done

    assert asyncio.run(scenario()) == dict.fromkeys(added, 1)


class _StepClock(LoopClock):
    """A clock that stands still until it is moved."""

    seconds = 0.0

    @override
    def monotonic(self) -> float:
        return self.seconds
