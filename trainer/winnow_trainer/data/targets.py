"""From a raw target column to class indices or values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from winnow_trainer.data.dataset import TargetArray
from winnow_trainer.errors import DataError
from winnow_trainer.task import DataKind

MAX_AUTO_CLASSES = 50
"""Whole numbers with at most so many distinct values are classes under Auto, else values."""
MAX_CLASSES = 10_000
"""The last layer has an output for each; beyond this it is an identifier rather than a class."""
MAX_EXACT = 2**53
"""Whole numbers below it are exact in 64 bits."""
MIN_ROWS_PER_CLASS = 3
"""On average; fewer, and the column is hardly one of classes."""

Raw = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Targets:
    """A target column that can be trained on."""

    kind: DataKind
    values: TargetArray
    classes: tuple[str, ...] = ()


def read_targets(raw: Raw, kind: DataKind, column: str) -> Targets:
    """Decide what the column holds, and turn it into numbers.

    Args:
        raw: one-dimensional; numbers, truth values or texts.
        kind: what the user says it is.
        column: its name, for sentences.

    Raises:
        DataError: naming the column, and the first row that does not fit.
    """
    if raw.dtype.kind not in "biufUS":
        raise DataError(f"target {column!r} is of type {raw.dtype}, it must hold numbers or texts")
    if raw.dtype.kind == "S":
        raw = np.char.decode(raw, "utf-8", "replace")
    numbers = _numbers(raw)
    _check_present(raw, numbers, column)
    if kind is DataKind.AUTO:
        kind = _guess(numbers)
    if kind is DataKind.REGRESSION:
        return Targets(kind, _values(raw, numbers, column))
    return _classes(raw, numbers, column)


def _numbers(raw: Raw) -> npt.NDArray[np.float64] | None:
    """The column as numbers; None if it holds texts."""
    try:
        return raw.astype(np.float64)
    except (ValueError, TypeError):
        return None


def _check_present(raw: Raw, numbers: npt.NDArray[np.float64] | None, column: str) -> None:
    missing = ~np.isfinite(numbers) if numbers is not None else np.char.strip(raw.astype(str)) == ""
    if missing.any():
        row = int(np.argmax(missing))
        raise DataError(
            f"target {column!r} is {str(raw[row])!r} in row {row + 1}: every row needs a target"
        )


def _guess(numbers: npt.NDArray[np.float64] | None) -> DataKind:
    if numbers is None:
        return DataKind.CLASSIFICATION
    is_whole = bool((numbers == np.round(numbers)).all())
    if is_whole and len(np.unique(numbers)) <= MAX_AUTO_CLASSES:
        return DataKind.CLASSIFICATION
    return DataKind.REGRESSION


def _values(
    raw: Raw, numbers: npt.NDArray[np.float64] | None, column: str
) -> npt.NDArray[np.float32]:
    if numbers is None:
        row = next(i for i, value in enumerate(raw) if _numbers(raw[i : i + 1]) is None)
        raise DataError(
            f"target {column!r} is text ({str(raw[row])!r} in row {row + 1}), and data.kind is "
            "Regression: give numbers, or say data.kind Classification"
        )
    with np.errstate(over="ignore"):  # what overflows is found below
        values = numbers.astype(np.float32)
    if not np.isfinite(values).all():
        raise DataError(f"target {column!r} has numbers that are too large for 32 bits")
    if values.min() == values.max():
        raise DataError(f"target {column!r} is {values[0]:g} in every row: nothing to learn")
    return values


def _classes(raw: Raw, numbers: npt.NDArray[np.float64] | None, column: str) -> Targets:
    labels, values = np.unique(raw if numbers is None else numbers, return_inverse=True)
    names = tuple(str(label) if numbers is None else _name(label) for label in labels)
    if len(names) == 1:
        raise DataError(
            f"target {column!r} is {names[0]!r} in every row: classification needs two classes"
        )
    if len(raw) < MIN_ROWS_PER_CLASS * len(names):
        raise DataError(
            f"target {column!r} has {len(names)} classes in {len(raw)} rows: too few rows for "
            "each; say data.kind Regression if it holds measured values"
        )
    if len(names) > MAX_CLASSES:
        raise DataError(
            f"target {column!r} has {len(names)} classes, allowed are at most {MAX_CLASSES}; say "
            "data.kind Regression if it holds measured values"
        )
    return Targets(DataKind.CLASSIFICATION, values.astype(np.int64), names)


def _name(label: float) -> str:
    is_whole = label.is_integer() and abs(label) < MAX_EXACT
    return str(int(label)) if is_whole else repr(float(label))
