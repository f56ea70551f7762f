"""A Prometheus whose answers a test says: a real HTTP server that knows the operator's queries."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

from aiohttp import web

from winnow_operator.domain.loads import Load

REVISION = re.compile(r"-r([0-9]+)-")


@dataclass(slots=True)
class ScriptedPrometheus:
    """What it says of each revision."""

    url: str = ""
    loads: Mapping[int, Load] = field(default_factory=dict)
    """By revision; one that is missing was never scraped."""
    silent: bool = False
    """Whether it takes queries and never answers."""
    asked: list[str] = field(default_factory=list)
    _end: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, request: web.Request) -> web.Response:
        """Answer an instant query."""
        query = str((await request.post())["query"])
        self.asked.append(query)
        if self.silent:
            await self._end.wait()
        found = REVISION.search(query)
        load = self.loads.get(int(found[1])) if found else None
        result = [] if load is None else _series(query, load)
        data = {"resultType": "vector", "result": result}
        return web.json_response({"status": "success", "data": data})

    def end(self) -> None:
        """Answer whoever still waits."""
        self._end.set()


def _series(query: str, load: Load) -> list[dict[str, object]]:
    if query.startswith("histogram_quantile"):
        p95 = "NaN" if load.p95_seconds is None else str(load.p95_seconds)
        return [{"metric": {}, "value": [0, p95]}]
    counts = {"200": load.requests - load.errors, "500": load.errors}
    return [{"metric": {"code": c}, "value": [0, str(n)]} for c, n in counts.items()]


@contextlib.asynccontextmanager
async def scripted_prometheus() -> AsyncIterator[ScriptedPrometheus]:
    """One that listens as long as the block lasts."""
    prometheus = ScriptedPrometheus()
    app = web.Application()
    app.add_routes([web.post("/api/v1/query", prometheus.answer)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    prometheus.url = f"http://{host}:{port}"
    try:
        yield prometheus
    finally:
        prometheus.end()
        await runner.cleanup()
