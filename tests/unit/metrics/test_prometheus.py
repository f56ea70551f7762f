"""The client of Prometheus: what comes of good answers, bad ones, and none."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web

from tests.support.scripted_prometheus import scripted_prometheus
from winnow_operator.domain.servers.loads import Load, Question, loads_of, queries
from winnow_operator.errors import NoAnswerError
from winnow_operator.metrics import prometheus as client
from winnow_operator.metrics.prometheus import Prometheus

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
QUESTION = Question("team", "digits", serving=1, canary=2, since="2026-01-31T12:00:00Z")


@contextlib.asynccontextmanager
async def _answering(answer: Answer) -> AsyncIterator[str]:
    """The address of a server that answers queries so."""
    app = web.Application()
    app.add_routes([web.post("/api/v1/query", answer)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_loads_are_read_from_its_answers() -> None:
    async with scripted_prometheus() as server:
        server.loads = {1: Load(100, 2, 0.01)}
        asker = Prometheus(server.url)
        found = loads_of(await asker.ask(queries(QUESTION, 60)))
        await asker.close()

    assert found.serving == Load(100, 2, 0.01)
    assert found.canary == Load()


async def test_an_answer_may_come_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = (b'{"status": "success", "data": ', b'{"result": [{"metric": {}, "value": [0, "1"]}]}}')

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for part in parts:
            await response.write(part)
            await asyncio.sleep(0.05)
        return response

    async with _answering(answer) as url:
        asker = Prometheus(url)
        assert await asker.ask({"any": "up"}) == {"any": (({}, 1.0),)}
        monkeypatch.setattr(client, "MAX_BYTES", len(parts[0]))
        with pytest.raises(NoAnswerError, match="more than"):
            await asker.ask({"any": "up"})
        await asker.close()


async def test_nobody_there_is_no_answer() -> None:
    asker = Prometheus("http://127.0.0.1:1")

    with pytest.raises(NoAnswerError, match="does not answer"):
        await asker.ask({"any": "up"})
    await asker.close()


async def test_silence_is_no_answer_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "TIMEOUT_SECONDS", 0.05)
    async with scripted_prometheus() as server:
        server.silent = True
        asker = Prometheus(server.url)
        with pytest.raises(NoAnswerError, match="TimeoutError"):
            await asker.ask({"any": "up"})
        await asker.close()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("<html>", "no JSON"),
        ('{"status": "error", "error": "parse error"}', "refuses the query: parse error"),
        ('{"status": "success", "data": {"result": [1]}}', "no vector"),
        ("[]", "refuses the query"),
    ],
)
async def test_an_answer_of_another_kind_is_no_answer(body: str, words: str) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=body)

    async with _answering(answer) as url:
        asker = Prometheus(url)
        with pytest.raises(NoAnswerError, match=words):
            await asker.ask({"any": "up"})
        await asker.close()
