"""The server as a process: settings, model, connections, and the end that loses no request.

settings --> model verified --> port opened --> SIGTERM --> drain --> port closed --> the rest
                |                                 |           |
                (exit 65, a sentence)             not ready,  each answer closes its connection
"""

from __future__ import annotations

import logging
import math
import os
import signal
import socket
import time
from types import FrameType

import uvicorn
from typing_extensions import override

from winnow_contract.program import CRASH
from winnow_contract.serving import Serving
from winnow_server.app import App
from winnow_server.batching import Batcher, Limits
from winnow_server.connections import (
    Lifecycle,
    close_stalled,
    end_with_answers,
    protocol_class,
)
from winnow_server.inference import DISCARDED_BYTES, Inference
from winnow_server.metrics import Metrics
from winnow_server.model import ServedModel, open_model
from winnow_server.shortcuts import Shortcut

__all__ = ["serve"]

logger = logging.getLogger(__name__)

QUICK_SECONDS = 0.002
"""A run that takes less is done in the event loop, whose other work it delays by as much."""
IDLE_SECONDS = 120
"""A connection without requests is closed after it: longer than clients and proxies keep theirs, so
that it is they who close, and none sends into a connection that is being closed."""
LAST_SECONDS = 20
"""What requests that are under way at the end of draining may still take."""
TICKS_PER_SECOND = 10
BACKLOG = 2048
ENVELOPE = 8
"""A body in chunks of one byte comes in six times as many."""


def serve(serving: Serving) -> None:
    """Serve a model until SIGTERM or SIGINT.

    Raises:
        ModelError: if the model is not what it should be.
        OSError: if it cannot be read, or the port is taken.
    """
    model = open_model(serving)
    lifecycle = Lifecycle(
        serving.connection_max_age,
        max_message_bytes=ENVELOPE * serving.max_request_bytes + DISCARDED_BYTES,
        idle_seconds=IDLE_SECONDS,
    )
    app = make_app(serving, model, lifecycle)
    listener = _listen(serving.port)
    logger.info(
        "serving",
        extra={
            "model": model.signature.model,
            "revision": serving.model_revision,
            "digest": model.digest,
            "port": listener.getsockname()[1],
            "threads": serving.threads,
            "batching": _batches(serving, model),
            "golden_rows": model.agreement.rows,
            "golden_difference": model.agreement.largest,
            "golden_tolerance": model.agreement.allowed,
            "row_milliseconds": round(1000 * model.row_seconds, 3),
            "batch_milliseconds": round(1000 * model.batch_seconds, 3),
        },
    )
    logging.getLogger("uvicorn").setLevel(logging.ERROR)  # a line for each odd byte is a flood
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=protocol_class(lifecycle, app.shortcut),  # type: ignore[arg-type] # it only ever calls it
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=LAST_SECONDS,
    )
    if serving.has_faults:
        logger.warning("has faults on purpose", extra={"digest": serving.fault_digest})
    _Server(config, lifecycle, serving).run(sockets=[listener])
    logger.info("ended")


def make_app(serving: Serving, model: ServedModel, lifecycle: Lifecycle) -> App:
    """All that answers, put together."""
    metrics = Metrics(model.digest, serving.model_revision, lambda: len(batcher))
    is_batching = _batches(serving, model)
    batcher = Batcher(
        model.run,
        Limits(serving.max_batch if is_batching else 1, serving.max_queue),
        quick_rows=model.rows_within(QUICK_SECONDS),
        turn_seconds=QUICK_SECONDS,
        on_batch=metrics.ran,
    )
    inference = Inference(model.signature, batcher, metrics, serving)
    shortcut = Shortcut(inference, model.signature, serving)
    return App(model, inference, shortcut, metrics, lifecycle)


def _batches(serving: Serving, model: ServedModel) -> bool:
    return serving.batching and model.are_rows_independent and model.gains_by_batches


def _listen(port: int) -> socket.socket:
    try:
        if socket.has_dualstack_ipv6():
            return socket.create_server(
                ("", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=BACKLOG
            )
        return socket.create_server(("", port), backlog=BACKLOG)
    except OSError as error:
        words = f"port {port} cannot be opened: {error.strerror}"
        raise OSError(error.errno, words) from error


class _Server(uvicorn.Server):
    """uvicorn's server, which on SIGTERM first drains.

    Args:
        config: of uvicorn.
        lifecycle: of the connections.
        serving: how long requests are still taken, and when it dies on purpose.
    """

    def __init__(self, config: uvicorn.Config, lifecycle: Lifecycle, serving: Serving) -> None:
        super().__init__(config)
        self._lifecycle = lifecycle
        self._drain_seconds = serving.drain_seconds
        self._dies_at = time.monotonic() + (serving.crash_seconds or math.inf)

    @override
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to drain; a second SIGINT ends it at once."""
        if self._lifecycle.is_draining:
            self.should_exit = self.should_exit or sig == signal.SIGINT
            return
        self._lifecycle.drain_since = time.monotonic()
        logger.info("draining", extra={"seconds": self._drain_seconds})

    @override
    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether it is time to end."""
        if time.monotonic() >= self._dies_at:
            os._exit(CRASH)  # as a crash of the runtime would, in the midst of everything
        since = self._lifecycle.drain_since
        if since is not None:
            end_with_answers(self.server_state.connections)
            if time.monotonic() - since >= self._drain_seconds:
                self.should_exit = True
        if counter % TICKS_PER_SECOND == 0:
            closed = close_stalled(self.server_state.connections, self._lifecycle)
            if closed:
                logger.warning("requests did not arrive", extra={"connections": closed})
        return await super().on_tick(counter)
