"""Heads of requests that have been read before: the same bytes say the same again.

A client sends the same first line and headers with each request, at most with another length. To
parse them, callback by callback, takes a small model's request as long as reading its numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

from winnow_server.heads import Head

__all__ = ["KnownHead", "KnownHeads"]

END = b"\r\n\r\n"
MOST_BYTES = 2 << 10
MOST_HEADS = 512
"""All are forgotten then: whoever sends another head each time must not fill the memory."""


@dataclass(frozen=True, slots=True)
class KnownHead:
    """What was read of one."""

    url: bytes
    head: Head
    """Of a body whose length is said beforehand."""
    keep_alive: bool
    """Whether the client wants to send more."""

    def is_of(self, data: bytes, end: int) -> bool:
        """Whether a head up to there and its body are all of the data."""
        return self.head.length == len(data) - end


class KnownHeads:
    """Those of all connections of a server."""

    def __init__(self) -> None:
        self._known: dict[bytes, KnownHead] = {}

    def __len__(self) -> int:
        """How many are known."""
        return len(self._known)

    def find(self, data: bytes) -> tuple[KnownHead, bytes] | None:
        """What the head of one whole request says, and its body.

        Args:
            data: that begins with a request; of more or less than one nothing is known.
        """
        end = _end_of_head(data)
        known = self._known.get(data[:end])
        return (known, data[end:]) if known is not None and known.is_of(data, end) else None

    def keep(self, data: bytes, read: KnownHead) -> None:
        """Know the head of data from which a parser has read a whole request, its last one.

        Only if it was the only one: then the lengths of head and body make all of the data.
        """
        end = _end_of_head(data)
        if not end or not read.is_of(data, end):
            return
        if len(self._known) >= MOST_HEADS:
            self._known.clear()
        self._known[data[:end]] = read


def _end_of_head(data: bytes) -> int:
    """Where the body begins; 0 if there is no head, or it is long."""
    found = data.find(END, 0, MOST_BYTES)
    return found + len(END) if found >= 0 else 0
