"""What the operator must know of the shared trainer to refuse a job before any pod.

The trainer is not imported here (it needs torch); tests/contract/test_trainer_facts.py holds this
table against it.
"""

from __future__ import annotations

from dataclasses import dataclass

from winnow_operator.api.searchjob import DataKind

METRICS = {
    DataKind.CLASSIFICATION: ("accuracy", "balanced_accuracy", "f1", "log_loss"),
    DataKind.REGRESSION: ("rmse", "mae", "r2"),
}
"""Metrics of the model's quality by kind of target."""

EXTRA_METRICS = (
    "parameters",
    "epoch_seconds",
    "train_seconds",
    "peak_memory_bytes",
    "train_loss",
)
"""Figures that every trial of the trainer reports."""

DATA_SUFFIXES = (".csv", ".npz")


@dataclass(frozen=True, slots=True)
class DataSet:
    """A data set that comes with the trainer image."""

    kind: DataKind
    """What Auto finds its target to be."""
    row_size: int
    """Numbers in a row."""
    image: str = ""
    """Height, width and channels of its images; empty for tables."""


BUILTIN = {
    "digits": DataSet(DataKind.CLASSIFICATION, 64, "8x8x1"),
    "breast_cancer": DataSet(DataKind.CLASSIFICATION, 30),
    "wine": DataSet(DataKind.CLASSIFICATION, 13),
    "diabetes": DataSet(DataKind.REGRESSION, 10),
    "mnist5k": DataSet(DataKind.CLASSIFICATION, 784, "28x28x1"),
}


def metrics_of(kind: DataKind) -> tuple[str, ...]:
    """Metrics that a task of this kind measures; of Auto, those that it might."""
    known = METRICS.get(kind)
    quality = known or tuple(metric for metrics in METRICS.values() for metric in metrics)
    return (*quality, *EXTRA_METRICS)
