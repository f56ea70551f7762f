"""Plain HTTP for probes and Prometheus: /healthz, /readyz and /metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Metric, generate_latest
from prometheus_client.registry import Collector
from typing_extensions import override

from winnow_operator.errors import WinnowError

MAX_WAIT_SECONDS = 300.0
"""A key that is due longer than this means that the workers hang."""
MAX_WORK_SECONDS = 900.0
"""A reconcile that runs longer than this hangs: each of its calls ends within half a minute."""

Check = Callable[[], str]
"""Gives what is wrong, or an empty string."""

Handler = Callable[[web.Request], Awaitable[web.Response]]


@dataclass(slots=True)
class Health:
    """What the probes are told. An event loop that hangs fails them by itself."""

    alive: list[Check] = field(default_factory=list)
    """A failing one has the kubelet start the process again."""
    obstacle: str = "starting"
    """What keeps this replica from working at all; a standby that could lead has none."""

    def unwell(self) -> str:
        """What is wrong, in sentences."""
        return "; ".join(filter(None, (check() for check in self.alive)))


def longer_than(limit: float, seconds: Callable[[], float], words: str) -> Check:
    """A check that fails when something takes too long."""

    def check() -> str:
        taken = seconds()
        return f"{words} {taken:.0f} s, the limit is {limit:.0f} s" if taken > limit else ""

    return check


async def serve_health(port: int, health: Health) -> web.AppRunner | None:
    """Serve the probes; port 0 serves none.

    Raises:
        PortError: if the port is taken.
    """

    async def healthz(_: web.Request) -> web.Response:
        return _answer(health.unwell())

    async def readyz(_: web.Request) -> web.Response:
        return _answer(health.obstacle)

    return await _serve("WINNOW_HEALTH_PORT", port, {"/healthz": healthz, "/readyz": readyz})


async def serve_metrics(port: int) -> web.AppRunner | None:
    """Serve the operator's own metrics; port 0 serves none.

    Raises:
        PortError: if the port is taken.
    """

    async def metrics(_: web.Request) -> web.Response:
        # Read here, where nothing else runs meanwhile; written in a thread, because jobs would wait
        # for a page of thousands of series.
        read = _Read(list(REGISTRY.collect()))
        page = await asyncio.to_thread(generate_latest, read)
        return web.Response(body=page, headers={"Content-Type": CONTENT_TYPE_LATEST})

    return await _serve("WINNOW_METRICS_PORT", port, {"/metrics": metrics})


class _Read(Collector):
    """Metrics as they were at one moment."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    @override
    def collect(self) -> list[Metric]:
        """All of them."""
        return self._families


class PortError(WinnowError):
    """A port cannot be listened on."""


def _answer(wrong: str) -> web.Response:
    return web.Response(status=503 if wrong else 200, text=f"{wrong or 'ok'}\n")


async def _serve(setting: str, port: int, routes: dict[str, Handler]) -> web.AppRunner | None:
    if port == 0:
        return None
    app = web.Application()
    app.add_routes([web.get(path, handler) for path, handler in routes.items()])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, port=port).start()
    except OSError as error:
        await runner.cleanup()
        raise PortError(f"{setting} is {port}, which cannot be listened on: {error}") from error
    return runner
