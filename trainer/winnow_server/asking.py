"""A client of one revision's pod: its signature, and outputs for rows, as bytes and thus exact."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from typing_extensions import override

from winnow_runtime.artifacts import Tensor
from winnow_server.errors import NoAnswerError
from winnow_server.heads import HEADER_LENGTH
from winnow_server.signature import ITEM_TYPE

__all__ = ["Refusal", "Revision", "Shapes"]

TIMEOUT_SECONDS = 60.0
_LENGTH = HEADER_LENGTH.decode()
_SHOWN = 120
"""Characters of an answer that a sentence repeats."""
_PASSING = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
"""Said by a pod that is busy or about to end: it is asked again later."""


class Refusal(Exception):  # noqa: N818 -- an answer, though not the one that was hoped for
    """A pod answers that it has no outputs for these rows."""


@dataclass(frozen=True, slots=True)
class Shapes:
    """What goes in and what comes out, as the protocol names it."""

    inputs: str
    outputs: str

    @override
    def __str__(self) -> str:
        return f"{self.inputs} -> {self.outputs}"


class Revision:
    """One revision, asked over a connection of its own for each request.

    Args:
        called: what sentences call it.
        url: of its model, `http://HOST:PORT/v2/models/NAME/versions/REVISION`.
    """

    def __init__(self, called: str, url: str) -> None:
        self._called = called
        parts = urlsplit(url)
        self._host, self._port, self._path = parts.hostname or "", parts.port or 80, parts.path

    def signature(self) -> Shapes:
        """Names, types and shapes of its input and output.

        Raises:
            NoAnswerError: if it does not say.
        """
        status, _, body = self._exchange("GET", self._path)
        if status != HTTPStatus.OK:
            raise self._no_answer(_words(status, body))
        document = self._document(body)
        try:
            return Shapes(*(_named(document[part]) for part in ("inputs", "outputs")))
        except (KeyError, TypeError) as error:
            raise self._no_answer(f"its metadata lack {error}") from error

    def outputs(self, rows: Tensor) -> Tensor:
        """Outputs (rows, n) float32 of rows (rows, ...).

        Raises:
            Refusal: if it answers with an error.
            NoAnswerError: if it does not answer, or is too busy to.
        """
        content = rows.astype(ITEM_TYPE, copy=False).tobytes()
        status, header_length, body = self._exchange("POST", f"{self._path}/infer", content)
        if status in _PASSING:
            raise self._no_answer(_words(status, body))
        if status != HTTPStatus.OK:
            raise Refusal(_words(status, body))
        document = self._document(body[:header_length])
        try:
            shape = tuple(document["outputs"][0]["shape"])
            found = np.frombuffer(body[header_length:], ITEM_TYPE).reshape(shape)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise self._no_answer(f"its answer cannot be read: {error}") from error
        if found.ndim != 2 or len(found) != len(rows):  # noqa: PLR2004 -- rows and outputs
            raise self._no_answer(f"it answers {len(rows)} rows with the shape {list(shape)}")
        return found

    def _exchange(
        self, method: str, path: str, body: bytes | None = None
    ) -> tuple[int, int, bytes]:
        """Status, length of the JSON header, and the whole body."""
        connection = HTTPConnection(self._host, self._port, timeout=TIMEOUT_SECONDS)
        try:
            connection.request(method, path, body, {} if body is None else {_LENGTH: "0"})
            response = connection.getresponse()
            length = response.getheader(_LENGTH, "0")
            content = response.read()
        except (OSError, HTTPException) as error:
            raise self._no_answer(str(error) or type(error).__name__) from error
        finally:
            connection.close()
        return response.status, int(length) if length.isascii() and length.isdigit() else 0, content

    def _document(self, content: bytes) -> Any:
        try:
            return json.loads(content)
        except ValueError as error:
            raise self._no_answer(f"it gave no JSON: {content[:_SHOWN]!r}") from error

    def _no_answer(self, words: str) -> NoAnswerError:
        return NoAnswerError(
            f"{self._called} at {self._host}:{self._port} does not answer: {words}"
        )


def _named(tensors: Any) -> str:
    return ", ".join(f"{t['name']} {t['datatype']} {list(t['shape'])}" for t in tensors)


def _words(status: int, body: bytes) -> str:
    try:
        said = str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        said = body.decode("utf-8", "replace")
    return f"{status}: {said[:_SHOWN]}"
