"""Figures of a run from the times at which things arrived."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.cluster_runs.timeline import Timeline, per_minute, percentile, refill_gaps


def pod(name: str, phase: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "status": {"phase": phase}}


def test_a_pod_counts_from_its_first_arrival_to_its_first_end() -> None:
    seen = Timeline()
    for at, phase in enumerate(("Pending", "Running", "Succeeded", "Succeeded")):
        seen.see_pod(pod("a", phase), float(at))
    seen.see_pod(pod("b", "Failed"), 9.0)

    assert seen.pods_added == {"a": 0.0, "b": 9.0}
    assert seen.pods_ended == {"a": 2.0, "b": 9.0}
    assert seen.pods_succeeded == {"a": 2.0}


def test_a_pod_that_was_deleted_has_ended_when_it_is_gone_at_the_latest() -> None:
    seen = Timeline()
    seen.see_pod(pod("a", "Running"), 1.0)
    seen.see_pod(pod("b", "Failed"), 2.0)
    for name in ("a", "b"):
        seen.see_pod_gone(pod(name, "Running"), 5.0)

    assert seen.pods_ended == {"a": 5.0, "b": 2.0}
    assert seen.pods_succeeded == {}


def test_a_trial_succeeds_when_its_record_has_the_outcome() -> None:
    seen = Timeline()
    for at, outcome in enumerate(("Active", "Succeeded")):
        seen.see_trial({"metadata": {"name": "t"}, "status": {"outcome": outcome}}, float(at))

    assert seen.trials_succeeded == {"t": 1.0}


def test_a_run_starts_with_its_first_job() -> None:
    seen = Timeline()
    for at, name in ((3.0, "late"), (2.0, "early"), (4.0, "early")):
        seen.see_job({"metadata": {"name": name}, "spec": {"template": {"n": name}}}, at)

    assert seen.started == 2.0
    assert seen.templates == [{"n": "late"}, {"n": "early"}]


def test_trials_per_minute_are_over_the_time_to_the_last_success() -> None:
    assert per_minute([10.0, 40.0, 22.0], started=10.0) == pytest.approx(6.0)


def test_a_refill_gap_is_from_the_kth_end_to_the_pod_after_the_first_parallel_ones() -> None:
    added = [0.0, 0.1, 5.5, 7.0]
    ended = [6.0, 5.0, 9.0, 9.5]

    assert refill_gaps(added, ended, parallelism=2) == pytest.approx([0.5, 1.0])


@given(st.lists(st.floats(0, 100), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_a_value_that_enough_of_the_others_do_not_exceed(
    values: list[float], share: float
) -> None:
    found = percentile(values, share)

    assert found in values
    assert sum(v <= found for v in values) >= share * len(values) - 1e-9
    assert sum(v < found for v in values) < share * len(values)
