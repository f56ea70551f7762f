"""One inference request: body in, model run, answer out; every way it can end is counted.

Here is the long way, over ASGI, which takes any body; `shortcuts` has the way of most requests.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any

from winnow_contract.serving import Serving
from winnow_runtime.artifacts import Tensor
from winnow_runtime.errors import ModelError
from winnow_server.answers import encode_answer, encode_error
from winnow_server.batching import Asker, Batcher
from winnow_server.errors import RequestError
from winnow_server.frames import Reader
from winnow_server.heads import HEADER_LENGTH, Head, read_head
from winnow_server.metrics import Metrics
from winnow_server.requests import InferenceRequest, are_finite
from winnow_server.signature import Signature

__all__ = ["Answer", "Inference", "Receive", "Scope", "Send"]

logger = logging.getLogger(__name__)

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Client = tuple[str, int] | None
Answer = tuple[int, bytes, bytes]
"""Status, headers (each with its line's end), body."""

JSON = b"content-type: application/json\r\ncontent-length: %d\r\n"
BYTES = (
    b"content-type: application/octet-stream\r\n"
    + HEADER_LENGTH
    + b": %d\r\ncontent-length: %d\r\n"
)
CLOSE = b"connection: close\r\n"
DISCARDED_BYTES = 16 << 20
"""Of a body that is too large: read and thrown away, so that its sender gets to read the answer."""


class _Gone(Exception):  # noqa: N818 -- it is no error of ours
    """The client went away before its request was whole."""


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
        self._reader = Reader(signature)
        self._batcher = batcher
        self._metrics = metrics
        self._max_request_bytes = serving.max_request_bytes
        self._delay = serving.delay_factor - 1
        self._access_log = serving.access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        start = time.perf_counter()
        try:
            asked = read_head(scope["headers"])
            body = await self._read_body(asked, receive)
            start = time.perf_counter()
            request = self.read(body, asked.header_length)
            answer = self.answer(request, await self._batcher.run(request.rows))
        except _Gone:
            return
        except Exception as error:  # noqa: BLE001 -- each is said
            answer = self.failure(error)
        if self._delay:
            await _hold_back(self._delay * (time.perf_counter() - start))
        await _send(send, answer)
        self.count(answer[0], start, scope["raw_path"], scope.get("client"))

    def read(self, body: bytes, header_length: int | None) -> InferenceRequest:
        """The request that a body is.

        Args:
            body: all of it.
            header_length: of its JSON header; None: all of it is JSON.

        Raises:
            RequestError: if it does not fit.
        """
        return self._reader.read(body, header_length)

    def run(self, request: InferenceRequest, asker: Asker) -> None:
        """Let somebody be told the outputs for a request, now or later.

        Raises:
            RequestError: if too many wait.
        """
        self._batcher.submit(request.rows, asker)

    def answer(self, request: InferenceRequest, outputs: Tensor) -> Answer:
        """What a client is told.

        Numbers that are not finite are no answer in either encoding: JSON has no word for them, and
        in bytes they would make a model that fails look like one that answers.

        Raises:
            RequestError: with 422, if not all outputs are finite.
        """
        content, header_length = encode_answer(request, outputs, self._signature)
        # JSON says null of what is no number: to look for that is quicker than to look at each.
        is_suspect = header_length is not None or b"null" in content
        if is_suspect and not are_finite(outputs):
            raise RequestError(
                f"the model's outputs {self._signature.output.name!r} for these rows are not all "
                "finite numbers (NaN or infinity): the rows are unlike those it was made for, or "
                "the model is at fault",
                HTTPStatus.UNPROCESSABLE_ENTITY,
            )
        if header_length is None:
            return 200, JSON % len(content), content
        return 200, BYTES % (header_length, len(content)), content

    def failure(self, error: Exception) -> Answer:
        """What a client is told whose request has failed."""
        status, words, head = HTTPStatus.INTERNAL_SERVER_ERROR, str(error), JSON
        if isinstance(error, RequestError):
            status = error.status
            head = JSON + CLOSE if error.ends_connection else JSON
        elif isinstance(error, ModelError):
            logger.error("the model failed", extra={"error": words})
        else:
            logger.error("a bug of the server", exc_info=error)
            words = "the server failed; see its log"
        content = encode_error(words)
        return int(status), head % len(content), content

    def count(self, status: int, start: float, path: bytes, client: Client) -> None:
        """Note an answer.

        Args:
            status: of the answer.
            start: when the request was there, by `time.perf_counter`.
            path: of the request.
            client: its address and port, if it has any.
        """
        seconds = time.perf_counter() - start
        self._metrics.answered(status, seconds)
        if self._access_log:
            fields = {
                "path": path.decode("latin-1"),
                "status": status,
                "milliseconds": round(1000 * seconds, 3),
                "client": client[0] if client else "",
            }
            logger.info("answered", extra=fields)

    async def _read_body(self, head: Head, receive: Receive) -> bytes:
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


async def _hold_back(seconds: float) -> None:
    """Wait, while other requests go on; the loop's own timers count in whole milliseconds."""
    end = time.perf_counter() + seconds
    while (left := end - time.perf_counter()) > 0:  # noqa: ASYNC110 -- no event tells of the time
        await asyncio.sleep(left)


async def _send(send: Send, answer: Answer) -> None:
    status, head, content = answer
    headers = [line.split(b": ") for line in head.split(b"\r\n")[:-1]]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


async def _discard(receive: Receive) -> None:
    """Take what still comes, up to a point."""
    length = 0
    while length < DISCARDED_BYTES:
        message = await receive()
        length += len(message.get("body", b""))
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            return
