"""How good a model is: each metric with its standard error, over the rows of one split.

Standard errors:
    accuracy             binomial, sqrt(p (1 - p) / n)
    balanced_accuracy    delta method: the classes' binomial errors, added in quadrature
    f1                   bootstrap of the confusion matrix, 200 draws, fixed seed
    log_loss, mae        standard deviation of the rows' values over sqrt(n)
    rmse                 that of the mean square, by the delta method
    r2                   from its influence function (delta method)

Trainer and measuring pod both count with it, so that their figures can be compared: numpy only, in
64 bits, the same wherever the model ran.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from winnow_contract.measuring.metrics import CLASSIFICATION, METRICS

Array = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]
Measured = tuple[float, float | None]
"""A value and its standard error."""

BOOTSTRAP_DRAWS = 200
BOOTSTRAP_SEED = 20_261_124
"""Any number would do; it is fixed so that the same outputs give the same error."""

HIGHER_IS_BETTER = frozenset(
    name for name, metric in METRICS.items() if metric.kind and metric.is_higher_better
)
"""Metrics of quality of which more is better."""


def quality_metrics(kind: str) -> tuple[str, ...]:
    """Names of the metrics of a kind of task, the most usual first."""
    return tuple(_CLASSIFICATION if kind == CLASSIFICATION else _REGRESSION)


def measure(kind: str, metric: str, outputs: Array, targets: npt.NDArray[np.generic]) -> Measured:
    """One metric over the rows of a split.

    Args:
        kind: of the task, Classification or Regression.
        metric: one of `quality_metrics`.
        outputs: (rows, classes) logits, or (rows, 1) values in the target's unit.
        targets: (rows,) class indices, or values.

    Raises:
        KeyError: if the metric is not one of that kind of task.
    """
    if kind == CLASSIFICATION:
        return _CLASSIFICATION[metric](outputs, targets.astype(np.int64))
    return _REGRESSION[metric](outputs[:, 0], targets.astype(np.float64))


def measure_all(kind: str, outputs: Array, targets: npt.NDArray[np.generic]) -> dict[str, Measured]:
    """All metrics of a kind of task; arguments as those of `measure`."""
    return {metric: measure(kind, metric, outputs, targets) for metric in quality_metrics(kind)}


def _mean(values: Array) -> Measured:
    error = float(values.std(ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else None
    return float(values.mean()), error


def _accuracy(logits: Array, labels: Labels) -> Measured:
    share = float((logits.argmax(axis=1) == labels).mean())
    return share, math.sqrt(share * (1 - share) / len(labels))


def _balanced_accuracy(logits: Array, labels: Labels) -> Measured:
    # Classes without a row in this split have no recall and are left out, as is usual.
    rows = np.bincount(labels)
    hits = np.bincount(labels[logits.argmax(axis=1) == labels], minlength=len(rows))
    recall = hits[rows > 0] / rows[rows > 0]
    variance = recall * (1 - recall) / rows[rows > 0]
    return float(recall.mean()), math.sqrt(float(variance.sum())) / len(recall)


def _f1(logits: Array, labels: Labels) -> Measured:
    classes = logits.shape[1]
    cells, counts = np.unique(labels * classes + logits.argmax(axis=1), return_counts=True)
    truth, guess = cells // classes, cells % classes
    value = float(_macro_f1(counts[None, :].astype(np.float64), truth, guess, classes)[0])
    random = np.random.Generator(np.random.PCG64(BOOTSTRAP_SEED))
    draws = random.multinomial(len(labels), counts / counts.sum(), size=BOOTSTRAP_DRAWS)
    spread = _macro_f1(draws.astype(np.float64), truth, guess, classes).std(ddof=1)
    return value, float(spread)


def _macro_f1(counts: Array, truth: Labels, guess: Labels, classes: int) -> Array:
    """Macro F1 of confusion matrices that are given by the counts of their filled cells.

    A class that is neither in the labels nor in the guesses is left out of the mean. Cells are
    added up by class, never as a matrix of cells and classes: with thousands of each it would not
    fit into memory.
    """
    hits = _sums(np.where(truth == guess, counts, 0), truth, classes)  # (draws, classes)
    total = _sums(counts, truth, classes) + _sums(counts, guess, classes)  # (draws, classes)
    scores = np.divide(2 * hits, total, out=np.zeros_like(hits), where=total > 0)
    seen: Array = scores.sum(axis=1) / (total > 0).sum(axis=1)
    return seen


def _sums(counts: Array, owners: Labels, classes: int) -> Array:
    """Columns added up by the class that each belongs to."""
    order = np.argsort(owners, kind="stable")
    present, starts = np.unique(owners[order], return_index=True)
    sums = np.zeros((len(counts), classes))
    sums[:, present] = np.add.reduceat(counts[:, order], starts, axis=1)
    return sums


def _log_loss(logits: Array, labels: Labels) -> Measured:
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(axis=1))
    return _mean(log_sum - shifted[np.arange(len(labels)), labels])


def _rmse(values: Array, targets: Array) -> Measured:
    square, error = _mean((values - targets) ** 2)
    root = math.sqrt(square)
    return root, error / (2 * root) if error is not None and root > 0 else error


def _mae(values: Array, targets: Array) -> Measured:
    return _mean(np.abs(values - targets))


def _r2(values: Array, targets: Array) -> Measured:
    squares = (values - targets) ** 2
    spread = (targets - targets.mean()) ** 2
    variance = float(spread.mean())
    if variance == 0:  # one row, or all the same: no share of nothing
        return 0.0, None
    ratio = float(squares.mean()) / variance
    _, error = _mean((squares - ratio * spread) / variance)
    return 1 - ratio, error


_CLASSIFICATION: Mapping[str, Callable[[Array, Labels], Measured]] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "f1": _f1,
    "log_loss": _log_loss,
}
_REGRESSION: Mapping[str, Callable[[Array, Array], Measured]] = {
    "rmse": _rmse,
    "mae": _mae,
    "r2": _r2,
}
