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
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

__all__ = [
    "AgeingProtocol",
    "Lifecycle",
    "Shortcut",
    "WholeRequest",
    "close_stalled",
    "protocol_class",
]

MAX_HEAD_BYTES = 64 << 10
"""Of a request's first line and headers; uvicorn alone would take any number."""
SPREAD = 0.1
"""Of the age: connections that were opened together are not all closed together."""

_TOO_LARGE = b'{"error":"the headers of the request have over %d bytes"}' % MAX_HEAD_BYTES
HEAD_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: application/json\r\n"
    b"connection: close\r\ncontent-length: %d\r\n\r\n%b" % (len(_TOO_LARGE), _TOO_LARGE)
)


class WholeRequest:
    """A request that its connection itself reads to its end, and that is answered in one piece.

    To uvicorn it is the cycle of the connection: its attributes are what uvicorn looks at.

    Args:
        connection: it came over.
    """

    __slots__ = ("connection", "disconnected", "keep_alive", "parts", "response_complete")

    message_event = asyncio.Event()
    """Set when a client goes; nobody waits for it."""

    def __init__(self, connection: AgeingProtocol) -> None:
        self.connection = connection
        self.parts: list[bytes] = []
        """Of the body."""
        self.keep_alive = True
        self.disconnected = False
        self.response_complete = False

    def complete(self) -> None:
        """The body is whole: see to the answer; it must not fail."""
        raise NotImplementedError

    def answer(self, status: int, head: bytes, body: bytes) -> None:
        """Write an answer.

        uvicorn checks and writes head and body one after the other, header by header, which takes
        it longer than a small model runs.

        Args:
            status: of the answer.
            head: its headers, each with its line's end; none of what a client sent is in them.
            body: all of it.
        """
        if self.connection.transport.is_closing():
            return
        parts = [STATUS_LINE[status], self.connection.default_head, head]
        parts += [b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n", body]
        self.connection.transport.write(b"".join(parts))
        self.response_complete = True
        if not self.keep_alive:
            self.connection.transport.close()
        self.connection.on_whole_answer()


Shortcut = Callable[["AgeingProtocol"], WholeRequest | None]
"""Given a connection that has read a request's headers: the request; None: a task answers it."""


@dataclass(slots=True)
class Lifecycle:
    """What all connections of a server have in common."""

    max_age: float
    """Seconds; 0: connections do not age."""
    arrival_seconds: float = 60.0
    """How long a request may take to arrive."""
    max_message_bytes: int = 64 << 20
    """Of a request with all that HTTP may wrap it in, chunk by chunk."""
    idle_seconds: float = 120.0
    """How long a connection may be without a request."""
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
        self.idle_since = float("inf")
        """Since when the last request is answered; infinity: uvicorn's own timer runs, or none."""
        self._shortcut = shortcut
        self._whole: WholeRequest | None = None
        self._default_head: tuple[object, bytes] = (None, b"")

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
        self.idle_since = float("inf")
        self.waits_since = time.monotonic()
        self._is_in_head = True
        self._arrived_bytes = 0

    @override
    def on_headers_complete(self) -> None:
        self._is_in_head = False
        is_next = self.cycle is None or self.cycle.response_complete  # or else it has to wait
        whole = self._whole = self._shortcut(self) if is_next else None
        if whole is None:
            super().on_headers_complete()
        else:
            self.cycle = whole  # type: ignore[assignment] # all that uvicorn looks at is there
            if self.parser.get_http_version() == "1.0" or not self.parser.should_keep_alive():
                whole.keep_alive = False
        if self._lifecycle.is_draining or time.monotonic() >= self._old_from:
            self.cycle.keep_alive = False

    @override
    def on_body(self, body: bytes) -> None:
        if self._whole is None:
            super().on_body(body)
        else:
            self._whole.parts.append(body)

    @override
    def on_message_complete(self) -> None:
        self.waits_since = None
        whole, self._whole = self._whole, None
        if whole is None:
            super().on_message_complete()
        else:
            whole.complete()

    @property
    def default_head(self) -> bytes:
        """The headers that each answer has, which change once a second."""
        headers = self.server_state.default_headers
        if self._default_head[0] is not headers:
            lines = (b"%b: %b\r\n" % header for header in headers)
            self._default_head = headers, b"".join(lines)
        return self._default_head[1]

    def on_whole_answer(self) -> None:
        """Go on after the answer to a whole request."""
        if self.pipeline:
            self.on_response_complete()
            return
        # A timer for each request, as uvicorn has it, would be a part of a small model's time.
        self.server_state.total_requests += 1
        if self.waits_since is None:  # the next request is not arriving yet
            self.idle_since = time.monotonic()


def protocol_class(lifecycle: Lifecycle, shortcut: Shortcut) -> Callable[..., AgeingProtocol]:
    """What uvicorn makes connections with."""
    return partial(AgeingProtocol, lifecycle, shortcut)


def close_stalled(connections: Iterable[Any], lifecycle: Lifecycle) -> int:
    """Close connections whose request does not come to its end, and idle ones; gives how many stalled."""
    now = time.monotonic()
    ours = [one for one in connections if isinstance(one, AgeingProtocol)]
    for one in ours:
        if one.idle_since < now - lifecycle.idle_seconds:
            # A client that does not read its last answer would keep a closing connection for ever.
            end = one.transport.abort if one.transport.is_closing() else one.transport.close
            end()
    latest = now - lifecycle.arrival_seconds
    stalled = [one for one in ours if (one.waits_since or latest) < latest]
    for one in stalled:
        one.transport.abort()
    return len(stalled)
