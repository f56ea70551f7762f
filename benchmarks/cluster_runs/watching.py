"""One watch client of the benchmark's namespace: it fills a Timeline with times of arrival."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from kubernetes.aio.client import ApiClient

from benchmarks.cluster_runs.timeline import Timeline
from winnow_operator.kube.resources import JOBS, PODS, TRIALS, Resource

WATCH_SECONDS = 3600
"""Longer than any run: a watch that ends early fails the run."""
Seer = Callable[[dict[str, Any], float], None]


def _nothing(_body: dict[str, Any], _at: float) -> None:
    """Of most objects it does not matter when they are gone."""


@dataclass(frozen=True, slots=True)
class Sights:
    """Who is told of what a watch shows."""

    made_or_changed: Seer
    gone: Seer = _nothing


@contextlib.asynccontextmanager
async def watching(client: ApiClient, namespace: str) -> AsyncIterator[Timeline]:
    """Jobs, pods and Trials of a namespace, from now until the block ends."""
    timeline = Timeline()
    seers = (
        (JOBS, Sights(timeline.see_job)),
        (PODS, Sights(timeline.see_pod, timeline.see_pod_gone)),
        (TRIALS, Sights(timeline.see_trial)),
    )
    open_streams = [asyncio.Event() for _ in seers]
    tasks = [
        asyncio.create_task(_follow(client, resource, namespace, see, is_open))
        for (resource, see), is_open in zip(seers, open_streams, strict=True)
    ]
    try:
        await asyncio.gather(*(is_open.wait() for is_open in open_streams))
        yield timeline
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _follow(
    client: ApiClient, resource: Resource, namespace: str, see: Sights, is_open: asyncio.Event
) -> None:
    query = f"watch=1&timeoutSeconds={WATCH_SECONDS}"
    url = f"{client.configuration.host}{resource.path(namespace)}?{query}"
    headers = {"Accept": "application/json"}
    await client.update_params_for_auth(headers, [], ["BearerToken"], url, "GET", None)
    answer = await client.call_api("GET", url, headers, _request_timeout=WATCH_SECONDS)
    # Closed in the end: a stream that is only dropped keeps its connection, and a hundred are all.
    with contextlib.closing(answer.response) as response:
        await _see_all(response, resource, see, is_open)


async def _see_all(response: Any, resource: Resource, see: Sights, is_open: asyncio.Event) -> None:
    if response.status != 200:  # noqa: PLR2004 -- HTTP's OK
        raise RuntimeError(f"the watch of {resource.plural} was refused: {await response.text()}")
    is_open.set()
    async for line, at in _lines(response.content):
        event = json.loads(line)
        if event["type"] == "ERROR":
            raise RuntimeError(f"the watch of {resource.plural} broke: {event['object']}")
        if event["type"] != "DELETED":
            see.made_or_changed(event["object"], at)
        else:
            see.gone(event["object"], at)
    raise RuntimeError(f"the watch of {resource.plural} ended before the run did")


async def _lines(content: Any) -> AsyncIterator[tuple[bytes, float]]:
    """Lines of a stream with the time at which their last byte arrived."""
    rest = b""
    async for chunk in content.iter_any():
        at = time.monotonic()
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line, at
