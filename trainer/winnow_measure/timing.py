"""How long models take, as they are served: in turns with the baseline, in several rounds.

In each round every model is loaded afresh (where its tensors come to lie in memory is part of the
spread), answers requests one after the other for a moment at each batch size, and makes room for
the next. The order is another one in every round, so that nobody always follows the same model.
Wall time is what a client waits; processor time is what it costs, and does not depend on what
else the machine is doing.
"""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from winnow_contract.measuring.metrics import metric_key
from winnow_runtime.artifacts import Tensor
from winnow_runtime.sessions import Session

__all__ = ["BURST_SECONDS", "Timings", "time_burst", "time_model", "turn_order"]

BURST_SECONDS = 0.25
"""How long a model answers at one batch size in one round."""
MIN_CALLS, MAX_CALLS = 10, 3000
"""Requests of a burst; beneath ten, a percentile is a guess."""
WARM_UP_CALLS = 3
"""The first run plans and takes its memory, the next fill the caches."""
NANOSECONDS = 1e9
PERCENTILES = {
    "latency_p50_seconds": 50,
    "latency_p95_seconds": 95,
    "latency_p99_seconds": 99,
}

Timings = Mapping[str, float]
"""Figures of one model in one round by key, `latency_p95_seconds@64`."""
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Burst:
    """What a burst of requests took."""

    seconds: np.ndarray[tuple[int], np.dtype[np.float64]]
    """Wall time of each request."""
    wall: float
    """Wall time of the whole burst."""
    cpu: float
    """Processor time of the whole burst, of all threads."""


def turn_order(models: Sequence[_T], turn: int) -> list[_T]:
    """The order of a turn: every other one backwards, and each pair of turns starts one later."""
    at = turn // 2 % len(models)
    order = [*models[at:], *models[:at]]
    return order[::-1] if turn % 2 else order


def time_model(
    path: Path,
    threads: int,
    batches: Mapping[int, Tensor],
    watch: Callable[[], None],
    burst_seconds: float = BURST_SECONDS,
) -> Timings:
    """One model's turn in one round.

    Args:
        path: of the ONNX file.
        threads: of the runtime's pool.
        batches: rows to answer by batch size.
        watch: called before each batch size; what it raises ends the measurement.
        burst_seconds: how long it answers at each batch size.

    Raises:
        ModelError: if it cannot be run.
    """
    session = Session(path, threads)
    figures: dict[str, float] = {}
    for size, rows in batches.items():
        watch()
        run = session.bound(rows) if size == 1 else None  # as single rows are served
        burst = time_burst(partial(run or session.run, rows), burst_seconds)
        for name, value in _figures(burst, size).items():
            figures[metric_key(name, size)] = value
    return figures


def time_burst(request: Callable[[], object], burst_seconds: float = BURST_SECONDS) -> Burst:
    """Make the same request again and again, and take its times."""
    with _collector_off():
        for _ in range(WARM_UP_CALLS):
            request()
        started = time.perf_counter_ns()
        request()
        once = (time.perf_counter_ns() - started) / NANOSECONDS
        calls = calls_for(once, burst_seconds)
        ends = np.empty(calls + 1, dtype=np.int64)
        cpu = time.process_time_ns()
        ends[0] = time.perf_counter_ns()
        for index in range(1, calls + 1):
            request()
            ends[index] = time.perf_counter_ns()
        cpu = time.process_time_ns() - cpu
    seconds = np.diff(ends) / NANOSECONDS
    return Burst(seconds, float(ends[-1] - ends[0]) / NANOSECONDS, cpu / NANOSECONDS)


def calls_for(once: float, burst_seconds: float) -> int:
    """Requests that fill a burst, if one takes so many seconds."""
    wanted = math.ceil(burst_seconds / once) if once > 0 else MAX_CALLS
    return max(MIN_CALLS, min(wanted, MAX_CALLS))


def _figures(burst: Burst, rows: int) -> dict[str, float]:
    calls = len(burst.seconds)
    percentiles = np.percentile(burst.seconds, list(PERCENTILES.values()))
    return {
        **{name: float(value) for name, value in zip(PERCENTILES, percentiles, strict=True)},
        "throughput_rows_per_second": rows * calls / burst.wall,
        "cpu_seconds": burst.cpu / calls,
    }


@contextmanager
def _collector_off() -> Iterator[None]:
    # A collection in the middle of a burst would be the 99th percentile of a small model.
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
