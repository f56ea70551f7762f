"""Inference without a task: how most requests are answered.

A task, the messages of ASGI and the checks of what is sent cost a small model more than its run. A
request whose body is small and whose length is known needs none of them: it is whole as soon as the
connection has read it, and its answer is written in one piece when the model has run.
"""

from __future__ import annotations

import time

from typing_extensions import override

from winnow_contract.serving import Serving
from winnow_runtime.artifacts import Tensor
from winnow_server.connections import AgeingProtocol, WholeRequest
from winnow_server.errors import RequestError
from winnow_server.heads import Head, read_head
from winnow_server.inference import Answer, Inference
from winnow_server.requests import InferenceRequest
from winnow_server.signature import Signature

__all__ = ["Shortcut"]

SMALL_BYTES = 64 << 10
"""Beside reading more a task takes no time, and it stops a client that sends faster than it is read."""


class Shortcut:
    """Says which requests go by it, and takes them.

    Args:
        inference: answers them.
        signature: of the model.
        serving: the largest body; with slowness on purpose nothing goes by here.
    """

    def __init__(self, inference: Inference, signature: Signature, serving: Serving) -> None:
        self._inference = inference
        self._urls = frozenset(path.encode() for path in signature.paths)
        self._max_bytes = min(serving.max_request_bytes, SMALL_BYTES)
        self._is_closed = serving.delay_factor != 1

    def head_of(self, connection: AgeingProtocol) -> Head | None:
        """What the headers that a connection has read say of the body; None: it goes by ASGI."""
        is_inference = connection.url in self._urls and connection.parser.get_method() == b"POST"
        if not is_inference or self._is_closed:
            return None
        try:
            head = read_head(connection.headers)
        except RequestError:
            return None
        if head.length is None or head.length > self._max_bytes or head.expects_consent:
            return None
        return head

    def request(self, connection: AgeingProtocol, url: bytes, head: Head) -> WholeRequest:
        """A request with such a head."""
        return _Request(self._inference, connection, url, head.header_length)


class _Request(WholeRequest):
    """One of them; the batcher's asker."""

    __slots__ = ("_header_length", "_inference", "_request", "_start", "_url")
    _request: InferenceRequest
    _start: float

    def __init__(
        self,
        inference: Inference,
        connection: AgeingProtocol,
        url: bytes,
        header_length: int | None,
    ) -> None:
        super().__init__(connection)
        self._inference = inference
        self._url = url
        self._header_length = header_length

    @override
    def complete(self) -> None:
        self._start = time.perf_counter()
        try:
            body = b"".join(self.parts)
            self._request = self._inference.read(body, self._header_length)
            self._inference.run(self._request, self)
        except Exception as error:  # noqa: BLE001 -- each is said
            self._tell(self._inference.failure(error))

    def has_gone(self) -> bool:
        return self.connection.transport.is_closing()

    def take(self, result: Tensor | Exception) -> None:
        if isinstance(result, Exception):
            self._tell(self._inference.failure(result))
            return
        try:
            answer = self._inference.answer(self._request, result)
        except Exception as error:  # noqa: BLE001 -- each is said
            answer = self._inference.failure(error)
        self._tell(answer)

    def give_up(self) -> None:
        self.connection.transport.abort()

    def _tell(self, answer: Answer) -> None:
        self.answer(*answer)
        self._inference.count(answer[0], self._start, self._url, self.connection.client)
