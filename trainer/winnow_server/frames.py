"""Requests that differ in their numbers alone, as most of a client's do: all else is checked once.

What stands before and after the numbers of a request in JSON, its frame, says all but the numbers. A
body with a known frame is read by reading the numbers: that their list is right makes all of it right.
"""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from winnow_server.requests import InferenceRequest, parse_request, rows_from_json
from winnow_server.signature import Signature

__all__ = ["Reader"]

DATA, OPEN, CLOSE = b'"data"', b"[", b"]"


@dataclass(frozen=True, slots=True)
class _Frame:
    before: bytes
    """Up to the list's opening bracket, and with it."""
    after: bytes
    """From the list's closing bracket on."""
    shape: tuple[int, ...]
    id: str | None
    is_binary: bool

    def numbers(self, body: bytes) -> bytes | None:
        """The list in a body; None if its frame is another one."""
        if body.startswith(self.before) and body.endswith(self.after):
            return body[len(self.before) - 1 : len(body) - len(self.after) + 1]
        return None


class Reader:
    """Reads requests for one model.

    Args:
        signature: of the model.
    """

    def __init__(self, signature: Signature) -> None:
        self._signature = signature
        self._frame: _Frame | None = None
        self._last = self._tried = b""
        """What stood before the numbers of the last request, and of the last that was looked at."""

    def read(self, body: bytes, header_length: int | None) -> InferenceRequest:
        """As `parse_request` does."""
        frame = self._frame
        if header_length is None and frame is not None:
            numbers = frame.numbers(body)
            if numbers is not None:
                try:
                    data = orjson.loads(numbers)
                except ValueError:
                    pass  # said below
                else:
                    name = self._signature.input.name
                    rows = rows_from_json(data, numbers, frame.shape, name)
                    return InferenceRequest(rows, frame.id, frame.is_binary)
        request = parse_request(body, header_length, self._signature)
        if header_length is None:
            self._learn(body, request)
        return request

    def _learn(self, body: bytes, request: InferenceRequest) -> None:
        """Keep the frame of a right request, if the one before has begun in the same way."""
        start = body.find(OPEN, body.find(DATA)) + 1
        before = body[:start]
        if before == self._tried or before != self._last:
            self._last = before
            return
        self._tried = before
        after = body[body.find(CLOSE, start) :]
        if _are_around_data(before, after, body):
            shape = request.rows.shape
            self._frame = _Frame(before, after, shape, request.id, request.is_binary)


def _are_around_data(before: bytes, after: bytes, body: bytes) -> bool:
    """Whether what they leave out of a right request is the items of its input's data, and nothing else."""
    document = orjson.loads(body)
    (tensor,) = document["inputs"]
    tensor["data"] = []
    try:
        return bool(orjson.loads(before + after) == document)
    except ValueError:
        return False
