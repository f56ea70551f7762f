"""A client of a real API server for tests, and waiting for what shall come true."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

import aiohttp
from kubernetes.aio import config
from kubernetes.aio.client import ApiClient, Configuration

from winnow_operator.errors import KubernetesError, NotFoundError, UnavailableError
from winnow_operator.kube.gateway import TIMEOUT_SECONDS, Call, Gateway, error_of
from winnow_operator.kube.resources import Resource

Body = dict[str, Any]
T = TypeVar("T")

POLL_SECONDS = 0.05
LONGEST_POLL_SECONDS = 0.25
PATIENCE = 0.1
"""Share of the time waited so far that the next look may be late: who waits long looks seldom."""
ANY = Resource("", "v1", "any")
"""Stands in the client's own metrics for whatever a test asks for."""
MERGE = "application/merge-patch+json"


class AlwaysWrite:
    """A fence that is open: tests lead nothing."""

    def seconds_left(self) -> float:
        """Long enough for any call."""
        return TIMEOUT_SECONDS


class Api:
    """Any call on an API server, by path."""

    def __init__(self, client: ApiClient) -> None:
        self.client = client
        self.gateway = Gateway(client, AlwaysWrite())

    async def call(
        self,
        method: str,
        path: str,
        body: Body | None = None,
        *,
        content: str = "application/json",
        **query: str,
    ) -> Body:
        """One call; raises the operator's own errors."""
        return await self.gateway._send(Call(method, ANY, path, query, body, content))

    async def get(self, path: str, **query: str) -> Body:
        """Read one object or a list."""
        return await self.call("GET", path, None, **query)

    async def create(self, path: str, body: Body, **query: str) -> Body:
        """Make an object in a collection."""
        return await self.call("POST", path, body, **query)

    async def merge(self, path: str, body: Body) -> Body:
        """Merge fields into an object."""
        return await self.call("PATCH", path, body, content=MERGE)

    async def apply(self, path: str, body: Body) -> Body:
        """Server-side apply as a person would."""
        query = {"fieldManager": "person", "force": "true"}
        return await self.call("PATCH", path, body, content="application/apply-patch+yaml", **query)

    async def delete(self, path: str, **options: Any) -> None:
        """Delete an object; one that is gone already is fine."""
        with contextlib.suppress(NotFoundError):
            await self.call("DELETE", path, options or None)

    async def watch(self, path: str, **query: str) -> AsyncGenerator[Body, None]:
        """Changes of a collection as they happen, until the API server ends the watch.

        Raises:
            KubernetesError: if it cannot be watched, or its connection is lost.
        """
        call = Call("GET", ANY, path, {**query, "watch": "true"})
        headers = {"Accept": "application/json"}
        await self.client.update_params_for_auth(headers, [], ["BearerToken"], path, "GET", None)
        url = f"{self.client.configuration.host}{path}?{urlencode(call.query)}"
        for_ever = aiohttp.ClientTimeout(total=None, connect=TIMEOUT_SECONDS)
        try:
            response = await self.client.call_api("GET", url, headers, _request_timeout=for_ever)
            try:
                if response.status >= HTTPStatus.BAD_REQUEST:
                    data = await response.read()  # type: ignore[no-untyped-call]
                    raise error_of(call, response.status, data)
                async for line in _lines(response.response.content):
                    yield json.loads(line)
            finally:
                response.response.close()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise UnavailableError(f"{call}: the watch has ended: {error}") from error

    async def exists(self, path: str) -> bool:
        """Whether there is such an object."""
        try:
            await self.get(path)
        except NotFoundError:
            return False
        return True


@contextlib.asynccontextmanager
async def open_api(kubeconfig: Path | str) -> AsyncIterator[Api]:
    """A client with the current context of a kubeconfig."""
    async with ApiClient(await _configuration(Path(kubeconfig))) as client:
        yield Api(client)


_read: dict[tuple[Path, int], Configuration] = {}
"""By file and time of its last change: reading one costs more than most of what a test asks."""


async def _configuration(kubeconfig: Path) -> Configuration:
    key = kubeconfig, _changed(kubeconfig)
    if key not in _read:
        configuration = Configuration()
        load: Any = config.load_kube_config  # has no types
        await load(str(kubeconfig), client_configuration=configuration)
        _read[key] = configuration
    return _read[key]


async def _lines(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """Lines of a stream, of any length."""
    rest = b""
    async for piece in content.iter_any():
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield line


def _changed(file: Path) -> int:
    return file.stat().st_mtime_ns


class NotYetError(Exception):
    """What a check has seen instead of what it waits for."""


async def eventually(
    check: Callable[[], Awaitable[T | None]], *, seconds: float = 30.0, what: str = "it"
) -> T:
    """What a check gives once it is true; errors of the API server count as not yet."""
    begun, last = time.monotonic(), "nothing was seen"
    while (waited := time.monotonic() - begun) < seconds:
        try:
            found = await check()
            if found:
                return found
            last = repr(found)
        except (KubernetesError, NotYetError) as error:
            last = str(error)
        await asyncio.sleep(min(max(PATIENCE * waited, POLL_SECONDS), LONGEST_POLL_SECONDS))
    raise AssertionError(f"{what} did not come true in {seconds:g} s; last seen: {last}")


def collection(group: str, version: str, namespace: str, plural: str, **query: str) -> str:
    """Path of a collection of namespaced objects."""
    path = Resource(group, version, plural).path(namespace)
    return f"{path}?{urlencode(query)}" if query else path
