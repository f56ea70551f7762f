"""NPZ files: an array X of rows and an array y of targets; nothing in them is unpickled."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from winnow_contract.files import file_digest
from winnow_trainer.data.dataset import Dataset, FloatArray, ImageShape
from winnow_trainer.data.targets import read_targets
from winnow_trainer.errors import DataError
from winnow_trainer.task import DataKind

FEATURES, TARGET = "X", "y"
_UNREADABLE = (
    ValueError,  # not an array file, or one of objects, which would have to be unpickled
    TypeError,
    EOFError,
    RuntimeError,  # encrypted or packed in a way that is not known
    zipfile.BadZipFile,
    zlib.error,
)
TABLE, GRAY_IMAGES, IMAGES = 2, 3, 4
"""Dimensions of X: (rows, numbers), (rows, height, width), (rows, channels, height, width)."""


def load_arrays(path: Path, target: str, kind: DataKind) -> Dataset:
    """Read and check an NPZ file.

    Raises:
        DataError: naming the array, what it is and what it should be.
        OSError: if the storage cannot be read.
    """
    raw, raw_target = _read(path, target or TARGET)
    if raw.ndim not in {TABLE, GRAY_IMAGES, IMAGES} or 0 in raw.shape[1:]:
        raise DataError(
            f"array X of {path.name} has shape {raw.shape}, allowed are (rows, numbers), "
            "(rows, height, width) and (rows, channels, height, width)"
        )
    if raw_target.shape != (len(raw),):
        raise DataError(
            f"array {target or TARGET} of {path.name} has shape {raw_target.shape}, it must be "
            f"({len(raw)},): one target for each row of X"
        )
    if len(raw) == 0:
        raise DataError(f"{path.name} has no rows")
    targets = read_targets(raw_target, kind, target or TARGET)
    return Dataset(
        features=_features(path, raw),
        targets=targets.values,
        kind=targets.kind,
        digest=file_digest(path),
        classes=targets.classes,
        image=_image(raw),
    )


def _read(path: Path, target: str) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            for name in (FEATURES, target):
                if name not in archive.files:
                    found = ", ".join(archive.files) or "none"
                    raise DataError(f"{path.name} has no array {name!r}, arrays: {found}")
            return _array(archive, FEATURES), _array(archive, target)
    except _UNREADABLE as error:
        raise DataError(
            f"{path.name} is not an NPZ file of plain numbers (numpy.savez): {error}"
        ) from error


def _array(archive: Any, name: str) -> npt.NDArray[Any]:
    array = archive[name]
    if not isinstance(array, np.ndarray):  # a member that is no array comes as bytes
        raise TypeError(f"{name} is not an array")
    return array


def _features(path: Path, raw: npt.NDArray[Any]) -> FloatArray:
    if raw.dtype.kind not in "biuf":
        raise DataError(f"array X of {path.name} is of type {raw.dtype}, it must hold numbers")
    with np.errstate(over="ignore"):  # what overflows is found below
        features = raw.astype(np.float32)
    unfit = ~np.isfinite(features)
    if unfit.any():
        row = int(np.argmax(unfit.reshape(len(raw), -1).any(axis=1)))
        raise DataError(
            f"array X of {path.name} has a value in row {row + 1} that is not a finite number "
            "of 32 bits"
        )
    return features


def _image(raw: npt.NDArray[Any]) -> ImageShape | None:
    if raw.ndim == TABLE:
        return None
    channels = 1 if raw.ndim == GRAY_IMAGES else raw.shape[1]
    return ImageShape(raw.shape[-2], raw.shape[-1], channels)
