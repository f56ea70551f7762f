"""One inference request over ASGI: body in, model run, answer out; every way it can end is counted."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from winnow_contract.serving import Serving
from winnow_runtime.artifacts import Tensor
from winnow_runtime.errors import ModelError
from winnow_server.answers import encode_answer, encode_error
from winnow_server.batching import Batcher
from winnow_server.connections import EXCHANGE, answer_whole
from winnow_server.errors import RequestError
from winnow_server.metrics import Metrics
from winnow_server.requests import InferenceRequest, are_finite, parse_request
from winnow_server.signature import Signature

__all__ = ["Inference", "Receive", "Scope", "Send"]

logger = logging.getLogger(__name__)

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

HEADER_LENGTH = b"inference-header-content-length"
JSON = b"content-type: application/json\r\n"
CLOSE = b"connection: close\r\n"
BYTES = b"content-type: application/octet-stream\r\n" + HEADER_LENGTH + b": %d\r\n"
_READ = frozenset({b"content-length", HEADER_LENGTH, b"expect", b"content-encoding"})
MAX_DIGITS = 18
DISCARDED_BYTES = 16 << 20
"""Of a body that is too large: read and thrown away, so that its sender gets to read the answer."""


class _Gone(Exception):  # noqa: N818 -- it is no error of ours
    """The client went away before its request was whole."""


@dataclass(slots=True)
class _Head:
    """What the HTTP headers say."""

    length: int | None = None
    """Of the body, where it is said beforehand."""
    header_length: int | None = None
    """Of the body's JSON header."""
    expects_consent: bool = False
    """Whether the client waits for a word before it sends the body."""


class Inference:
    """Answers inference requests of one model.

    Args:
        signature: of the model.
        batcher: runs it.
        metrics: are told of each answer.
        serving: the largest body, the delay, and whether each answer is logged.
    """

    def __init__(
        self, signature: Signature, batcher: Batcher, metrics: Metrics, serving: Serving
    ) -> None:
        self._signature = signature
        self._batcher = batcher
        self._metrics = metrics
        self._max_request_bytes = serving.max_request_bytes
        self._delay = serving.delay_factor - 1
        self._access_log = serving.access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        start = time.perf_counter()
        try:
            asked = _read_head(scope["headers"])
            body = await self._read_body(asked, receive)
            start = time.perf_counter()
            request = parse_request(body, asked.header_length, self._signature)
            outputs = await self._batcher.run(request.rows)
            status, head, content = self._answer(request, outputs)
        except _Gone:
            return
        except RequestError as error:
            status, content = error.status, encode_error(str(error))
            head = JSON + CLOSE if error.ends_connection else JSON
        except ModelError as error:
            logger.error("the model failed", extra={"error": str(error)})  # noqa: TRY400 -- no bug
            status, head, content = 500, JSON, encode_error(str(error))
        except Exception:
            logger.exception("a bug of the server")
            status, head, content = 500, JSON, encode_error("the server failed; see its log")
        if self._delay:
            await _hold_back(self._delay * (time.perf_counter() - start))
        await _send(scope, send, int(status), head, content)
        seconds = time.perf_counter() - start
        self._metrics.answered(int(status), seconds)
        if self._access_log:
            self._log(scope, int(status), seconds)

    def _answer(self, request: InferenceRequest, outputs: Tensor) -> tuple[int, bytes, bytes]:
        if not are_finite(outputs):
            raise ModelError("NaN", "the model's answer has numbers that are not finite")
        content, header_length = encode_answer(request, outputs, self._signature)
        if header_length is None:
            return 200, JSON, content
        return 200, BYTES % header_length, content

    async def _read_body(self, head: _Head, receive: Receive) -> bytes:
        most = self._max_request_bytes
        if head.length is not None and head.length > most:
            if not head.expects_consent:
                await _discard(receive)
            raise self._too_large(f"{head.length} bytes")
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        body: bytes = message.get("body", b"")
        if not message.get("more_body"):
            return body
        return await self._read_rest(body, receive)

    async def _read_rest(self, first: bytes, receive: Receive) -> bytes:
        parts, length = [first], len(first)
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _Gone
            parts.append(message.get("body", b""))
            length += len(parts[-1])
            if length > self._max_request_bytes:
                parts.clear()
                await _discard(receive)
                raise self._too_large(f"more than {self._max_request_bytes} bytes")
            if not message.get("more_body"):
                return b"".join(parts)

    def _too_large(self, size: str) -> RequestError:
        return RequestError(
            f"the body has {size}, at most {self._max_request_bytes} are taken: send fewer rows, "
            "or send binary tensors",
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            ends_connection=True,
        )

    def _log(self, scope: Scope, status: int, seconds: float) -> None:
        client = scope.get("client") or ("", 0)
        logger.info(
            "answered",
            extra={
                "path": scope["path"],
                "status": status,
                "milliseconds": round(1000 * seconds, 3),
                "client": client[0],
            },
        )


async def _hold_back(seconds: float) -> None:
    """Wait, while other requests go on; the loop's own timers count in whole milliseconds."""
    end = time.perf_counter() + seconds
    while (left := end - time.perf_counter()) > 0:  # noqa: ASYNC110 -- no event tells of the time
        await asyncio.sleep(left)


async def _send(scope: Scope, send: Send, status: int, head: bytes, content: bytes) -> None:
    length = b"content-length: %d\r\n" % len(content)
    exchange = None if head.endswith(CLOSE) else scope.get(EXCHANGE)
    if exchange is not None and answer_whole(exchange, status, head + length, content):
        return
    headers = [line.split(b": ") for line in (head + length).split(b"\r\n")[:-1]]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


def _read_head(headers: list[tuple[bytes, bytes]]) -> _Head:
    head = _Head()
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


async def _discard(receive: Receive) -> None:
    """Take what still comes, up to a point."""
    length = 0
    while length < DISCARDED_BYTES:
        message = await receive()
        length += len(message.get("body", b""))
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            return
