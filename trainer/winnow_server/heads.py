"""What the HTTP headers of an inference request say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus

from winnow_server.errors import RequestError

__all__ = ["HEADER_LENGTH", "Head", "read_head"]

HEADER_LENGTH = b"inference-header-content-length"
_READ = frozenset({b"content-length", HEADER_LENGTH, b"expect", b"content-encoding"})
MAX_DIGITS = 18


@dataclass(slots=True)
class Head:
    """What is to be known before the body is read."""

    length: int | None = None
    """Of the body, where it is said beforehand."""
    header_length: int | None = None
    """Of the body's JSON header."""
    expects_consent: bool = False
    """Whether the client waits for a word before it sends the body."""


def read_head(headers: Iterable[tuple[bytes, bytes]]) -> Head:
    """Read them.

    Args:
        headers: names in small letters, and values.

    Raises:
        RequestError: if one does not fit.
    """
    head = Head()
    for name, value in headers:
        if name not in _READ:
            continue
        if name == b"content-length":
            head.length = _number(name, value)
        elif name == HEADER_LENGTH:
            head.header_length = _number(name, value)
        elif name == b"expect":
            head.expects_consent = True
        elif value.lower() != b"identity":
            raise RequestError(
                f"Content-Encoding {value[:80].decode('latin-1')!r} is not taken: send the body "
                "as it is",
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            )
    return head


def _number(name: bytes, value: bytes) -> int:
    if not value.isdigit() or len(value) > MAX_DIGITS:
        raise RequestError(
            f"{name.decode('latin-1')} is {value[:80].decode('latin-1')!r}, it must be a number "
            "of bytes"
        )
    return int(value)
