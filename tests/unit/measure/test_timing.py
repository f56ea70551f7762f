"""Timing without a look at the clock: orders, counts, keys, and who is called how often."""

from __future__ import annotations

import gc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.onnx_graphs import blobs, dense
from winnow_contract.measuring.metrics import measured_keys, metric_of
from winnow_measure.timing import (
    MAX_CALLS,
    MIN_CALLS,
    WARM_UP_CALLS,
    calls_for,
    time_burst,
    time_model,
    turn_order,
)


@given(st.integers(1, 16), st.integers(0, 40))
def test_every_model_has_one_place_in_every_turn(models: int, turn: int) -> None:
    assert sorted(turn_order(range(models), turn)) == list(range(models))


@pytest.mark.parametrize("models", [2, 3, 5, 16])
def test_nobody_always_follows_the_same_model_or_always_comes_first(models: int) -> None:
    turns = [turn_order(range(models), turn) for turn in range(5)]

    assert len({order[0] for order in turns}) > 1
    before = {order[order.index(0) - 1] if order.index(0) else None for order in turns}
    assert len(before) > 1


@given(st.floats(1e-7, 100))
def test_a_burst_has_enough_requests_and_not_too_many(once: float) -> None:
    calls = calls_for(once, 0.25)

    assert MIN_CALLS <= calls <= MAX_CALLS
    if MIN_CALLS < calls < MAX_CALLS:
        assert calls * once >= 0.25 > (calls - 1) * once


def test_a_clock_that_has_not_moved_yet_gives_the_most_requests() -> None:
    assert calls_for(0.0, 0.25) == MAX_CALLS


def test_a_burst_times_each_request_and_collects_no_garbage_meanwhile() -> None:
    collecting: list[bool] = []

    burst = time_burst(lambda: collecting.append(gc.isenabled()), burst_seconds=0.0)

    assert len(burst.seconds) == MIN_CALLS
    assert len(collecting) == WARM_UP_CALLS + 1 + MIN_CALLS
    assert not any(collecting)
    assert gc.isenabled()
    assert burst.wall == pytest.approx(float(burst.seconds.sum()))
    assert burst.cpu >= 0


def test_a_request_that_fails_leaves_the_collector_on() -> None:
    with pytest.raises(ZeroDivisionError):
        time_burst(lambda: 1 // 0)
    assert gc.isenabled()


def test_a_turn_gives_every_key_of_every_batch_size(path: Path) -> None:
    path.write_bytes(dense(width=4))
    batches = {1: blobs(1).rows, 3: blobs(3).rows}
    watched: list[None] = []

    timings = time_model(path, 1, batches, lambda: watched.append(None), burst_seconds=0.0)

    wanted = {key for key in measured_keys("", (1, 3)) if metric_of(key).is_per_batch_size}
    assert timings.keys() == wanted
    assert all(np.isfinite(value) and value >= 0 for value in timings.values())
    assert len(watched) == 2
    for size in (1, 3):
        p50, p95, p99 = (timings[f"latency_p{p}_seconds@{size}"] for p in (50, 95, 99))
        assert 0 < p50 <= p95 <= p99


def test_what_the_watch_raises_ends_the_turn(path: Path) -> None:
    path.write_bytes(dense(width=4))

    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        time_model(path, 1, {1: blobs(1).rows}, stop)
