"""Metrics against scikit-learn's, and their standard errors against the bootstrap."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import metrics

from winnow_contract.measuring.metrics import CLASSIFICATION, QUALITY_METRICS, REGRESSION
from winnow_measure.quality import HIGHER_IS_BETTER, measure, measure_all, quality_metrics

CLASSES, VALUES = CLASSIFICATION, REGRESSION
Arrays = tuple[np.ndarray, np.ndarray]


def classification(rows: int, classes: int = 4, seed: int = 0) -> Arrays:
    random = np.random.Generator(np.random.PCG64(seed))
    labels = random.choice(
        classes, size=rows, p=np.arange(1, classes + 1) / sum(range(classes + 1))
    )
    logits = random.normal(size=(rows, classes))
    logits[np.arange(rows), labels] += 1.5
    return logits, labels


def regression(rows: int, seed: int = 0) -> Arrays:
    random = np.random.Generator(np.random.PCG64(seed))
    targets = random.gamma(2, 10, size=rows)
    return (targets + random.normal(0, 8, size=rows))[:, None], targets


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def expected(metric: str, outputs: np.ndarray, targets: np.ndarray) -> Any:
    guess = outputs.argmax(axis=1)
    values = outputs[:, 0]
    return {
        "accuracy": lambda: metrics.accuracy_score(targets, guess),
        "balanced_accuracy": lambda: metrics.balanced_accuracy_score(targets, guess),
        "f1": lambda: metrics.f1_score(targets, guess, average="macro"),
        "log_loss": lambda: metrics.log_loss(targets, softmax(outputs)),
        "rmse": lambda: metrics.root_mean_squared_error(targets, values),
        "mae": lambda: metrics.mean_absolute_error(targets, values),
        "r2": lambda: metrics.r2_score(targets, values),
    }[metric]()


CASES = [
    *((CLASSES, metric, classification) for metric in quality_metrics(CLASSES)),
    *((VALUES, metric, regression) for metric in quality_metrics(VALUES)),
]


@pytest.mark.parametrize(("kind", "metric", "make"), CASES)
@pytest.mark.parametrize("rows", [7, 400])
def test_a_value_is_that_of_scikit_learn(kind: str, metric: str, make: Any, rows: int) -> None:
    outputs, targets = make(rows)
    if metric == "log_loss" and len(np.unique(targets)) < outputs.shape[1]:
        targets[: outputs.shape[1]] = np.arange(outputs.shape[1])  # it refuses absent classes

    value, _ = measure(kind, metric, outputs, targets)

    assert value == pytest.approx(expected(metric, outputs, targets), rel=1e-12)


@pytest.mark.parametrize(("kind", "metric", "make"), CASES)
def test_a_standard_error_is_what_the_bootstrap_says(kind: str, metric: str, make: Any) -> None:
    outputs, targets = make(600)
    random = np.random.Generator(np.random.PCG64(5))
    draws = (random.integers(0, 600, size=600) for _ in range(300))
    again = [measure(kind, metric, outputs[rows], targets[rows])[0] for rows in draws]

    _, error = measure(kind, metric, outputs, targets)

    # The spread of 300 draws is itself known to 4 %; both are estimates.
    assert error == pytest.approx(np.std(again, ddof=1), rel=0.15)


def test_all_metrics_of_a_kind_are_measured() -> None:
    assert tuple(measure_all(CLASSES, *classification(50))) == quality_metrics(CLASSES)
    assert tuple(measure_all(VALUES, *regression(50))) == quality_metrics(VALUES)


def test_a_perfect_model_is_perfect() -> None:
    labels = np.arange(12) % 3
    perfect = measure_all(CLASSES, np.eye(3)[labels] * 800, labels)

    assert {name: value for name, (value, _) in perfect.items()} == {
        "accuracy": 1,
        "balanced_accuracy": 1,
        "f1": 1,
        "log_loss": 0,
    }
    assert measure(VALUES, "rmse", labels[:, None].astype(np.float64), labels) == (0, 0)


def test_r2_without_any_spread_is_no_share_of_anything() -> None:
    assert measure(VALUES, "r2", np.ones((3, 1)), np.ones(3)) == (0, None)


def test_one_row_has_no_standard_error() -> None:
    assert measure(VALUES, "mae", np.ones((1, 1)), np.zeros(1)) == (1, None)


def test_f1_of_thousands_of_classes_takes_little_memory() -> None:
    # A matrix of cells and classes would be 3 GB here.
    labels = np.arange(20_000)
    logits = np.zeros((20_000, 1))

    value, _ = measure(CLASSES, "f1", np.hstack([logits, logits - 1]), np.minimum(labels, 1))

    assert 0 < value < 0.01


def test_which_metrics_are_better_higher_is_known_for_all() -> None:
    assert {"accuracy", "balanced_accuracy", "f1", "r2"} == HIGHER_IS_BETTER


@pytest.mark.parametrize("kind", [CLASSES, VALUES])
def test_every_metric_of_the_contract_is_counted_in_its_order(kind: str) -> None:
    assert quality_metrics(kind) == QUALITY_METRICS[kind]
