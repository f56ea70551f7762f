"""A job that the models cannot read (of an older CRD, say) ends once, and is then left alone."""

from __future__ import annotations

from typing import Any

import pytest
from typing_extensions import override

from tests.support.facts import spec_of
from tests.support.loop_clock import LoopClock
from tests.support.tools import tools_over
from winnow_operator.domain.job_conditions import has_ended
from winnow_operator.errors import RefusedError
from winnow_operator.kube.resources import EVENTS, Resource
from winnow_operator.reconcile.queue import Key
from winnow_operator.reconcile.searches.searchjob import SearchJobReconciler
from winnow_operator.reconcile.searches.trialfeed import TrialFeed

KEY = Key("team", "digits")


class OneJob:
    """An API server that holds one SearchJob and counts what is written."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.body: dict[str, Any] = {
            "apiVersion": "winnow.dev/v1alpha1",
            "kind": "SearchJob",
            "metadata": {
                "namespace": "team",
                "name": "digits",
                "uid": "u1",
                "generation": 1,
                "resourceVersion": "7",
            },
            "spec": spec,
        }
        self.status_writes = 0
        self.events: list[dict[str, Any]] = []

    async def get(self, _resource: Resource, _namespace: str, _name: str) -> dict[str, Any]:
        return self.body

    async def apply_status(
        self, _resource: Resource, _namespace: str, body: dict[str, Any]
    ) -> dict[str, Any]:
        assert body["metadata"]["resourceVersion"] == self.body["metadata"]["resourceVersion"]
        self.status_writes += 1
        self.body = {**self.body, "status": body["status"]}
        return self.body

    async def create(
        self, resource: Resource, _namespace: str, body: dict[str, Any]
    ) -> dict[str, Any]:
        assert resource is EVENTS
        self.events.append(body)
        return body


def reconciler_of(server: OneJob) -> SearchJobReconciler:
    clock = LoopClock()
    return SearchJobReconciler(tools_over(server, clock), TrialFeed(None, clock, lambda _: None))


def unreadable() -> OneJob:
    spec = spec_of().model_dump(by_alias=True, mode="json", exclude_none=True)
    return OneJob({**spec, "algorithm": {"name": "Annealing"}})


async def test_a_job_that_cannot_be_read_ends_with_a_sentence() -> None:
    server = unreadable()

    await reconciler_of(server).reconcile(KEY)

    failed = next(c for c in server.body["status"]["conditions"] if c["type"] == "Failed")
    assert failed["reason"] == "InvalidSpec"
    assert "algorithm.name is 'Annealing'" in failed["message"]
    assert has_ended(server.body)


async def test_a_job_that_cannot_be_read_is_written_once_however_often_it_is_looked_at() -> None:
    server = unreadable()

    for _ in range(3):
        await reconciler_of(server).reconcile(KEY)

    assert server.status_writes == 1
    assert len({event["metadata"]["name"] for event in server.events}) == len(server.events)


class StrictServer(OneJob):
    """Its CRD is of another release: it takes no status."""

    @override
    async def apply_status(
        self, _resource: Resource, _namespace: str, body: dict[str, Any]
    ) -> dict[str, Any]:
        raise RefusedError("PATCH status: status.state: Too long", status=422)


async def test_a_status_that_is_refused_for_good_is_said_once_by_an_event() -> None:
    server = StrictServer(unreadable().body["spec"])
    reconciler = reconciler_of(server)

    for _ in range(3):
        with pytest.raises(RefusedError):
            await reconciler.reconcile(KEY)

    said = [event for event in server.events if event["reason"] == "WriteRefused"]
    assert [event["type"] for event in said] == ["Warning"]
    assert "status.state: Too long; if the CRDs are of another release" in said[0]["note"]
