"""Connections that end at a set age, and requests that do not take for ever to arrive.

A client that keeps its connection would never meet the pods of a new revision, so a connection is
closed after its next answer once it is old; and while the server drains, after any answer. The
answer says so (`Connection: close`), so that no client sends into a closing connection.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

__all__ = [
    "AgeingProtocol",
    "Lifecycle",
    "Shortcut",
    "close_stalled",
    "protocol_class",
    "write_answer",
]

MAX_HEAD_BYTES = 64 << 10
"""Of a request's first line and headers; uvicorn alone would take any number."""
Shortcut = Callable[[RequestResponseCycle], Callable[[], None] | None]
"""Given a request whose headers are there: what to call when its body is; None: a task answers it."""
SPREAD = 0.1
"""Of the age: connections that were opened together are not all closed together."""

_TOO_LARGE = b'{"error":"the headers of the request have over %d bytes"}' % MAX_HEAD_BYTES
HEAD_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: application/json\r\n"
    b"connection: close\r\ncontent-length: %d\r\n\r\n%b" % (len(_TOO_LARGE), _TOO_LARGE)
)


@dataclass(slots=True)
class Lifecycle:
    """What all connections of a server have in common."""

    max_age: float
    """Seconds; 0: connections do not age."""
    arrival_seconds: float = 60.0
    """How long a request may take to arrive."""
    max_message_bytes: int = 64 << 20
    """Of a request with all that HTTP may wrap it in, chunk by chunk."""
    drain_since: float | None = field(default=None, init=False)
    """When draining began, on the monotonic clock."""

    @property
    def is_draining(self) -> bool:
        """Whether the server has been told to end."""
        return self.drain_since is not None


class AgeingProtocol(HttpToolsProtocol):
    """uvicorn's connection, with an age.

    Args:
        lifecycle: of the server.
        shortcut: for requests that need no task.
        args: of uvicorn's.
        kwargs: of uvicorn's.
    """

    def __init__(self, lifecycle: Lifecycle, shortcut: Shortcut, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lifecycle = lifecycle
        self._old_from = float("inf")
        self.waits_since: float | None = None
        """Since when a request is arriving, or the first one is waited for."""
        self._is_in_head = True
        self._arrived_bytes = 0
        self._shortcut = shortcut
        self._when_whole: Callable[[], None] | None = None

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        super().connection_made(transport)
        now = time.monotonic()
        self.waits_since = now
        if self._lifecycle.max_age:
            spread = random.uniform(1 - SPREAD, 1 + SPREAD)  # noqa: S311 -- nothing secret
            self._old_from = now + spread * self._lifecycle.max_age

    @override
    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.waits_since is None:
            return
        self._arrived_bytes += len(data)
        if self._is_in_head and self._arrived_bytes > MAX_HEAD_BYTES:
            self.transport.write(HEAD_TOO_LARGE)
            self.transport.close()
        elif self._arrived_bytes > self._lifecycle.max_message_bytes:
            self.transport.abort()

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.waits_since = time.monotonic()
        self._is_in_head = True
        self._arrived_bytes = 0

    @override
    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._is_in_head = False
        if self._lifecycle.is_draining or time.monotonic() >= self._old_from:
            self.cycle.keep_alive = False

    @override
    def on_message_complete(self) -> None:
        super().on_message_complete()
        self.waits_since = None
        when_whole, self._when_whole = self._when_whole, None
        if when_whole is not None:
            when_whole()

    @override
    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        when_whole = self._shortcut(cycle)
        if when_whole is None:
            super()._start_asgi_task(cycle, app)
        elif cycle.more_body:
            self._when_whole = when_whole
        else:  # it came behind another one, which is answered just now
            self.loop.call_soon(when_whole)


def write_answer(exchange: RequestResponseCycle, status: int, head: bytes, body: bytes) -> None:
    """Write an answer in one piece.

    uvicorn checks and writes head and body one after the other, header by header, which takes it
    longer than a small model runs.

    Args:
        exchange: of the request.
        status: of the answer.
        head: its headers, each with its line's end; none of what a client sent is in them.
        body: all of it.
    """
    if exchange.disconnected:
        return
    parts = [STATUS_LINE[status]]
    parts += [b"%b: %b\r\n" % header for header in exchange.default_headers]
    parts += [head, b"\r\n" if exchange.keep_alive else b"connection: close\r\n\r\n", body]
    exchange.transport.write(b"".join(parts))
    exchange.response_started = exchange.response_complete = True
    if not exchange.keep_alive:
        exchange.transport.close()
    exchange.on_response()
    exchange.on_response = _nothing  # no ring of references


def _nothing() -> None: ...


def protocol_class(lifecycle: Lifecycle, shortcut: Shortcut) -> Callable[..., AgeingProtocol]:
    """What uvicorn makes connections with."""
    return partial(AgeingProtocol, lifecycle, shortcut)


def close_stalled(connections: Iterable[Any], lifecycle: Lifecycle) -> int:
    """Close connections whose request does not come to its end; gives how many."""
    latest = time.monotonic() - lifecycle.arrival_seconds
    stalled = [
        one
        for one in connections
        if isinstance(one, AgeingProtocol) and (one.waits_since or latest) < latest
    ]
    for one in stalled:
        one.transport.abort()
    return len(stalled)
