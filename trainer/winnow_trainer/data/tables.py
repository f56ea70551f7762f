"""CSV files: one header line, numbers in every column but the target's."""

from __future__ import annotations

import csv
import warnings
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from winnow_contract.files import file_digest
from winnow_trainer.data.dataset import Dataset
from winnow_trainer.data.targets import read_targets
from winnow_trainer.errors import DataError
from winnow_trainer.task import DataKind

MAX_NAMED = 20
"""Columns that a sentence lists."""


def load_table(path: Path, target: str, kind: DataKind) -> Dataset:
    """Read and check a CSV file.

    Raises:
        DataError: naming the column and the row that does not fit.
        OSError: if the storage cannot be read.
    """
    header = _header(path)
    _check_header(path, header, target)
    columns = [name for name in header if name != target]
    frame = _frame(path, header, columns)
    if frame.empty:
        raise DataError(f"{path.name} has a header but no rows")
    features = frame[columns].to_numpy(dtype=np.float32)
    targets = read_targets(frame[target].fillna("").to_numpy(dtype=str), kind, target)
    return Dataset(
        features=features,
        targets=targets.values,
        kind=targets.kind,
        digest=file_digest(path),
        classes=targets.classes,
        columns=tuple(columns),
    )


def _header(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = (line for line in csv.reader(file) if any(cell.strip() for cell in line))
            return [name.strip() for name in next(lines, [])]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path.name} is not a CSV file in UTF-8: {error}") from error


def _check_header(path: Path, header: list[str], target: str) -> None:
    if not header:
        raise DataError(f"{path.name} is empty: give a header line and rows")
    if "" in header:
        raise DataError(
            f"column {header.index('') + 1} of {path.name} has no name in the header: name it, or "
            "leave the column out if it only numbers the rows"
        )
    twice = [name for name, count in Counter(header).items() if count > 1]
    if twice:
        raise DataError(f"{path.name} has column {twice[0]!r} more than once in its header")
    names = ", ".join(header[:MAX_NAMED]) + (", ..." if len(header) > MAX_NAMED else "")
    if not target:
        raise DataError(f"data.target is empty, allowed are the columns of {path.name}: {names}")
    if target not in header:
        raise DataError(f"data.target {target!r} is no column of {path.name}, columns: {names}")
    if len(header) == 1:
        raise DataError(f"{path.name} has no column but the target {target!r}: nothing to learn")


def _frame(path: Path, header: list[str], columns: list[str]) -> pd.DataFrame:
    """The table, columns in the order of the header, every feature a finite number."""
    try:
        frame = _read(path, header, dict.fromkeys(columns, np.float32))
        if np.isfinite(frame[columns].to_numpy(dtype=np.float32)).all():
            return frame
    except (ValueError, OverflowError):
        pass  # something is no number
    # As texts, which takes far more time and memory, it can be named.
    texts = _read(path, header, {})
    for name in columns:
        _refuse_unfit(path, texts[name])
    raise DataError(f"{path.name} holds something that is no number of 32 bits")


def _read(path: Path, header: list[str], types: Mapping[str, Any]) -> pd.DataFrame:
    # What overflows 32 bits is found by who calls.
    with warnings.catch_warnings(), np.errstate(over="ignore"):
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            frame = pd.read_csv(
                path,
                header=0,
                names=header,
                index_col=False,
                dtype={**dict.fromkeys(header, str), **types},
                keep_default_na=False,
                encoding="utf-8-sig",
            )
        except pd.errors.ParserWarning as error:
            raise DataError(
                f"rows of {path.name} have more fields than its header has names"
            ) from error
        except (UnicodeDecodeError, pd.errors.ParserError) as error:
            words = " ".join(str(error).split())
            raise DataError(f"{path.name} is not a CSV file in UTF-8: {words}") from error
    return cast("pd.DataFrame", frame)


def _refuse_unfit(path: Path, column: Any) -> None:
    with np.errstate(over="ignore"):  # what overflows is what is looked for
        values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float32)
    unfit = ~np.isfinite(values)
    if unfit.any():
        row = int(np.argmax(unfit))
        raise DataError(_unfit(path, str(column.name), column.iloc[row], row + 1))


def _unfit(path: Path, name: str, value: Any, row: int) -> str:
    where = f"column {name!r} of {path.name}"
    if not isinstance(value, str) or not value.strip():
        return f"{where} has no value in row {row}: every row needs a number"
    try:
        float(value)
    except ValueError:
        return (
            f"{where} holds text where a number belongs: {value[:40]!r} in row {row}; turn it "
            "into numbers, or leave the column out"
        )
    return f"{where} is {value[:40]!r} in row {row}: not a finite number of 32 bits"
