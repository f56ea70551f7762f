"""A queue of keys, each at most once, never worked on twice at the same time.

    add(delay) --> later --(due)--> ready --take--> busy --done--> out, or later if added meanwhile
                                                     |
                                                     +--failed--> later, longer each time

Events only say "look again": any number of them while a key waits are one look. Ready keys are
taken namespace by namespace in turn, and one namespace never gets all workers, so that a thousand
jobs of one do not hold up the single job of another.
"""

from __future__ import annotations

import asyncio
import heapq
from dataclasses import dataclass, field

from typing_extensions import override

from winnow_operator.clock import Clock
from winnow_operator.domain.kinds import Kind
from winnow_operator.metrics.own import QUEUE_ADDS, QUEUE_DEPTH, QUEUE_RETRIES, QUEUE_SECONDS

FIRST_BACKOFF_SECONDS = 0.2
LAST_BACKOFF_SECONDS = 60.0
MAX_DOUBLINGS = 16
"""Enough to reach the last backoff, and no huge power for a key that fails for days."""
TOLERANCE_SECONDS = 0.001
"""Timers may fire a little early; what is due so soon is due."""
MAX_OUTDATED = 64
"""Outdated entries that the heap may hold besides one per key."""


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """A job, by namespace, name and kind."""

    namespace: str
    name: str
    kind: Kind = Kind.SEARCH

    @override
    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class QueueClosedError(Exception):
    """No key is given out any more."""


@dataclass(slots=True)
class WorkQueue:
    """Keys that are due, those that are due later, and those being worked on."""

    clock: Clock
    share: int = 1 << 30
    """Keys of one namespace that may be worked on at one time."""
    _later: dict[Key, float] = field(default_factory=dict)
    """When each key that waits for its time is due, in monotonic seconds."""
    _heap: list[tuple[float, Key]] = field(default_factory=list)
    """The same in order of time; an entry whose key is due at another time is outdated."""
    _ready: dict[str, dict[Key, float]] = field(default_factory=dict)
    """Keys that are due, by namespace; the namespace whose turn it is comes first."""
    _busy: dict[Key, float] = field(default_factory=dict)
    """Since when each key is being worked on."""
    _again: dict[Key, float] = field(default_factory=dict)
    """When a busy key is due again."""
    _failures: dict[Key, int] = field(default_factory=dict)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _closed: bool = False

    def add(self, key: Key, *, delay: float = 0.0) -> None:
        """Look at a key in `delay` seconds, or sooner if it is due sooner."""
        QUEUE_ADDS.inc()
        self._schedule(key, self.clock.monotonic() + delay)

    def _schedule(self, key: Key, due: float) -> None:
        if key in self._busy:
            self._again[key] = min(due, self._again.get(key, due))
            return
        if key in self._ready.get(key.namespace, ()) or due >= self._later.get(key, float("inf")):
            return
        self._later[key] = due
        heapq.heappush(self._heap, (due, key))
        if len(self._heap) > 2 * len(self._later) + MAX_OUTDATED:
            self._heap = sorted((due, key) for key, due in self._later.items())
        self._changed.set()

    async def take(self) -> Key:
        """The next key that is due; the caller must give it back with `done` or `failed`.

        Raises:
            QueueClosedError: once the queue is closed.
        """
        while True:
            if self._closed:
                raise QueueClosedError
            self._changed.clear()
            self._ripen()
            key = self._next()
            if key is not None:
                return self._start(key)
            await self._wait()

    def _ripen(self) -> None:
        """Move the keys whose time has come to the ready ones."""
        now = self.clock.monotonic() + TOLERANCE_SECONDS
        while self._heap and self._heap[0][0] <= now:
            due, key = heapq.heappop(self._heap)
            if self._later.get(key) == due:
                del self._later[key]
                self._ready.setdefault(key.namespace, {})[key] = due
        QUEUE_DEPTH.set(self.depth)

    def _next(self) -> Key | None:
        busy: dict[str, int] = {}
        for key in self._busy:
            busy[key.namespace] = busy.get(key.namespace, 0) + 1
        for namespace, keys in self._ready.items():
            if busy.get(namespace, 0) < self.share:
                return next(iter(keys))
        return None

    def _start(self, key: Key) -> Key:
        now = self.clock.monotonic()
        keys = self._ready.pop(key.namespace)
        QUEUE_SECONDS.observe(max(0.0, now - keys.pop(key)))
        if keys:
            self._ready[key.namespace] = keys  # back to the end: it is another's turn
        self._busy[key] = now
        QUEUE_DEPTH.set(self.depth)
        return key

    async def _wait(self) -> None:
        """Until a key was added, given back, or is due."""
        due = self._heap[0][0] if self._heap else None
        wait = None if due is None else max(0.0, due - self.clock.monotonic())
        try:
            async with asyncio.timeout(wait):
                await self._changed.wait()
        except TimeoutError:
            return

    def done(self, key: Key, *, again: float | None = None) -> None:
        """A key was worked on; it is due again if it was added meanwhile, or in `again` seconds."""
        self._failures.pop(key, None)
        dues = [self._give_back(key)]
        if again is not None:
            dues.append(self.clock.monotonic() + again)
        due = min((due for due in dues if due is not None), default=None)
        if due is not None:
            self._schedule(key, due)

    def failed(self, key: Key) -> None:
        """A key could not be worked on; it comes back later each time.

        If it was added meanwhile it comes back soon: what was added may be the cure.
        """
        QUEUE_RETRIES.inc()
        count = self._failures.get(key, 0)
        self._failures[key] = count + 1
        now, added = self.clock.monotonic(), self._give_back(key)
        backoff = min(LAST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2 ** min(count, MAX_DOUBLINGS))
        soonest = now + FIRST_BACKOFF_SECONDS
        self._schedule(
            key, now + backoff if added is None else min(max(added, soonest), now + backoff)
        )

    def _give_back(self, key: Key) -> float | None:
        """End the work on a key; gives when it is due again."""
        del self._busy[key]
        self._changed.set()  # its namespace may have more that waits for a share
        return self._again.pop(key, None)

    def close(self) -> None:
        """Give no key out any more; who waits for one is told."""
        self._closed = True
        self._changed.set()

    @property
    def depth(self) -> int:
        """Keys that are due and wait for a worker."""
        return sum(map(len, self._ready.values()))

    def oldest_wait_seconds(self) -> float:
        """How long the key that is due longest has waited; keys for later do not count."""
        dues = [next(iter(keys.values())) for keys in self._ready.values()]
        dues.extend(self._later.values())  # if all workers hang, what was due later ripens no more
        return max(0.0, self.clock.monotonic() - min(dues, default=float("inf")))

    def longest_work_seconds(self) -> float:
        """How long the key that is worked on longest has been so."""
        return max(0.0, self.clock.monotonic() - min(self._busy.values(), default=float("inf")))
