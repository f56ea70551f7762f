"""Requests that wait at the same time are computed together; none ever waits for others to come.

A model that takes long runs in a thread, and what arrives meanwhile is the next batch. A quick one
runs at once, in the event loop: handing it to a thread would take longer than running it. Then
what has arrived in the same turn of the loop is a batch.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus

import numpy as np

from winnow_runtime.artifacts import Tensor
from winnow_server.errors import RequestError

__all__ = ["Batcher", "Limits"]

Run = Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is computed together, and how much may wait."""

    max_rows: int
    """Of one run of the model; 1: every request is run by itself, whatever it has."""
    max_queue: int
    """Requests that wait; more are refused."""


@dataclass(slots=True)
class _Waiting:
    rows: Tensor
    answer: asyncio.Future[Tensor]
    alone: bool = False
    """Not with others again: it was in a batch that failed."""


class Batcher:
    """Runs a model for many requests.

    Args:
        run: gives outputs (rows, ...) for rows (rows, ...).
        limits: of batches and queue.
        in_thread: whether the model takes so long that the event loop must not wait for it.
        on_batch: told the rows of each run.
        arrived: tells how many requests the server has under way, parsed or not.
    """

    def __init__(
        self,
        run: Run,
        limits: Limits,
        *,
        in_thread: bool,
        on_batch: Callable[[int], None],
        arrived: Callable[[], int],
    ) -> None:
        self._run = run
        self._limits = limits
        self._on_batch = on_batch
        self._arrived = arrived
        self._executor = ThreadPoolExecutor(1, "model") if in_thread else None
        self._queue: deque[_Waiting] = deque()
        self._is_running = False

    def __len__(self) -> int:
        """Requests that wait."""
        return len(self._queue)

    async def run(self, rows: Tensor) -> Tensor:
        """Outputs (rows, ...) of rows (rows, ...).

        Raises:
            RequestError: with 429, if too many wait already.
            ModelError: if the model cannot be run.
        """
        if self._executor is None and not self._queue and self._arrived() <= 1:
            self._on_batch(len(rows))
            return self._run(rows)  # nobody to wait for, nobody who waits
        return await self._submit(rows)

    def _submit(self, rows: Tensor) -> asyncio.Future[Tensor]:
        if len(self._queue) >= self._limits.max_queue:
            raise RequestError(
                f"{len(self._queue)} requests wait already, which is the limit: try again later",
                HTTPStatus.TOO_MANY_REQUESTS,
            )
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Tensor] = loop.create_future()
        self._queue.append(_Waiting(rows, answer))
        if not self._is_running:
            self._is_running = True
            # In the next turn, so that what arrived in this one goes along.
            loop.call_soon(self._next)
        return answer

    def _next(self) -> None:
        batch = self._take()
        if not batch:
            self._is_running = False
            return
        parts = [one.rows for one in batch]
        self._on_batch(sum(map(len, parts)))
        loop = asyncio.get_running_loop()
        if self._executor is None:
            self._deliver(batch, _attempt(self._run, parts))
            loop.call_soon(self._next)
            return
        running = loop.run_in_executor(self._executor, _attempt, self._run, parts)
        running.add_done_callback(lambda done: self._finish(batch, done))

    def _take(self) -> list[_Waiting]:
        """The next requests, in their order, as many as may be computed together."""
        batch: list[_Waiting] = []
        rows = 0
        while self._queue:
            first = self._queue[0]
            if first.answer.cancelled():
                self._queue.popleft()
                continue
            if batch and (first.alone or rows + len(first.rows) > self._limits.max_rows):
                break
            batch.append(self._queue.popleft())
            rows += len(first.rows)
            if first.alone:
                break
        return batch

    def _finish(self, batch: list[_Waiting], done: asyncio.Future[Tensor | Exception]) -> None:
        self._deliver(batch, done.result())
        self._next()

    def _deliver(self, batch: list[_Waiting], result: Tensor | Exception) -> None:
        if isinstance(result, Exception) and len(batch) > 1:
            # One of them may be at fault alone: each by itself, before anything that came later.
            self._queue.extendleft(_Waiting(one.rows, one.answer, True) for one in reversed(batch))
            return
        start = 0
        for one in batch:
            end = start + len(one.rows)
            if one.answer.done():  # its client has gone
                pass
            elif isinstance(result, Exception):
                one.answer.set_exception(result)
            else:
                one.answer.set_result(result[start:end])
            start = end


def _attempt(run: Run, parts: Sequence[Tensor]) -> Tensor | Exception:
    try:
        return run(parts[0] if len(parts) == 1 else np.concatenate(parts))
    except Exception as error:  # noqa: BLE001 -- whoever waits for it is told
        return error
