"""Probes and metrics over real HTTP."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from winnow_operator.health import Health, PortError, longer_than, serve_health, serve_metrics
from winnow_operator.metrics.own import QUEUE_ADDS


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def health() -> Health:
    return Health()


@pytest.fixture
async def server(health: Health) -> AsyncIterator[str]:
    port = free_port()
    runner = await serve_health(port, health)
    assert isinstance(runner, web.AppRunner)
    yield f"http://127.0.0.1:{port}"
    await runner.cleanup()


async def get(http: aiohttp.ClientSession, url: str) -> tuple[int, str]:
    async with http.get(url) as answer:
        return answer.status, await answer.text()


async def test_a_process_that_waits_for_its_crds_is_alive_and_not_ready(
    http: aiohttp.ClientSession, server: str, health: Health
) -> None:
    health.obstacle = "the API server knows no trials.winnow.dev: apply crds/ of this release"

    assert await get(http, f"{server}/healthz") == (200, "ok\n")
    assert await get(http, f"{server}/readyz") == (503, f"{health.obstacle}\n")


async def test_a_replica_that_could_lead_is_ready(
    http: aiohttp.ClientSession, server: str, health: Health
) -> None:
    health.obstacle = ""

    assert await get(http, f"{server}/readyz") == (200, "ok\n")


async def test_a_replica_is_not_ready_before_it_has_looked(
    http: aiohttp.ClientSession, server: str
) -> None:
    assert await get(http, f"{server}/readyz") == (503, "starting\n")


async def test_workers_that_hang_and_a_deaf_watch_fail_the_liveness_probe(
    http: aiohttp.ClientSession, server: str, health: Health
) -> None:
    waited, complaint = [100.0], [""]
    health.alive += [
        longer_than(300, lambda: waited[0], "a job has waited for a worker"),
        lambda: complaint[0],
    ]
    assert await get(http, f"{server}/healthz") == (200, "ok\n")

    waited[0], complaint[0] = 301.0, "the watch is deaf"

    assert await get(http, f"{server}/healthz") == (
        503,
        "a job has waited for a worker 301 s, the limit is 300 s; the watch is deaf\n",
    )


async def test_metrics_are_served_in_prometheus_format(http: aiohttp.ClientSession) -> None:
    port = free_port()
    runner = await serve_metrics(port)
    assert runner is not None
    QUEUE_ADDS.inc()

    status, text = await get(http, f"http://127.0.0.1:{port}/metrics")

    assert status == 200
    assert "# TYPE winnow_workqueue_adds_total counter" in text
    await runner.cleanup()


async def test_port_0_serves_nothing() -> None:
    assert await serve_health(0, Health()) is None
    assert await serve_metrics(0) is None


async def test_a_port_that_is_taken_is_named_with_its_setting(server: str) -> None:
    port = int(server.rpartition(":")[2])

    with pytest.raises(PortError, match=f"WINNOW_METRICS_PORT is {port}, which cannot be listened"):
        await serve_metrics(port)
