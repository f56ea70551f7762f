"""Refused documents: asked for again later each time, and at once where they have changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from winnow_operator.api.conditions import Reason
from winnow_operator.domain.kinds import Kind
from winnow_operator.domain.pods import Blockage
from winnow_operator.reconcile.queue import Key
from winnow_operator.reconcile.servers.refusals import FIRST_SECONDS, LAST_SECONDS, Refusals

KEY = Key("team", "digits", Kind.SERVER)
DOCUMENT = {"kind": "Deployment", "metadata": {"name": "digits-r1"}}
WHY = Blockage(Reason.INVALID_SPEC, "Deployment digits-r1 is refused")


@dataclass
class Clock:
    seconds: float = 100.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def monotonic(self) -> float:
        return self.seconds


def test_the_same_is_asked_for_again_later_each_time() -> None:
    clock = Clock()
    refusals = Refusals(clock)
    waits = []

    for _ in range(7):
        assert refusals.holds(KEY, DOCUMENT) is None
        refusals.note(KEY, DOCUMENT, WHY)
        assert refusals.holds(KEY, DOCUMENT) == WHY
        seconds = refusals.seconds(KEY, WHY)
        assert seconds is not None
        waits.append(seconds)
        clock.seconds += seconds

    assert waits == [FIRST_SECONDS, 10, 20, 40, LAST_SECONDS, LAST_SECONDS, LAST_SECONDS]


def test_another_document_or_one_of_another_server_is_asked_for_at_once() -> None:
    refusals = Refusals(Clock())
    refusals.note(KEY, DOCUMENT, WHY)
    refusals.note(KEY, DOCUMENT, WHY)

    changed = {**DOCUMENT, "spec": {"replicas": 2}}
    assert refusals.holds(KEY, changed) is None
    assert refusals.holds(Key("team", "other", Kind.SERVER), DOCUMENT) is None
    refusals.note(KEY, changed, WHY)
    assert refusals.seconds(KEY, WHY) == FIRST_SECONDS


def test_what_is_no_refusal_has_no_time_of_its_own() -> None:
    refusals = Refusals(Clock())
    assert refusals.seconds(KEY, WHY) is None

    refusals.note(KEY, DOCUMENT, WHY)
    assert refusals.seconds(KEY, Blockage(Reason.NAME_TAKEN, "there is a Service digits")) is None
    refusals.forget(KEY)
    assert refusals.holds(KEY, DOCUMENT) is None
