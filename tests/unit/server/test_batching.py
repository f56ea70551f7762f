"""Batches: what waits goes together, in order and within limits, and nobody waits for company."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow_runtime.errors import ModelError
from winnow_server.batching import Batcher, Limits
from winnow_server.errors import RequestError

Rows = np.ndarray[Any, np.dtype[Any]]


def rows(*values: float) -> Rows:
    return np.array(values, dtype=np.float32).reshape(-1, 1)


def doubled(given_rows: Rows) -> Rows:
    if (given_rows == 13).any():
        raise ModelError("CannotRun", "13 cannot be doubled")
    return 2 * given_rows


@dataclass
class Model:
    """A model that notes what it ran on, and takes as long as it is held."""

    runs: list[list[float]] = field(default_factory=list)
    free: threading.Event = field(default_factory=threading.Event)
    started: threading.Event = field(default_factory=threading.Event)

    def run(self, given_rows: Rows) -> Rows:
        self.runs.append(given_rows.ravel().tolist())
        self.started.set()
        assert self.free.wait(20)
        return doubled(given_rows)


@pytest.fixture
def model() -> Iterator[Model]:
    made = Model()
    yield made
    made.free.set()


def batcher(
    model: Model,
    limits: Limits,
    *,
    quick_rows: int = 0,
    turn_seconds: float = 60.0,
    sizes: list[int] | None = None,
) -> Batcher:
    told = [] if sizes is None else sizes
    return Batcher(
        model.run,
        limits,
        quick_rows=quick_rows,
        turn_seconds=turn_seconds,
        on_batch=told.append,
    )


async def all_of(waiting: list[asyncio.Task[Rows]]) -> list[list[float]]:
    return [found.ravel().tolist() for found in await asyncio.gather(*waiting)]


async def submit(batch: Batcher, *requests: Rows) -> list[asyncio.Task[Rows]]:
    tasks = [asyncio.ensure_future(batch.run(one)) for one in requests]
    await asyncio.sleep(0)  # each has begun
    return tasks


async def held(model: Model, batch: Batcher) -> asyncio.Task[Rows]:
    """A first request that the model is busy with."""
    (first,) = await submit(batch, rows(0))
    await asyncio.get_running_loop().run_in_executor(None, model.started.wait, 20)
    return first


async def test_what_arrives_while_the_model_runs_is_its_next_batch(model: Model) -> None:
    sizes: list[int] = []
    batch = batcher(model, Limits(8, 10), sizes=sizes)
    first = await held(model, batch)

    others = await submit(batch, rows(1), rows(2, 3), rows(4))
    assert len(batch) == 3
    model.free.set()

    assert await all_of([first, *others]) == [[0], [2], [4, 6], [8]]
    assert model.runs == [[0], [1, 2, 3, 4]]
    assert sizes == [1, 4]
    assert len(batch) == 0


async def test_a_quick_model_runs_at_once_for_all_that_arrived_in_one_turn(model: Model) -> None:
    model.free.set()
    batch = batcher(model, Limits(8, 10), quick_rows=99)

    assert await all_of(await submit(batch, rows(1), rows(2), rows(3))) == [[2], [4], [6]]

    assert model.runs == [[1, 2, 3]]


async def test_a_run_that_would_hold_up_the_loop_is_left_to_a_thread(model: Model) -> None:
    threads: list[str] = []

    def run(given_rows: Rows) -> Rows:
        threads.append(threading.current_thread().name)
        return doubled(given_rows)

    model.run = run  # type: ignore[method-assign] # it notes something else
    batch = batcher(model, Limits(1, 10), quick_rows=2)

    assert await all_of(await submit(batch, rows(1, 2, 3), rows(4, 5))) == [[2, 4, 6], [8, 10]]

    long, short = threads
    assert long.startswith("model")
    assert short == threading.current_thread().name


async def test_requests_that_come_one_by_one_run_at_once_and_those_beside_them_together(
    model: Model,
) -> None:
    model.free.set()
    batch = batcher(model, Limits(8, 10), quick_rows=99)
    await all_of(await submit(batch, rows(1)))

    tasks = await submit(batch, rows(2), rows(3), rows(4))
    assert model.runs == [[1], [2]]
    await all_of(tasks)
    await all_of(await submit(batch, rows(5), rows(6)))

    assert model.runs == [[1], [2], [3, 4], [5, 6]]


@pytest.mark.parametrize(("turn_seconds", "runs"), [(0.0, [[1]]), (60.0, [[1], [2]])])
async def test_the_loop_looks_up_from_quick_runs_when_its_turn_has_taken_long(
    model: Model, turn_seconds: float, runs: list[list[float]]
) -> None:
    model.free.set()
    batch = batcher(model, Limits(1, 10), quick_rows=99, turn_seconds=turn_seconds)
    tasks = await submit(batch, rows(1), rows(2))

    while not model.runs:  # noqa: ASYNC110 -- the next turn, or the one after it
        await asyncio.sleep(0)

    assert model.runs == runs
    assert await all_of(tasks) == [[2], [4]]


async def test_no_batch_has_more_rows_than_the_limit_and_none_overtakes(model: Model) -> None:
    batch = batcher(model, Limits(4, 10))
    first = await held(model, batch)

    others = await submit(batch, rows(1, 1), rows(2, 2, 2), rows(3), rows(4, 4))
    model.free.set()
    await all_of([first, *others])

    assert model.runs == [[0], [1, 1], [2, 2, 2, 3], [4, 4]]


async def test_without_batching_each_request_runs_by_itself_whatever_it_has(model: Model) -> None:
    batch = batcher(model, Limits(1, 10))
    first = await held(model, batch)

    others = await submit(batch, rows(1, 1), rows(2), rows(3))
    model.free.set()
    await all_of([first, *others])

    assert model.runs == [[0], [1, 1], [2], [3]]


async def test_a_full_queue_refuses_with_429_and_goes_on(model: Model) -> None:
    batch = batcher(model, Limits(8, 2))
    first = await held(model, batch)
    others = await submit(batch, rows(1), rows(2))

    with pytest.raises(RequestError, match="2 requests wait already") as refusal:
        await batch.run(rows(3))

    assert refusal.value.status == 429
    model.free.set()
    assert await all_of([first, *others]) == [[0], [2], [4]]


@pytest.mark.parametrize("quick_rows", [0, 99])
async def test_a_request_at_fault_fails_alone(model: Model, quick_rows: int) -> None:
    model.free.set()
    batch = batcher(model, Limits(8, 10), quick_rows=quick_rows)

    tasks = await submit(batch, rows(1), rows(13), rows(3))
    found = await asyncio.gather(*tasks, return_exceptions=True)

    assert [type(one) for one in found] == [np.ndarray, ModelError, np.ndarray]
    (later,) = await submit(batch, rows(5))
    assert (await later).ravel().tolist() == [10]


async def test_who_has_gone_is_not_computed_for(model: Model) -> None:
    batch = batcher(model, Limits(8, 10))
    first = await held(model, batch)
    gone, other = await submit(batch, rows(1), rows(2))

    gone.cancel()
    await asyncio.sleep(0)
    model.free.set()

    assert await all_of([first, other]) == [[0], [4]]
    assert model.runs == [[0], [2]]


@given(
    requests=st.lists(
        st.lists(st.integers(0, 20), min_size=1, max_size=5), min_size=1, max_size=20
    ),
    max_rows=st.integers(1, 8),
    quick_rows=st.integers(0, 8),
)
def test_everybody_gets_the_answer_to_what_they_asked(
    requests: list[list[int]], max_rows: int, quick_rows: int
) -> None:
    async def ask() -> list[Any]:
        model = Model()
        model.free.set()
        batch = batcher(model, Limits(max_rows, 99), quick_rows=quick_rows)
        tasks = await submit(batch, *(rows(*one) for one in requests))
        return await asyncio.gather(*tasks, return_exceptions=True)

    def outcome(one: Any) -> Any:
        return "failed" if isinstance(one, ModelError) else one.ravel().tolist()

    found = [outcome(one) for one in asyncio.run(ask())]

    assert found == ["failed" if 13 in one else [2 * v for v in one] for one in requests]


async def test_requests_that_cannot_be_joined_are_answered_one_by_one(model: Model) -> None:
    model.free.set()
    batch = batcher(model, Limits(8, 10))

    tasks = await submit(batch, rows(1), np.ones((1, 2), np.float32), rows(2))

    assert await all_of(tasks) == [[2], [2, 2], [4]]


class Deaf:
    """An asker that fails to hear its answer."""

    waits = True

    def has_gone(self) -> bool:
        return False

    def take(self, result: Rows | Exception) -> None:
        raise OSError(f"nobody listens to {result}")

    def give_up(self) -> None:
        self.waits = False


@pytest.mark.parametrize("quick_rows", [0, 99])
@pytest.mark.parametrize("before", [0, 1])
async def test_an_answer_that_cannot_be_told_stops_nobody_else_s(
    model: Model, quick_rows: int, before: int, caplog: pytest.LogCaptureFixture
) -> None:
    model.free.set()
    batch = batcher(model, Limits(8, 10), quick_rows=quick_rows)
    await all_of(
        await submit(batch, *(rows(0) for _ in range(before)))
    )  # what comes next runs at once

    batch.submit(rows(1), deaf := Deaf())
    beside = await submit(batch, rows(2))

    assert await all_of(beside) == [[4]]
    assert await all_of(await submit(batch, rows(3))) == [[6]]
    assert "nobody listens" in caplog.text
    assert not deaf.waits
