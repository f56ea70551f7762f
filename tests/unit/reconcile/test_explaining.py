"""Which Event speaks for an object now: the last one, whatever its clock's resolution."""

from __future__ import annotations

from typing import Any

from winnow_operator.reconcile.explaining import _event_order


def event(version: int, *, last: str | None = None, precise: str | None = None) -> dict[str, Any]:
    metadata = {"creationTimestamp": "2026-11-25T10:00:00Z", "resourceVersion": str(version)}
    return {"metadata": metadata, "lastTimestamp": last, "eventTime": precise}


def test_a_repeated_warning_counts_by_the_time_it_was_last_seen() -> None:
    repeated = event(5, last="2026-11-25T10:03:00Z")
    newer = event(9, last="2026-11-25T10:01:00Z")

    assert max([repeated, newer], key=_event_order) is repeated


def test_within_a_second_the_object_that_was_written_later_counts() -> None:
    precise = event(5, precise="2026-11-25T10:00:00.900000Z")
    coarse = event(9, last="2026-11-25T10:00:00Z")

    assert max([precise, coarse], key=_event_order) is coarse


def test_an_event_without_times_counts_by_its_creation() -> None:
    assert _event_order(event(1)) < _event_order(event(2))
