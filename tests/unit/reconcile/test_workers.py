"""The workers: what each result of a reconcile does to its key, and to no other."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest
from prometheus_client import REGISTRY

from tests.support.loop_clock import LoopClock
from winnow_operator.errors import ConflictError, FencedError, UnavailableError
from winnow_operator.reconcile.queue import Key, WorkQueue
from winnow_operator.reconcile.workers import work

pytestmark = pytest.mark.looptime

A, B, C = Key("blue", "a"), Key("blue", "b"), Key("green", "c")


@dataclass
class Script:
    """A reconciler that does what it was told for each key, and notes when."""

    steps: dict[Key, list[Exception | float | None]] = field(default_factory=dict)
    slow: dict[Key, float] = field(default_factory=dict)
    calls: list[tuple[Key, float]] = field(default_factory=list)
    running: set[Key] = field(default_factory=set)
    forgotten: list[Key] = field(default_factory=list)

    async def reconcile(self, key: Key) -> float | None:
        assert key not in self.running, "one key is never worked on twice at the same time"
        self.running.add(key)
        self.calls.append((key, asyncio.get_running_loop().time()))
        try:
            await asyncio.sleep(self.slow.get(key, 0))
            steps = self.steps.get(key) or [None]
            step = steps.pop(0)
            if isinstance(step, Exception):
                raise step
            return step
        finally:
            self.running.discard(key)

    def forget_state(self, key: Key) -> None:
        self.forgotten.append(key)

    def times(self, key: Key) -> list[float]:
        return [time for called, time in self.calls if called == key]


@contextlib.asynccontextmanager
async def workers(script: Script, count: int = 2) -> AsyncIterator[WorkQueue]:
    queue = WorkQueue(LoopClock(), share=max(1, count - 1))
    tasks = [asyncio.create_task(work(queue, script)) for _ in range(count)]
    yield queue
    queue.close()
    await asyncio.gather(*tasks)


async def test_a_key_is_reconciled_once_and_not_again() -> None:
    script = Script()
    async with workers(script) as queue:
        queue.add(A)
        await asyncio.sleep(3600)

    assert script.calls == [(A, 0)]


async def test_a_reconcile_that_asks_for_it_is_repeated_after_its_time() -> None:
    script = Script({A: [30.0, None]})
    async with workers(script) as queue:
        queue.add(A)
        await asyncio.sleep(3600)

    assert script.times(A) == pytest.approx([0, 30])


@pytest.mark.parametrize(
    "error",
    [UnavailableError("no answer"), FencedError("no Lease"), ConflictError("edited")],
    ids=repr,
)
async def test_a_refused_call_is_tried_again_and_the_state_is_kept(error: Exception) -> None:
    script = Script({A: [error, error]})
    async with workers(script) as queue:
        queue.add(A)
        await asyncio.sleep(3600)

    assert script.times(A) == pytest.approx([0, 0.2, 0.6])
    assert script.forgotten == []


async def test_a_bug_in_one_job_is_logged_forgets_its_state_and_stops_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    script = Script({A: [ZeroDivisionError("a bug") for _ in range(100)]})
    before = REGISTRY.get_sample_value("winnow_reconcile_errors_total", {"controller": "searchjob"})
    async with workers(script) as queue:
        queue.add(A)
        queue.add(C)
        await asyncio.sleep(30)
        queue.add(B)
        await asyncio.sleep(30)

    assert script.times(B) == [30]
    assert script.times(C) == [0]
    assert 6 <= len(script.times(A)) <= 10, "it comes back later each time"
    assert set(script.forgotten) == {A}
    record = caplog.records[0]
    assert record.getMessage() == "reconcile failed"
    assert record.exc_info is not None
    after = REGISTRY.get_sample_value("winnow_reconcile_errors_total", {"controller": "searchjob"})
    assert (after or 0) - (before or 0) == len(script.times(A))


async def test_trouble_with_the_api_server_is_one_line_without_a_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    script = Script({A: [UnavailableError("GET /x: no answer")]})
    async with workers(script) as queue:
        queue.add(A)
        await asyncio.sleep(60)

    (record,) = [r for r in caplog.records if r.levelno >= logging.WARNING]
    assert record.exc_info is None
    assert record.__dict__["error"] == "GET /x: no answer"


async def test_an_edit_while_a_job_is_looked_at_is_no_news(
    caplog: pytest.LogCaptureFixture,
) -> None:
    script = Script({A: [ConflictError("PATCH /x: the object has been modified")]})
    async with workers(script) as queue:
        queue.add(A)
        await asyncio.sleep(60)

    assert script.times(A) == pytest.approx([0, 0.2])
    assert [r for r in caplog.records if r.levelno >= logging.INFO] == []


async def test_slow_jobs_of_one_namespace_leave_a_worker_for_the_others() -> None:
    crowd = [Key("crowd", str(number)) for number in range(20)]
    script = Script(slow=dict.fromkeys(crowd, 60.0))
    async with workers(script, count=4) as queue:
        for key in crowd:
            queue.add(key)
        await asyncio.sleep(1)
        queue.add(C)
        await asyncio.sleep(1000)

    assert script.times(C) == [1]
    assert len(script.calls) == 21


async def test_workers_end_with_the_queue_after_the_work_at_hand() -> None:
    script = Script(slow={A: 5.0})
    async with workers(script) as queue:
        queue.add(A)
        await asyncio.sleep(1)

    assert script.running == set()
    assert asyncio.get_running_loop().time() == pytest.approx(5)


async def test_results_are_counted_by_kind() -> None:
    def count(result: str) -> float:
        labels = {"controller": "searchjob", "result": result}
        return REGISTRY.get_sample_value("winnow_reconcile_total", labels) or 0

    before = {result: count(result) for result in ("done", "again", "error", "fenced")}
    steps: list[Callable[[], Exception]] = [
        lambda: UnavailableError("x"),
        lambda: ValueError("x"),
        lambda: FencedError("x"),
    ]
    async with workers(Script({A: [make() for make in steps]})) as queue:
        queue.add(A)
        await asyncio.sleep(60)

    assert {result: count(result) - before[result] for result in before} == {
        "done": 1,
        "again": 1,
        "error": 1,
        "fenced": 1,
    }
