"""A proxy before a real API server that records writes, kills its client at one, and breaks calls.

The operator runs unchanged with a kubeconfig that points here:

    with FaultyProxy(cluster_kubeconfig) as proxy:
        env = {"KUBECONFIG": str(proxy.kubeconfig(tmp_path / "kubeconfig")), ...}
        process = subprocess.Popen([...], env=env)
        proxy.kill_at(7, Moment.AFTER, pid=process.pid)
        assert proxy.wait_killed(60)

One proxy stands before one client: two replicas get two. It runs in a thread of its own, so that
it serves tests with and without an event loop; everything here may be called from any thread.
Towards the client it speaks plain http on loopback; towards the API server it uses the CA, and the
client certificate if there is one, of the kubeconfig that it is given. Tokens pass through.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp import web
from yarl import URL

from tests.support.proxy_faults import (
    WRITES,
    Action,
    Answer,
    Cut,
    Delay,
    DelayEvents,
    DropEvents,
    Fault,
    parse_event,
)
from tests.support.proxy_writes import Kill, Moment, Write, write_of
from tests.support.upstream import Upstream

__all__ = ["FaultyProxy", "Moment", "Write"]

# What belongs to one connection and is not handed on (RFC 9110, 7.6.1), and what is counted anew.
HOP_BY_HOP = frozenset(
    {
        "connection",
        "content-length",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


LAST_TURNS = 10


class FaultyProxy:
    """See the module; a context manager that serves while it is open."""

    def __init__(self, kubeconfig: Path) -> None:
        self._upstream = Upstream.read(kubeconfig)
        self._writes: list[Write] = []
        self._faults: list[Fault] = []
        self._kill: Kill | None = None
        self._killed = threading.Event()
        self._lock = threading.Lock()
        self._requests: set[asyncio.Task[Any]] = set()
        self._asking: set[asyncio.Task[aiohttp.ClientResponse]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._url = ""

    # ---- open and close --------------------------------------------------------------------

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._open())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, coroutine: Any) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)

    async def _open(self) -> None:
        self._one_write = asyncio.Lock()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=self._upstream.tls()),
            timeout=aiohttp.ClientTimeout(total=None),
            auto_decompress=False,
        )
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_route("*", "/{path:.*}", self._serve)
        # A watch whose client is gone must end here too.
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self._url = f"http://{host}:{port}"

    async def _close(self) -> None:
        for task in set(self._requests):
            task.cancel()
        await self._runner.cleanup()
        await asyncio.gather(*self._asking, return_exceptions=True)
        await self._session.close()
        for _ in range(LAST_TURNS):  # connections close their sockets in later turns of the loop
            await asyncio.sleep(0)

    # ---- what tests use --------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Where the proxy listens."""
        return self._url

    def kubeconfig(self, path: Path, *, token: str | None = None) -> Path:
        """Write a kubeconfig that points here, with the cluster's user or with a token."""
        path.write_text(json.dumps(self._upstream.kubeconfig(self._url, token=token)))
        path.chmod(0o600)
        return path

    @property
    def writes(self) -> list[Write]:
        """Writes so far that changed something or were to: no dry runs, no Leases."""
        return [write for write in self._recorded() if write.is_counted]

    @property
    def dry_runs(self) -> list[Write]:
        """Dry runs so far."""
        return [write for write in self._recorded() if write.dry_run]

    @property
    def lease_writes(self) -> list[Write]:
        """Writes to Leases so far."""
        return [write for write in self._recorded() if write.is_lease]

    def _recorded(self) -> list[Write]:
        with self._lock:
            return list(self._writes)

    def kill_at(self, number: int, moment: Moment, *, pid: int) -> None:
        """Kill the client (SIGKILL) at its write of this number, and let nothing of it through.

        From now on its writes pass one at a time, so that exactly `number` writes (`number - 1`
        if it is killed before) have reached the API server when it dies.
        """
        self._killed.clear()
        self._kill = Kill(number, moment, pid)

    def wait_killed(self, timeout: float) -> bool:
        """Whether the client was killed; False if that did not happen in time."""
        return self._killed.wait(timeout)

    @property
    def was_killed(self) -> bool:
        """Whether the client was killed since `kill_at`."""
        return self._killed.is_set()

    def reset(self) -> None:
        """Count from 1 again, without faults, for a new client."""
        with self._lock:
            self._writes.clear()
            self._faults.clear()
        self._kill = None
        self._killed.clear()

    def resume(self) -> None:
        """Serve a new client after a kill; numbers go on, nothing is killed any more."""
        self._kill = None
        self._killed.clear()

    def inject(self, *faults: Fault) -> None:
        """Put faults in place; see `proxy_faults`."""
        with self._lock:
            self._faults.extend(faults)

    def heal(self) -> None:
        """Take all faults away."""
        with self._lock:
            self._faults.clear()

    def cut_all(self) -> None:
        """Cut every open connection, watches too."""

        async def cut() -> None:
            for task in set(self._requests):
                task.cancel()

        self._run(cut())

    # ---- one request -----------------------------------------------------------------------

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        task = asyncio.current_task()
        assert task is not None
        self._requests.add(task)
        try:
            return await self._served(request)
        except (_CutError, aiohttp.ClientError, asyncio.CancelledError):
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=502)  # nobody reads it
        finally:
            self._requests.discard(task)

    async def _served(self, request: web.Request) -> web.StreamResponse:
        if self._killed.is_set():
            raise _CutError
        body = await request.read()  # before any lock: a dead client must not hold it
        if request.method not in WRITES:
            return await self._spoiled(request, body)
        if self._kill is None or not write_of(request, 0).is_counted:
            return await self._write(request, body, self._begin(request))
        async with self._one_write:
            if self._killed.is_set():
                raise _CutError
            return await self._perilous_write(request, body)

    async def _perilous_write(self, request: web.Request, body: bytes) -> web.StreamResponse:
        index, kill = self._begin(request), self._kill
        mine = kill is not None and self._recorded()[index].number == kill.number
        if mine and kill is not None and kill.moment is Moment.BEFORE:
            self._execute(kill)
            raise _CutError
        answer = await self._write(request, body, index)
        if mine and kill is not None:
            self._execute(kill)
            raise _CutError
        return answer

    def _execute(self, kill: Kill) -> None:
        os.kill(kill.pid, signal.SIGKILL)
        self._killed.set()

    def _begin(self, request: web.Request) -> int:
        """Record a write; gives its place in the record."""
        with self._lock:
            number = 1 + sum(write.is_counted for write in self._writes)
            self._writes.append(write_of(request, number))
            return len(self._writes) - 1

    async def _write(self, request: web.Request, body: bytes, index: int) -> web.StreamResponse:
        answer = await self._spoiled(request, body, index)
        self._note(index, answer.status)
        return answer

    def _note(self, index: int, status: int) -> None:
        with self._lock:
            if index < len(self._writes):  # it may have been reset meanwhile
                self._writes[index] = replace(self._writes[index], status=status)

    # ---- faults ----------------------------------------------------------------------------

    async def _spoiled(
        self, request: web.Request, body: bytes, index: int | None = None
    ) -> web.StreamResponse:
        match self._fault(request):
            case Answer(as_event=True) as action:
                return web.json_response({"type": "ERROR", "object": action.body()})
            case Answer() as action:
                wait = (
                    {} if action.retry_after is None else {"Retry-After": str(action.retry_after)}
                )
                return web.json_response(action.body(), status=action.status, headers=wait)
            case Cut(after=False):
                raise _CutError
            case Cut(after=True):
                answer = await self._forward(request, body)
                if index is not None:
                    self._note(index, answer.status)
                raise _CutError
            case Delay(seconds=seconds):
                await asyncio.sleep(seconds)
            case _:
                pass
        return await self._forward(request, body)

    def _fault(self, request: web.Request, event: dict[str, Any] | None = None) -> Action | None:
        with self._lock:
            for fault in self._faults:
                if fault.takes(request.method, request.raw_path, event):
                    return fault.action
        return None

    # ---- to the API server and back --------------------------------------------------------

    async def _forward(self, request: web.Request, body: bytes) -> web.StreamResponse:
        headers = {k: v for k, v in request.headers.items() if k.lower() not in HOP_BY_HOP}
        streams = {"watch", "follow"} & {k for k, v in request.query.items() if v in {"1", "true"}}
        if streams:
            headers.pop("Accept-Encoding", None)  # lines are read on their way
        url = URL(self._upstream.server + request.raw_path, encoded=True)
        answer = await self._ask(request.method, url, headers=headers, data=body or None)
        back = {k: v for k, v in answer.headers.items() if k.lower() not in HOP_BY_HOP}
        try:
            if streams:
                return await self._stream(request, answer, back)
            data = await answer.read()
        except BaseException:
            _abort(answer)
            raise
        return web.Response(status=answer.status, headers=back, body=data)

    async def _ask(self, method: str, url: URL, **options: Any) -> aiohttp.ClientResponse:
        """The head of an answer; a connection that is being made is never given up half way."""

        async def ask() -> aiohttp.ClientResponse:
            return await self._session.request(method, url, allow_redirects=False, **options)

        asking = asyncio.create_task(ask())
        self._asking.add(asking)
        asking.add_done_callback(self._asking.discard)
        try:
            return await asyncio.shield(asking)
        except asyncio.CancelledError:
            asking.add_done_callback(_abort_when_done)
            raise

    async def _stream(
        self, request: web.Request, answer: aiohttp.ClientResponse, headers: dict[str, str]
    ) -> web.StreamResponse:
        response = web.StreamResponse(status=answer.status, headers=headers)
        await response.prepare(request)
        buffer = b""
        async for chunk in answer.content.iter_any():
            *lines, buffer = (buffer + chunk).split(b"\n")
            for line in lines:
                if await self._passes(request, line):
                    await response.write(line + b"\n")
        await response.write(buffer)
        await response.write_eof()
        return response

    async def _passes(self, request: web.Request, line: bytes) -> bool:
        """Whether an event of a watch goes on, after the wait that a fault may ask for."""
        if not self._faults:
            return True
        match self._fault(request, parse_event(line)):
            case DropEvents():
                return False
            case DelayEvents(seconds=seconds):
                await asyncio.sleep(seconds)
            case _:
                pass
        return True


def _abort(answer: aiohttp.ClientResponse) -> None:
    """Close the connection now: a shutdown of TLS may outlast the loop."""
    if answer.connection is not None and answer.connection.transport is not None:
        answer.connection.transport.abort()


def _abort_when_done(asked: asyncio.Task[aiohttp.ClientResponse]) -> None:
    if not asked.cancelled() and asked.exception() is None:
        _abort(asked.result())


class _CutError(Exception):
    """This connection is to be cut."""
