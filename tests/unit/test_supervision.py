"""Tasks that should run for ever: told to stop, failed, or stubborn."""

from __future__ import annotations

import asyncio

import pytest

from winnow_operator.supervision import finish, first_end, unless_stopped

pytestmark = pytest.mark.looptime


def now() -> float:
    return asyncio.get_running_loop().time()


async def fail(after: float) -> None:
    await asyncio.sleep(after)
    raise ZeroDivisionError("a bug")


@pytest.fixture
def stop() -> asyncio.Event:
    return asyncio.Event()


async def test_what_is_wanted_is_awaited(stop: asyncio.Event) -> None:
    assert await unless_stopped(stop, asyncio.sleep(5)) is True
    assert now() == pytest.approx(5)


async def test_what_is_wanted_is_cancelled_when_the_process_is_told_to_stop(
    stop: asyncio.Event,
) -> None:
    asyncio.get_running_loop().call_later(3, stop.set)

    assert await unless_stopped(stop, asyncio.sleep(1000)) is False

    assert now() == pytest.approx(3)
    assert len(asyncio.all_tasks()) == 1, "nothing is left behind"


async def test_an_error_of_what_is_wanted_is_the_callers(stop: asyncio.Event) -> None:
    with pytest.raises(ZeroDivisionError):
        await unless_stopped(stop, fail(1))


async def test_being_told_to_stop_ends_the_watch_over_tasks(stop: asyncio.Event) -> None:
    task = asyncio.create_task(asyncio.sleep(1000))
    asyncio.get_running_loop().call_later(3, stop.set)

    assert await first_end(stop, [task]) is True

    assert not task.done()
    task.cancel()


async def test_a_part_that_fails_ends_the_watch_with_its_traceback_in_the_log(
    stop: asyncio.Event, caplog: pytest.LogCaptureFixture
) -> None:
    other = asyncio.create_task(asyncio.sleep(1000))
    part = asyncio.create_task(fail(2), name="worker-3")

    assert await first_end(stop, [other, part]) is False

    (record,) = caplog.records
    assert record.__dict__["part"] == "worker-3"
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], ZeroDivisionError)
    other.cancel()


async def test_a_part_that_just_ends_ends_the_watch_too(
    stop: asyncio.Event, caplog: pytest.LogCaptureFixture
) -> None:
    part = asyncio.create_task(asyncio.sleep(2), name="watch")

    assert await first_end(stop, [part]) is False

    assert caplog.records[0].__dict__["part"] == "watch"


async def test_tasks_may_finish_and_stubborn_ones_are_cancelled_after_a_time() -> None:
    done = []

    async def part(seconds: float) -> None:
        await asyncio.sleep(seconds)
        done.append(seconds)

    tasks = [asyncio.create_task(part(seconds)) for seconds in (1, 100)]

    await finish(tasks, 2)

    assert done == [1]
    assert now() == pytest.approx(2)
    assert all(task.done() for task in tasks)


async def test_no_tasks_are_finished_at_once() -> None:
    await finish([], 100)

    assert now() == 0
