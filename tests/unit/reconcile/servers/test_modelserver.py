"""What a look at a ModelServer says and asks for, where it can change nothing by itself."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.support.loop_clock import LoopClock
from tests.support.tools import tools_over
from winnow_operator.domain.kinds import Kind
from winnow_operator.errors import NotFoundError, RefusedError
from winnow_operator.kube.resources import EVENTS, MODELSERVERS, Resource
from winnow_operator.reconcile.queue import Key
from winnow_operator.reconcile.servers.analysis import Analysis
from winnow_operator.reconcile.servers.modelserver import LOOK_AGAIN_SECONDS, ModelServerReconciler

KEY = Key("team", "digits", Kind.SERVER)


class OneServer:
    """An API server that holds one ModelServer and the children that are applied, and no pods."""

    def __init__(
        self, *, pin: int | None = None, refuses: bool = False, refused_child: str = ""
    ) -> None:
        self.refuses = refuses
        self.refused_child = refused_child
        """Its kind."""
        self.tries = 0
        self.body: dict[str, Any] = {
            "apiVersion": "winnow.dev/v1alpha1",
            "kind": "ModelServer",
            "metadata": {
                "namespace": KEY.namespace,
                "name": KEY.name,
                "uid": "u1",
                "generation": 1,
                "resourceVersion": "7",
            },
            "spec": {"model": {"searchJob": "gone"}, "revision": pin},
        }
        self.children: dict[str, dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []

    async def get(self, resource: Resource, _namespace: str, name: str) -> dict[str, Any]:
        if resource is MODELSERVERS:
            return self.body
        found = self.children.get(f"{resource}/{name}")
        if found is None:
            raise NotFoundError(name)
        return found

    async def list(self, _resource: Resource, _namespace: str, **_: str) -> list[dict[str, Any]]:
        return []

    async def apply(
        self, resource: Resource, _namespace: str, body: dict[str, Any]
    ) -> dict[str, Any]:
        if body["kind"] == self.refused_child:
            self.tries += 1
            raise RefusedError("spec.minAvailable: no")
        metadata = {**body["metadata"], "uid": "c1"}
        made = {**body, "metadata": metadata}
        self.children[f"{resource}/{metadata['name']}"] = made
        return made

    async def apply_status(
        self, _resource: Resource, _namespace: str, body: dict[str, Any]
    ) -> dict[str, Any]:
        if self.refuses:
            raise RefusedError("status.pinned: no such field")
        self.body = {**self.body, "status": body["status"]}
        return self.body

    async def create(
        self, resource: Resource, _namespace: str, body: dict[str, Any]
    ) -> dict[str, Any]:
        assert resource is EVENTS
        self.events.append(body)
        return body


def reconciler(server: OneServer) -> ModelServerReconciler:
    clock = LoopClock()
    return ModelServerReconciler(tools_over(server, clock), Analysis(None, clock, lambda _: None))


async def look(server: OneServer) -> float | None:
    return await reconciler(server).reconcile(KEY)


async def test_a_revision_that_there_is_not_is_said_and_waited_for_without_hurry() -> None:
    server = OneServer(pin=7)

    assert await look(server) == LOOK_AGAIN_SECONDS  # for the job, which is not there either

    stalled = next(c for c in server.body["status"]["conditions"] if c["type"] == "Stalled")
    assert "spec.revision is 7" in stalled["message"]


async def test_a_status_that_is_refused_is_said_by_an_event() -> None:
    server = OneServer(refuses=True)

    with pytest.raises(RefusedError):
        await look(server)

    said = [event for event in server.events if event["reason"] == "WriteRefused"]
    assert "no such field" in said[0]["note"]


@pytest.mark.looptime
async def test_a_child_that_is_refused_is_not_applied_with_each_look_but_later_each_time() -> None:
    server = OneServer(refused_child="PodDisruptionBudget")
    reconciling = reconciler(server)
    tries = []

    for _ in range(3):
        seconds = await reconciling.reconcile(KEY)
        for _ in range(3):  # events of pods
            assert await reconciling.reconcile(KEY) == seconds
        assert seconds is not None
        tries.append((server.tries, seconds))
        await asyncio.sleep(seconds)

    assert tries == [(1, 5), (2, 10), (3, 20)]
    stalled = next(c for c in server.body["status"]["conditions"] if c["type"] == "Stalled")
    assert "PodDisruptionBudget digits is refused: spec.minAvailable: no" in stalled["message"]
