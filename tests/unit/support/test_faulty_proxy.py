"""The proxy of the crash tests, before a small server that knows nothing but HTTP."""

from __future__ import annotations

import asyncio
import gzip
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from aiohttp import web
from yarl import URL

from tests.support.faulty_proxy import FaultyProxy, Moment
from tests.support.proxy_faults import WRITES, Answer, Cut, Delay, DropEvents, Fault

TRIALS = "/apis/winnow.dev/v1alpha1/namespaces/blue/trials"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/blue/leases/winnow"


class Server:
    """Echoes what it is asked, remembers it, and streams the lines that it is given."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.tokens: list[str | None] = []
        self.lines: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.method, request.raw_path))
        self.tokens.append(request.headers.get("Authorization"))
        if "watch" in request.query:
            return await self.stream(request)
        if "large" in request.query:
            body = gzip.compress(b"x" * 300_000)
            return web.Response(body=body, headers={"Content-Encoding": "gzip"})
        status = 409 if "taken" in request.query else 200
        return web.json_response({"body": await request.text()}, status=status)

    async def stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while (line := await self.lines.get()) is not None:
            await response.write(json.dumps(line).encode() + b"\n")
        await response.write_eof()
        return response

    @property
    def written(self) -> list[str]:
        return [path for method, path in self.asked if method in WRITES]


@pytest.fixture
async def server() -> Server:
    return Server()


@pytest.fixture
async def proxy(server: Server, tmp_path: Path) -> AsyncIterator[FaultyProxy]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    kubeconfig = tmp_path / "upstream"
    kubeconfig.write_text(
        yaml.safe_dump(
            {
                "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
                "users": [{"name": "u", "user": {"token": "secret"}}],
                "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
                "current-context": "x",
            }
        )
    )
    with FaultyProxy(kubeconfig) as proxy:
        yield proxy
    await runner.cleanup()


@pytest.fixture
async def client(proxy: FaultyProxy) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(proxy.url) as session:
        yield session


@pytest.fixture
def victim() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    yield process
    process.kill()
    process.wait()


async def post(client: aiohttp.ClientSession, path: str, body: str = "") -> int:
    async with client.post(path, data=body, headers={"Authorization": "Bearer t"}) as answer:
        await answer.read()
        return answer.status


async def test_requests_and_answers_pass_unchanged(
    proxy: FaultyProxy, client: aiohttp.ClientSession, server: Server
) -> None:
    path = f"{TRIALS}?labelSelector=a%3Db%2Cc+in+%28d%29&limit=5"

    url = URL(proxy.url + path, encoded=True)
    async with client.post(url, data="hello", headers={"Authorization": "Bearer t"}) as answer:
        assert await answer.json() == {"body": "hello"}

    assert server.asked == [("POST", path)]
    assert server.tokens == ["Bearer t"]
    assert [(w.number, w.method, w.path, w.status) for w in proxy.writes] == [
        (1, "POST", TRIALS, 200)
    ]


async def test_a_compressed_answer_arrives_whole(client: aiohttp.ClientSession) -> None:
    async with client.get("/api?large=1") as answer:
        assert len(await answer.read()) == 300_000


async def test_reads_are_not_recorded(proxy: FaultyProxy, client: aiohttp.ClientSession) -> None:
    async with client.get(TRIALS) as answer:
        assert answer.status == 200

    assert proxy.writes == proxy.lease_writes == proxy.dry_runs == []


async def test_leases_and_dry_runs_are_recorded_apart_and_have_no_number(
    proxy: FaultyProxy, client: aiohttp.ClientSession
) -> None:
    for path in (LEASE, f"{TRIALS}?dryRun=All", f"{TRIALS}?taken=1"):
        await post(client, path)

    assert [(w.number, w.status) for w in proxy.writes] == [(1, 409)]
    assert [(w.number, w.path) for w in proxy.lease_writes] == [(0, LEASE)]
    assert [(w.number, w.path) for w in proxy.dry_runs] == [(0, TRIALS)]


@pytest.mark.parametrize("moment", Moment)
async def test_the_client_is_killed_at_one_write_and_no_other_passes(
    proxy: FaultyProxy,
    client: aiohttp.ClientSession,
    server: Server,
    victim: subprocess.Popen[bytes],
    moment: Moment,
) -> None:
    arrived = {Moment.BEFORE: 2, Moment.AFTER: 3}[moment]
    proxy.kill_at(3, moment, pid=victim.pid)

    calls = [post(client, f"{TRIALS}?n={n}") for n in range(8)]
    results = await asyncio.gather(*calls, return_exceptions=True)

    assert proxy.was_killed
    assert proxy.wait_killed(0)
    assert victim.wait(5) == -signal.SIGKILL
    assert len(server.written) == arrived
    assert sum(result == 200 for result in results) == 2, "the answer of the third is lost"
    assert [w.status for w in proxy.writes] == [200, 200, 200 if arrived == 3 else 0]


async def test_leases_go_on_while_a_kill_is_awaited_and_do_not_count(
    proxy: FaultyProxy, client: aiohttp.ClientSession, victim: subprocess.Popen[bytes]
) -> None:
    proxy.kill_at(1, Moment.AFTER, pid=victim.pid)

    assert [await post(client, LEASE) for _ in range(3)] == [200, 200, 200]

    assert not proxy.was_killed


async def test_after_a_kill_nothing_passes_until_a_new_client_is_let_in(
    proxy: FaultyProxy, client: aiohttp.ClientSession, victim: subprocess.Popen[bytes]
) -> None:
    proxy.kill_at(1, Moment.BEFORE, pid=victim.pid)
    for path in (TRIALS, LEASE):
        with pytest.raises(aiohttp.ClientError):
            await post(client, path)

    proxy.resume()

    assert await post(client, TRIALS) == 200
    assert [w.number for w in proxy.writes] == [1, 2]
    proxy.reset()
    assert await post(client, TRIALS) == 200
    assert [w.number for w in proxy.writes] == [1]


async def test_an_injected_error_looks_like_the_api_servers_and_ends_after_its_times(
    proxy: FaultyProxy, client: aiohttp.ClientSession, server: Server
) -> None:
    answer = Answer(429, "TooManyRequests", retry_after=1)
    proxy.inject(Fault(answer, methods=WRITES, path="/trials", skip=1, times=2))

    async with client.get(TRIALS) as read:
        assert read.status == 200
    codes = [await post(client, TRIALS) for _ in range(5)]

    assert codes == [200, 429, 429, 200, 200]
    assert len(server.written) == 3
    assert [w.status for w in proxy.writes] == codes
    proxy.inject(Fault(answer))
    async with client.get(TRIALS) as refused:
        assert refused.headers["Retry-After"] == "1"
        assert (await refused.json())["reason"] == "TooManyRequests"
    proxy.heal()
    assert await post(client, TRIALS) == 200


@pytest.mark.parametrize(("cut", "arrived"), [(Cut(), 0), (Cut(after=True), 1)])
async def test_a_connection_is_cut_before_or_after_the_api_server_saw_the_request(
    proxy: FaultyProxy, client: aiohttp.ClientSession, server: Server, cut: Cut, arrived: int
) -> None:
    proxy.inject(Fault(cut, methods=frozenset({"POST"}), times=1))

    with pytest.raises(aiohttp.ClientError):
        await post(client, TRIALS)

    assert len(server.written) == arrived
    assert await post(client, TRIALS) == 200


async def test_a_delayed_request_arrives_later_than_those_behind_it(
    proxy: FaultyProxy, client: aiohttp.ClientSession, server: Server
) -> None:
    proxy.inject(Fault(Delay(0.3), path="slow"))

    await asyncio.gather(post(client, f"{TRIALS}?slow=1"), post(client, f"{TRIALS}?quick=1"))

    assert server.written == [f"{TRIALS}?quick=1", f"{TRIALS}?slow=1"]


async def test_a_watch_streams_each_event_when_it_happens(
    client: aiohttp.ClientSession, server: Server
) -> None:
    async with client.get(f"{TRIALS}?watch=true") as watch:
        for number in range(3):
            server.lines.put_nowait({"type": "ADDED", "object": number})
            assert json.loads(await watch.content.readline())["object"] == number
        server.lines.put_nowait(None)
        assert await watch.content.read() == b""


async def test_a_watch_can_be_told_that_its_version_has_expired(
    proxy: FaultyProxy, client: aiohttp.ClientSession, server: Server
) -> None:
    proxy.inject(Fault(Answer(410, "Expired", as_event=True), path="watch=true", times=1))

    async with client.get(f"{TRIALS}?watch=true") as watch:
        assert watch.status == 200
        event = await watch.json()

    assert (event["type"], event["object"]["code"]) == ("ERROR", 410)
    assert server.asked == []


async def test_dropped_events_are_missing_and_the_others_arrive(
    proxy: FaultyProxy, client: aiohttp.ClientSession, server: Server
) -> None:
    proxy.inject(Fault(DropEvents("DELETED"), path="/trials", times=1))

    async with client.get(f"{TRIALS}?watch=true") as watch:
        for kind in ("ADDED", "DELETED", "BOOKMARK", "DELETED"):
            server.lines.put_nowait({"type": kind})
        server.lines.put_nowait(None)
        seen = [json.loads(line)["type"] async for line in watch.content]

    assert seen == ["ADDED", "BOOKMARK", "DELETED"]


async def test_all_open_connections_can_be_cut(
    proxy: FaultyProxy, client: aiohttp.ClientSession, server: Server
) -> None:
    async with client.get(f"{TRIALS}?watch=true") as watch:
        server.lines.put_nowait({"type": "ADDED"})
        await watch.content.readline()

        await asyncio.to_thread(proxy.cut_all)

        with pytest.raises(aiohttp.ClientError):
            await watch.content.readline()


async def test_the_kubeconfig_points_at_the_proxy_with_the_same_or_another_token(
    proxy: FaultyProxy, tmp_path: Path
) -> None:
    path = tmp_path / "kubeconfig"

    same = json.loads(proxy.kubeconfig(path).read_text())
    other = json.loads(proxy.kubeconfig(path, token="other").read_text())  # noqa: S106 -- no secret

    assert same["clusters"][0]["cluster"] == {"server": proxy.url}
    assert same["users"][0]["user"] == {"token": "secret"}
    assert other["users"][0]["user"] == {"token": "other"}
    assert path.stat().st_mode & 0o077 == 0
