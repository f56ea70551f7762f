"""The recorder: each Event once, never more than a courtesy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.lease_contract import SetClock
from winnow_operator.errors import AlreadyExistsError, FencedError, UnavailableError
from winnow_operator.kube import recorder as module
from winnow_operator.kube.recorder import EventType, Note, Recorder
from winnow_operator.kube.resources import EVENTS, Resource

JOB: dict[str, Any] = {
    "kind": "SearchJob",
    "metadata": {"name": "digits", "namespace": "blue", "uid": "u1"},
}
NOTE = Note(EventType.NORMAL, "Complete", "End", "the search has ended")


@dataclass
class Store:
    """Keeps Events by name, as the API server does."""

    made: list[dict[str, Any]] = field(default_factory=list)
    error: Exception | None = None
    calls: int = 0

    async def create(
        self, resource: Resource, namespace: str, body: dict[str, Any]
    ) -> dict[str, Any]:
        self.calls += 1
        assert (resource, namespace) == (EVENTS, body["metadata"]["namespace"])
        if self.error is not None:
            raise self.error
        if body["metadata"]["name"] in {e["metadata"]["name"] for e in self.made}:
            raise AlreadyExistsError("exists")
        self.made.append(body)
        return body


def make(store: Store) -> Recorder:
    return Recorder(store, SetClock(), "winnow-operator-0")


async def test_an_event_says_what_happened_to_which_job() -> None:
    store = Store()

    await make(store).record(JOB, NOTE)

    (event,) = store.made
    assert (
        event["regarding"] | {"kind": "SearchJob", "name": "digits", "uid": "u1"}
        == event["regarding"]
    )
    assert (event["type"], event["reason"], event["action"]) == ("Normal", "Complete", "End")
    assert event["note"] == "the search has ended"
    assert event["eventTime"] == "2026-01-01T00:00:00.000000Z"


async def test_the_same_event_is_written_once_even_by_an_operator_that_was_restarted() -> None:
    store = Store()
    recorder = make(store)
    for _ in range(3):
        await recorder.record(JOB, NOTE)
    assert store.calls == 1

    await make(store).record(JOB, NOTE)

    assert len(store.made) == 1


async def test_another_job_or_another_note_is_another_event() -> None:
    store = Store()
    recorder = make(store)
    again = {**JOB, "metadata": {**JOB["metadata"], "uid": "u2"}}

    await recorder.record(JOB, NOTE)
    await recorder.record(again, NOTE)
    await recorder.record(JOB, Note(EventType.NORMAL, "Complete", "End", "otherwise"))

    assert len({event["metadata"]["name"] for event in store.made}) == 3


async def test_an_event_that_cannot_be_written_stops_nothing_and_is_said_when_it_can_be() -> None:
    store = Store(error=UnavailableError("away"))
    recorder = make(store)
    await recorder.record(JOB, NOTE)
    store.error = None

    await recorder.record(JOB, NOTE)

    assert len(store.made) == 1


async def test_a_replica_that_no_longer_leads_is_told() -> None:
    with pytest.raises(FencedError):
        await make(Store(error=FencedError("lost"))).record(JOB, NOTE)


async def test_memory_of_written_events_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REMEMBERED", 10)
    store = Store()
    recorder = make(store)

    for number in range(100):
        await recorder.record(JOB, Note(EventType.NORMAL, "Complete", "End", str(number)))

    assert len(recorder._written) == 10
    assert len(store.made) == 100


@given(text=st.text(max_size=3000))
async def test_a_note_fits_the_api_servers_limit_of_bytes(text: str) -> None:
    store = Store()

    await make(store).record(JOB, Note(EventType.WARNING, "Failed", "End", text))

    note = store.made[0]["note"]
    assert len(note.encode()) <= 1024
    assert text.startswith(note)
