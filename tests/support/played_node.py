"""A Node object without a machine: it is kept ready while somebody plays what its kubelet would do."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime

from tests.support.api import Api
from winnow_operator.errors import KubernetesError

NODE = "simulated"


@contextlib.asynccontextmanager
async def played(api: Api, play: Callable[[asyncio.Event], Awaitable[None]]) -> AsyncIterator[None]:
    """The node is there, and its pods are played, as long as the block lasts."""
    stop = asyncio.Event()
    tasks = [asyncio.ensure_future(keep_alive(api, stop)), asyncio.ensure_future(play(stop))]
    try:
        yield
    finally:
        stop.set()  # no call is cancelled half way: its connection would be left open
        failures = await asyncio.gather(*tasks, return_exceptions=True)
    for failure in failures:
        if failure is not None:
            raise failure


async def keep_alive(api: Api, stop: asyncio.Event) -> None:
    """Keep the Node object there and ready: pods of a node that is not are cleaned up."""
    while not stop.is_set():
        with contextlib.suppress(KubernetesError):
            if not await api.exists(f"/api/v1/nodes/{NODE}"):
                await api.create("/api/v1/nodes", {"metadata": {"name": NODE}})
            # Without a new heartbeat the node counts as lost after a while, and its pods as not ready.
            beat = datetime.now(tz=UTC).isoformat(timespec="seconds")
            ready = {
                "type": "Ready",
                "status": "True",
                "reason": "Simulated",
                "lastHeartbeatTime": beat,
            }
            await api.merge(f"/api/v1/nodes/{NODE}/status", {"status": {"conditions": [ready]}})
        await wait(stop, 10)


async def wait(stop: asyncio.Event, seconds: float) -> None:
    """Wait so long, or until told to stop."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
