"""What Prometheus says of rollouts, asked in the background: no reconcile ever waits for it.

reconcile --asks--> a query is begun, what is known is given --> reconcile goes on without
                         |
                         +--answered, or not in time--> the key is put on the queue again
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from winnow_operator.clock import Clock
from winnow_operator.domain.blockages import parse_time
from winnow_operator.domain.servers.loads import NOT_YET, Loads, Question, Vector, loads_of, queries
from winnow_operator.errors import NoAnswerError
from winnow_operator.reconcile.queue import Key

PERIOD_SECONDS = 10.0
"""How soon the same is asked again."""
AT_ONCE = 4
"""Rollouts that are asked about at one time."""


class Asks(Protocol):
    """What is needed of Prometheus, here and where trials are followed."""

    async def ask(self, queries: Mapping[str, str]) -> dict[str, Vector]:
        """The answers to all queries, by their names."""
        ...


@dataclass(slots=True)
class Answer:
    """What was said last of a rollout."""

    question: Question
    loads: Loads
    at: float
    """Monotonic seconds."""


@dataclass(slots=True)
class Analysis:
    """Questions that are out, and the last answers."""

    prometheus: Asks | None
    """None: there is none to ask."""
    clock: Clock
    wake: Callable[[Key], None]
    """Has a key looked at again."""
    _answers: dict[Key, Answer] = field(default_factory=dict)
    _asking: dict[Key, asyncio.Task[None]] = field(default_factory=dict)
    _turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    @property
    def is_configured(self) -> bool:
        """Whether there is a Prometheus to ask."""
        return self.prometheus is not None

    def loads(self, key: Key, question: Question) -> Loads:
        """What is known by now; asked again if that is old."""
        known = self._answers.get(key)
        if known is not None and known.question != question:
            known = None
        is_fresh = known is not None and self.clock.monotonic() - known.at < PERIOD_SECONDS
        if not is_fresh and key not in self._asking and self.prometheus is not None:
            asking = asyncio.create_task(self._ask(self.prometheus, key, question))
            self._asking[key] = asking
        return NOT_YET if known is None else known.loads

    def forget(self, key: Key) -> None:
        """Nothing is rolled out there any more."""
        self._answers.pop(key, None)

    async def _ask(self, prometheus: Asks, key: Key, question: Question) -> None:
        try:
            async with self._turn:
                seconds = (self.clock.now() - parse_time(question.since)).total_seconds()
                loads = loads_of(await prometheus.ask(queries(question, int(seconds))))
        except NoAnswerError as error:
            loads = Loads(problem=str(error))
        finally:
            del self._asking[key]
        self._answers[key] = Answer(question, loads, self.clock.monotonic())
        self.wake(key)

    async def close(self) -> None:
        """End the questions that are out."""
        asking = list(self._asking.values())
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
