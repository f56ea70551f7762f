"""What is measured of every candidate: names, directions, ranges, and the bounds that fit.

A metric that depends on the batch size is recorded under the key `NAME@B`. What does not stand
here is not measured, and a goal that names it is refused.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from winnow_contract.errors import GoalError

__all__ = [
    "CLASSIFICATION",
    "METRICS",
    "QUALITY_METRICS",
    "REGRESSION",
    "SEPARATOR",
    "Bound",
    "Metric",
    "is_higher_better",
    "is_of_the_machine",
    "measured_keys",
    "metric_key",
    "metric_of",
]

CLASSIFICATION, REGRESSION = "Classification", "Regression"
SEPARATOR = "@"
_SHOWN = 40


class Bound(StrEnum):
    """What a goal asks of its metric."""

    MAX_DROP = "maxDrop"
    """At most so much worse than the baseline, absolute."""
    MIN_SPEEDUP = "minSpeedup"
    """At least so many times as fast as the baseline."""
    MAX_RATIO = "maxRatio"
    """At most this share of the baseline's value."""
    MIN = "min"
    MAX = "max"


@dataclass(frozen=True, slots=True)
class Metric:
    """Something that is measured of every candidate."""

    name: str
    doc: str
    """A sentence for people."""
    is_higher_better: bool = False
    is_per_batch_size: bool = False
    is_speed: bool = False
    """A time or a rate: what minSpeedup is about."""
    kind: str = ""
    """Classification or Regression; empty: of all tasks."""
    lowest: float = 0.0
    highest: float = math.inf

    @property
    def bounds(self) -> tuple[Bound, ...]:
        """Bounds that have a meaning for it."""
        relative = {Bound.MAX_DROP: True, Bound.MIN_SPEEDUP: self.is_speed}
        relative[Bound.MAX_RATIO] = not self.is_higher_better
        return (*(bound for bound, fits in relative.items() if fits), Bound.MIN, Bound.MAX)


def _share(name: str, doc: str) -> Metric:
    return Metric(name, doc, is_higher_better=True, kind=CLASSIFICATION, highest=1)


def _time(name: str, doc: str) -> Metric:
    return Metric(name, doc, is_per_batch_size=True, is_speed=True)


_TABLE = (
    _share("accuracy", "Share of the rows whose class is found."),
    _share("balanced_accuracy", "Mean over the classes of the share that is found."),
    _share("f1", "Mean over the classes of the F1 score."),
    Metric(
        "log_loss", "Mean negative logarithm of the true class' probability.", kind=CLASSIFICATION
    ),
    Metric("rmse", "Root of the mean squared error.", kind=REGRESSION),
    Metric("mae", "Mean absolute error.", kind=REGRESSION),
    Metric(
        "r2",
        "Share of the variance that is explained.",
        is_higher_better=True,
        kind=REGRESSION,
        lowest=-math.inf,
        highest=1,
    ),
    _time("latency_p50_seconds", "Time of a request, the median."),
    _time("latency_p95_seconds", "Time of a request that 95 % stay below."),
    _time("latency_p99_seconds", "Time of a request that 99 % stay below."),
    Metric(
        "throughput_rows_per_second",
        "Rows answered in a second, one request after the other.",
        is_higher_better=True,
        is_per_batch_size=True,
        is_speed=True,
    ),
    _time("cpu_seconds", "Processor time of a request, of all threads."),
    Metric("size_bytes", "Size of model.onnx."),
    Metric("memory_bytes", "Memory that a server needs for the model, loaded and run."),
    Metric("parameters", "Numbers in the model's tensors."),
    Metric("operations", "Multiply-adds of one row."),
    Metric(
        "quantized_share",
        "Share of the convolutions and matrix products that run in integer kernels.",
        is_higher_better=True,
        highest=1,
    ),
)

METRICS: Mapping[str, Metric] = {metric.name: metric for metric in _TABLE}
"""All metrics by name, the quality of the model first."""

QUALITY_METRICS: Mapping[str, tuple[str, ...]] = {
    kind: tuple(metric.name for metric in _TABLE if metric.kind == kind)
    for kind in (CLASSIFICATION, REGRESSION)
}
"""Metrics of a model's quality by kind of task, the most usual first."""


def metric_key(metric: str, batch_size: int | None = None) -> str:
    """The key under which a metric is recorded: `size_bytes`, `latency_p95_seconds@64`."""
    return metric if batch_size is None else f"{metric}{SEPARATOR}{batch_size}"


def metric_of(key: str) -> Metric:
    """The metric that a key is about.

    Raises:
        GoalError: if it is none that is measured.
    """
    name, separator, batch_size = key.partition(SEPARATOR)
    metric = METRICS.get(name)
    is_size = batch_size.isascii() and batch_size.isdigit() and batch_size[0] != "0"
    if metric is None or bool(separator) != metric.is_per_batch_size or (separator and not is_size):
        raise GoalError(f"{key[:_SHOWN]!r} is not measured, allowed: {', '.join(METRICS)}")
    return metric


def is_higher_better(key: str) -> bool:
    """Whether more of it is better.

    Raises:
        GoalError: if it is no key of a measurement.
    """
    return metric_of(key).is_higher_better


def is_of_the_machine(key: str) -> bool:
    """Whether the mood of a machine decides it, so that rounds differ in it: times and memory."""
    metric = METRICS.get(key.partition(SEPARATOR)[0])
    return metric is not None and (metric.is_speed or metric.name == "memory_bytes")


def measured_keys(kind: str, batch_sizes: Sequence[int]) -> tuple[str, ...]:
    """Every key that is measured for a kind of task (empty: of any kind) at these batch sizes."""
    return tuple(
        metric_key(metric.name, size)
        for metric in _TABLE
        if not metric.kind or not kind or metric.kind == kind
        for size in (batch_sizes if metric.is_per_batch_size else (None,))
    )
