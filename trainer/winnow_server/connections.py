"""Connections that end at a set age, and requests that do not take for ever to arrive.

A client that keeps its connection would never meet the pods of a new revision, so a connection is
closed after its next answer once it is old; and while the server drains, after any answer. The
answer says so (`Connection: close`), so that no client sends into a closing connection.

A client's offer to go on with another protocol (`Upgrade`) is ignored, as a server may (RFC 9110,
section 7.8). Its parser stops at the end of such a head, before the body; so the head is read again
without the offer, and the body after it.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import httptools
from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from winnow_server.heads import Head
from winnow_server.known_heads import KnownHead, KnownHeads

__all__ = [
    "AgeingProtocol",
    "Lifecycle",
    "Shortcut",
    "WholeRequest",
    "close_stalled",
    "end_with_answers",
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
        connection = self.connection
        is_last = not self.keep_alive or (connection.is_to_end and not connection.pipeline)
        parts = [STATUS_LINE[status], self.connection.default_head, head]
        parts += [b"connection: close\r\n\r\n" if is_last else b"\r\n", body]
        self.connection.transport.write(b"".join(parts))
        self.response_complete = True
        if is_last:
            self.connection.transport.close()
        self.connection.on_whole_answer()


class Shortcut(Protocol):
    """Answers requests without a task."""

    def head_of(self, connection: AgeingProtocol) -> Head | None:
        """What the headers that a connection has read say of the body; None: a task answers it."""

    def request(self, connection: AgeingProtocol, url: bytes, head: Head) -> WholeRequest:
        """A request with such a head."""


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
    known_heads: KnownHeads = field(default_factory=KnownHeads, init=False)
    """Of requests by the shortcut."""

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
        self._is_arriving = False
        """Whether the parser is in the midst of a request."""
        self._is_in_head = True
        self._arrived_bytes = 0
        self.idle_since = float("inf")
        """Since when the last request is answered; infinity: none is, or another one has begun."""
        self._shortcut = shortcut
        self._whole: WholeRequest | None = None
        self._read: KnownHead | None = None
        """Of the last request that the shortcut takes."""
        self._default_head: tuple[object, bytes] = (None, b"")

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        super().connection_made(transport)
        now = time.monotonic()
        self.waits_since = now
        if self._lifecycle.max_age:
            spread = random.uniform(1 - SPREAD, 1 + SPREAD)  # noqa: S311 -- nothing secret
            self._old_from = now + spread * self._lifecycle.max_age

    @property
    def is_to_end(self) -> bool:
        """Whether it ends with the next answer that nothing in the pipeline waits behind.

        What a client has sent behind that one without waiting for it is not answered, as HTTP allows:
        the answer says that the connection ends, and the client asks again on another one.
        """
        return self._lifecycle.is_draining or time.monotonic() >= self._old_from

    @override
    def data_received(self, data: bytes) -> None:
        if self._is_arriving:
            self._parse(data)
            return
        found = self._lifecycle.known_heads.find(data) if self._is_free else None
        if found is not None:
            self._take(*found)
            return
        self._read = None
        self._parse(data)
        if self._read is not None and not self._is_arriving:
            self._lifecycle.known_heads.keep(data, self._read)

    def _take(self, known: KnownHead, body: bytes) -> None:
        """See to a request whose head needs no parser."""
        self.waits_since = None
        self.idle_since = float("inf")
        whole = self._begin(known)
        whole.parts.append(body)
        whole.complete()

    def _parse(self, data: bytes) -> None:
        try:
            self._feed(data)
        except httptools.HttpParserError:
            self._refuse("Invalid HTTP request received.")
        if self.waits_since is None or self.transport.is_closing():
            return
        self._arrived_bytes += len(data)
        if self._is_in_head and self._arrived_bytes > MAX_HEAD_BYTES:
            self.transport.write(HEAD_TOO_LARGE)
            self.transport.close()
        elif self._arrived_bytes > self._lifecycle.max_message_bytes:
            self.transport.abort()

    def _feed(self, data: bytes) -> None:
        """Read all of it; the callbacks below come from here."""
        rest = memoryview(data)
        while True:
            try:
                self.parser.feed_data(rest)
            except httptools.HttpParserUpgrade as upgrade:
                if self.parser.get_method() == b"CONNECT":
                    self._refuse("This server is no proxy: CONNECT is not taken.")
                    return
                rest = rest[upgrade.args[0] :]
                self._read_again()
            else:
                return

    def _read_again(self) -> None:
        """Read the head that the parser has stopped at as if there were no offer in it."""
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        lines = [b"%b %b HTTP/%b" % (method, self.url, version)]
        lines += [b"%b: %b" % header for header in self.headers if header[0] != b"upgrade"]
        self.parser = new_parser(self)
        self.parser.feed_data(b"\r\n".join([*lines, b"", b""]))

    def _refuse(self, words: str) -> None:
        self.logger.warning(words)
        self.send_400_response(words)

    @property
    def _is_free(self) -> bool:
        """Whether no request has to be answered before the next one, and answers are read."""
        is_answered = self.cycle is None or self.cycle.response_complete
        return is_answered and not self.flow.write_paused

    def _begin(self, known: KnownHead) -> WholeRequest:
        whole = self._shortcut.request(self, known.url, known.head)
        whole.keep_alive = known.keep_alive
        self.cycle = whole  # type: ignore[assignment] # all that uvicorn looks at is there
        return whole

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_arriving = True
        self.idle_since = float("inf")
        self.waits_since = time.monotonic()
        self._is_in_head = True
        self._arrived_bytes = 0

    @override
    def on_headers_complete(self) -> None:
        if self.parser.should_upgrade():
            return  # the head is read again
        self._is_in_head = False
        head = self._shortcut.head_of(self) if self._is_free else None
        if head is None:
            self._whole = self._read = None
            super().on_headers_complete()
            if self.is_to_end:
                self.cycle.keep_alive = False
            return
        is_old = self.parser.get_http_version() == "1.0"
        keep_alive = not is_old and self.parser.should_keep_alive()
        self._read = KnownHead(self.url, head, keep_alive)
        self._whole = self._begin(self._read)

    @override
    def on_body(self, body: bytes) -> None:
        if self._whole is None:
            super().on_body(body)
        else:
            self._whole.parts.append(body)

    @override
    def on_message_complete(self) -> None:
        if self.parser.should_upgrade():
            return
        self._is_arriving = False
        self.waits_since = None
        whole, self._whole = self._whole, None
        if whole is not None:
            whole.complete()
            return
        super().on_message_complete()
        if self.cycle.response_complete:  # without waiting for the body
            self._idle()

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
        self.server_state.total_requests += 1
        self._idle()

    @override
    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._unset_keepalive_if_required()
        if self.cycle.response_complete:  # there is no other one in the pipeline
            self._idle()

    def _idle(self) -> None:
        """Note that the connection is idle, unless the next request is arriving already.

        `close_stalled` looks at it. uvicorn's timer for each answer would be a part of a small model's
        time, and bytes that begin no request, such as an empty line, would stop it for ever.
        """
        if self.waits_since is None:
            self.idle_since = time.monotonic()


def new_parser(protocol: AgeingProtocol) -> httptools.HttpRequestParser:
    """A parser as uvicorn makes it."""
    parser = httptools.HttpRequestParser(protocol)
    parser.set_dangerous_leniencies(lenient_data_after_close=True)
    return parser


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


def end_with_answers(connections: Iterable[Any]) -> None:
    """Let the last answer of each connection say that it is, unless it has begun already."""
    for one in connections:
        last = one.pipeline[0][0] if one.pipeline else one.cycle
        if last is not None and not getattr(last, "response_started", False):
            last.keep_alive = False
