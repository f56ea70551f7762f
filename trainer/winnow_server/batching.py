"""Requests that wait at the same time are computed together; none ever waits for others to come.

A model that takes long runs in a thread, and what arrives meanwhile is the next batch. A quick one
runs at once, in the event loop: handing it to a thread would take longer than running it. Then
what has arrived in the same turn of the loop is a batch.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Protocol

import numpy as np

from winnow_runtime.artifacts import Tensor
from winnow_server.errors import RequestError

__all__ = ["Asker", "Batcher", "Limits"]

logger = logging.getLogger(__name__)

Run = Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is computed together, and how much may wait."""

    max_rows: int
    """Of one run of the model; 1: every request is run by itself, whatever it has."""
    max_queue: int
    """Requests that wait; more are refused."""


class Asker(Protocol):
    """Who wants to know what a model gives; its methods are called in the event loop."""

    def has_gone(self) -> bool:
        """Whether nobody waits for it any more."""

    def take(self, result: Tensor | Exception) -> None:
        """Be told outputs (rows, ...), or why there are none."""

    def give_up(self) -> None:
        """Let nobody wait any longer: `take` has failed."""


class _Awaiting:
    """An asker that is a task."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[Tensor] = asyncio.get_running_loop().create_future()

    def has_gone(self) -> bool:
        return self.answer.done()

    def take(self, result: Tensor | Exception) -> None:
        if self.answer.done():  # its task was cancelled while the model ran
            return
        if isinstance(result, Exception):
            self.answer.set_exception(result)
        else:
            self.answer.set_result(result)

    def give_up(self) -> None:
        self.answer.cancel()


@dataclass(slots=True)
class _Waiting:
    rows: Tensor
    asker: Asker
    alone: bool = False
    """Not with others again: it was in a batch that failed."""


class Batcher:
    """Runs a model for many requests.

    Args:
        run: gives outputs (rows, ...) for rows (rows, ...).
        limits: of batches and queue.
        quick_rows: with as many, a run is so short that the event loop can wait for it.
        turn_seconds: after which the loop looks up from quick runs.
        on_batch: told the rows of each run.
    """

    def __init__(
        self,
        run: Run,
        limits: Limits,
        *,
        quick_rows: int,
        turn_seconds: float,
        on_batch: Callable[[int], None],
    ) -> None:
        self._run = run
        self._limits = limits
        self._quick_rows = quick_rows
        self._turn_seconds = turn_seconds
        self._on_batch = on_batch
        self._executor = ThreadPoolExecutor(1, "model")
        self._queue: deque[_Waiting] = deque()
        self._is_running = False
        self._is_calm = False
        """Whether no more than one request waited in the last turn."""

    def __len__(self) -> int:
        """Requests that wait."""
        return len(self._queue)

    async def run(self, rows: Tensor) -> Tensor:
        """Outputs (rows, ...) of rows (rows, ...).

        Raises:
            RequestError: with 429, if too many wait already.
            ModelError: if the model cannot be run.
        """
        asker = _Awaiting()
        self.submit(rows, asker)
        return await asker.answer

    def submit(self, rows: Tensor, asker: Asker) -> None:
        """Let somebody be told the outputs (rows, ...) of rows (rows, ...).

        Raises:
            RequestError: with 429, if too many wait already.
        """
        if len(self._queue) >= self._limits.max_queue:
            raise RequestError(
                f"{len(self._queue)} requests wait already, which is the limit: try again later",
                HTTPStatus.TOO_MANY_REQUESTS,
            )
        if self._is_running:
            self._queue.append(_Waiting(rows, asker))
            return
        self._is_running = True
        if self._is_calm and len(rows) <= self._quick_rows:
            _tell(asker, _attempt(self._run, [rows]))
            self._on_batch(len(rows))
        else:
            self._queue.append(_Waiting(rows, asker))
        # In the next turn, so that what arrives in this one goes along.
        asyncio.get_running_loop().call_soon(self._next)

    def _next(self) -> None:
        """One turn of the loop, which between two of them looks at what else has come."""
        loop, end = asyncio.get_running_loop(), time.perf_counter() + self._turn_seconds
        batch = self._take()
        self._is_calm = len(batch) <= 1 and not self._queue
        while batch:
            parts = [one.rows for one in batch]
            rows = sum(map(len, parts))
            self._on_batch(rows)
            if rows > self._quick_rows:
                running = loop.run_in_executor(self._executor, _attempt, self._run, parts)
                running.add_done_callback(partial(self._finish, batch))
                return
            self._deliver(batch, _attempt(self._run, parts))
            if time.perf_counter() >= end:
                loop.call_soon(self._next)
                return
            batch = self._take()
        self._is_running = False

    def _finish(self, batch: list[_Waiting], done: asyncio.Future[Tensor | Exception]) -> None:
        self._deliver(batch, done.result())
        self._next()

    def _take(self) -> list[_Waiting]:
        """The next requests, in their order, as many as may be computed together."""
        batch: list[_Waiting] = []
        rows = 0
        while self._queue:
            first = self._queue[0]
            if first.asker.has_gone():
                self._queue.popleft()
                continue
            if batch and (first.alone or rows + len(first.rows) > self._limits.max_rows):
                break
            batch.append(self._queue.popleft())
            rows += len(first.rows)
            if first.alone:
                break
        return batch

    def _deliver(self, batch: list[_Waiting], result: Tensor | Exception) -> None:
        if isinstance(result, Exception):
            if len(batch) == 1:
                _tell(batch[0].asker, result)
                return
            # One of them may be at fault alone: each by itself, before anything that came later.
            self._queue.extendleft(_Waiting(one.rows, one.asker, True) for one in reversed(batch))
            return
        start = 0
        for one in batch:
            end = start + len(one.rows)
            _tell(one.asker, result[start:end])
            start = end


def _attempt(run: Run, parts: Sequence[Tensor]) -> Tensor | Exception:
    try:
        return run(parts[0] if len(parts) == 1 else np.concatenate(parts))
    except Exception as error:  # noqa: BLE001 -- whoever waits for it is told
        return error


def _tell(asker: Asker, result: Tensor | Exception) -> None:
    """Nobody's fault in hearing an answer keeps it from the others."""
    try:
        asker.take(result)
    except Exception:
        logger.exception("a bug of the server: an answer could not be told")
        asker.give_up()
