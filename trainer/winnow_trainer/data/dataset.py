"""A data set that has passed all checks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from winnow_trainer.task import DataKind

FloatArray = npt.NDArray[np.float32]
TargetArray = npt.NDArray[np.int64] | npt.NDArray[np.float32]


class Layout(StrEnum):
    """Order of the numbers of an image in a row of the data."""

    CHW = "CHW"
    """Channels first, as torch has them."""
    HWC = "HWC"
    """Channels last, as image files have them."""


@dataclass(frozen=True, slots=True)
class ImageShape:
    """The image that a row holds."""

    height: int
    width: int
    channels: int
    layout: Layout = Layout.CHW

    @property
    def size(self) -> int:
        """Numbers in a row."""
        return self.height * self.width * self.channels

    @property
    def text(self) -> str:
        """Height, width and channels as people write them."""
        return f"{self.height}x{self.width}x{self.channels}"


@dataclass(frozen=True, slots=True)
class Dataset:
    """Rows of finite numbers and their targets."""

    features: FloatArray
    """(rows, ...): whatever shape a row has in the source."""
    targets: TargetArray
    """(rows,): class index, or value."""
    kind: DataKind
    """Classification or Regression, never Auto."""
    digest: str
    """sha256 of the source in hex."""
    classes: tuple[str, ...] = ()
    """Labels by class index; empty for regression."""
    image: ImageShape | None = None
    """The image in each row, where the source says so."""
    columns: tuple[str, ...] = ()
    """Names of the features, where the source has them."""

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.targets)

    @property
    def row_shape(self) -> tuple[int, ...]:
        """Shape of one row as the source has it, and as whoever serves the model gives it."""
        return tuple(self.features.shape[1:])

    @property
    def row_size(self) -> int:
        """Numbers in one row."""
        return math.prod(self.row_shape)
