"""The pods of a namespace as a watch tells of them, so that a look at them asks the API server nothing.

What plays a node looks at its pods forty times a second; as many lists would keep a core busy
with a few tests at one time.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from tests.support.api import Api, Body
from winnow_operator.errors import KubernetesError
from winnow_operator.kube.resources import PODS

PAUSE_SECONDS = 0.2
"""Between the end of a watch and the next one."""


@dataclass(slots=True)
class WatchedPods:
    """Pods by name, as they were told of last."""

    api: Api
    namespace: str
    _pods: dict[str, Body] = field(default_factory=dict)

    def labelled(self, label: str) -> list[Body]:
        """Pods with this label, the oldest first."""
        found = [p for p in self._pods.values() if label in p["metadata"].get("labels", {})]
        return sorted(found, key=_age)

    def note(self, pod: Body) -> None:
        """A pod as a write of one's own has left it, which the watch will tell of a little later."""
        known = self._pods.get(pod["metadata"]["name"])
        if known is not None and _is_newer(pod, known):
            self._pods[pod["metadata"]["name"]] = pod

    @contextlib.asynccontextmanager
    async def followed(self) -> AsyncIterator[None]:
        """Follow the pods as long as the block lasts."""
        following = asyncio.create_task(self._follow())
        try:
            yield
        finally:
            following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await following

    async def _follow(self) -> None:
        while True:
            with contextlib.suppress(KubernetesError):
                await self._watch_once()
            await asyncio.sleep(PAUSE_SECONDS)

    async def _watch_once(self) -> None:
        listed = await self.api.get(PODS.path(self.namespace))
        self._pods = {pod["metadata"]["name"]: pod for pod in listed["items"]}
        version = listed["metadata"]["resourceVersion"]
        events = self.api.watch(PODS.path(self.namespace), resourceVersion=version)
        async with contextlib.aclosing(events):
            async for event in events:
                if event["type"] == "ERROR":  # the version is too old: another list is due
                    return
                self._take(event["type"], event["object"])

    def _take(self, change: str, pod: Body) -> None:
        name = pod["metadata"]["name"]
        known = self._pods.get(name)
        if change == "DELETED":
            self._pods.pop(name, None)
        elif known is None or _is_newer(pod, known):
            self._pods[name] = pod


def _is_newer(pod: Body, known: Body) -> bool:
    return int(pod["metadata"]["resourceVersion"]) > int(known["metadata"]["resourceVersion"])


def _age(pod: Body) -> tuple[str, str]:
    return pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]
