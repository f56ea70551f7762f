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
from winnow_server.heads import read_head
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

    def __call__(self, connection: AgeingProtocol) -> WholeRequest | None:
        """The request whose headers a connection has read; None: it goes by ASGI."""
        if (
            connection.url not in self._urls
            or connection.parser.get_method() != b"POST"
            or connection.flow.write_paused  # its client does not read what it is told
            or self._is_closed
        ):
            return None
        try:
            head = read_head(connection.headers)
        except RequestError:
            return None
        if head.length is None or head.length > self._max_bytes or head.expects_consent:
            return None
        return _Request(self._inference, connection, head.header_length)


class _Request(WholeRequest):
    """One of them; the batcher's asker."""

    __slots__ = ("_header_length", "_inference", "_path", "_request", "_start")
    _request: InferenceRequest
    _start: float

    def __init__(
        self, inference: Inference, connection: AgeingProtocol, header_length: int | None
    ) -> None:
        super().__init__(connection)
        self._inference = inference
        self._header_length = header_length
        self._path = connection.url  # by the time of the answer it may be that of the next request

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

    def _tell(self, answer: Answer) -> None:
        path, client = self._path.decode(), self.connection.client
        self.answer(*answer)
        self._inference.count(answer[0], self._start, path, client)
