"""What is kept of a running job: since when its looks have seen the same of pods that wait."""

from __future__ import annotations

from tests.support.facts import ledger_of
from winnow_operator.reconcile.jobstate import JobState


def test_waiting_is_counted_from_the_first_look_that_saw_just_this() -> None:
    state = JobState("u", ledger_of())

    waited = [state.seconds_since("pod a", 100.0 + seconds) for seconds in (0, 6, 60)]

    assert waited == [0, 6, 60]
    assert state.seconds_since("pods a and b", 200.0) == 0
    assert state.seconds_since("pod a", 210.0) == 0


def test_what_is_tried_again_never_counts_as_waiting() -> None:
    state = JobState("u", ledger_of())

    assert [state.seconds_since(None, 100.0 + seconds) for seconds in (0, 6, 60)] == [0, 0, 0]
