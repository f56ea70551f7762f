"""A Prometheus whose answers a test says: a real HTTP server that knows the operator's queries."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

from aiohttp import web

from winnow_operator.domain.servers.loads import Load

REVISION = re.compile(r"-r([0-9]+)-")
JOB_UID = re.compile(r'job_uid="([^"]*)"')


@dataclass(slots=True)
class ScrapedTrial:
    """The series of one attempt of a trial."""

    name: str
    attempt: str
    job_uid: str
    value: float
    step: int = 1
    rungs: Mapping[int, float] = field(default_factory=dict)


@dataclass(slots=True)
class ScriptedPrometheus:
    """What it says of each revision."""

    url: str = ""
    loads: Mapping[int, Load] = field(default_factory=dict)
    """By revision; one that is missing was never scraped."""
    trials: dict[str, ScrapedTrial] = field(default_factory=dict)
    """By whatever tells them apart for the test."""
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
        if "winnow_trial" in query:
            return _vector(_of_trials(query, list(self.trials.values())))
        found = REVISION.search(query)
        load = self.loads.get(int(found[1])) if found else None
        return _vector([] if load is None else _series(query, load))

    def end(self) -> None:
        """Answer whoever still waits."""
        self._end.set()


def _vector(result: list[dict[str, object]]) -> web.Response:
    data = {"resultType": "vector", "result": result}
    return web.json_response({"status": "success", "data": data})


def _of_trials(query: str, trials: list[ScrapedTrial]) -> list[dict[str, object]]:
    """The answer to one of the queries of `domain.searches.trial_metrics`."""
    found = JOB_UID.search(query)
    own = [trial for trial in trials if found and trial.job_uid == found[1]]
    if not own:
        return []
    if query.startswith("count"):
        return [{"metric": {}, "value": [0, str(len(own))]}]
    if "winnow_trial_rung_value" in query:
        return [
            {
                "metric": {"trial": t.name, "attempt": t.attempt, "rung": str(rung)},
                "value": [0, str(value)],
            }
            for t in own
            for rung, value in t.rungs.items()
        ]
    best = (max if "topk" in query else min)(own, key=lambda t: t.value)
    figure = best.step if query.startswith("max") else best.value
    return [{"metric": {"trial": best.name}, "value": [0, str(figure)]}]


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
