"""The way in and out of every model: raw rows, and values in the target's own unit.

Standardisation and its inverse are modules with buffers, so that whoever serves a model needs to
know nothing else.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from typing_extensions import override

from winnow_trainer.architectures.description import Architecture
from winnow_trainer.data.dataset import ImageShape, Layout

CONSTANT = 1e-9
"""What spreads less than this share of its mean is constant: 32 bits cannot tell it apart."""


def read_rows(architecture: Architecture) -> tuple[nn.Module, tuple[int, ...]]:
    """How rows are shaped, and what is standardised alone: each channel, or each feature."""
    if architecture.image is not None:
        return ImageRows(architecture.image), (architecture.image.channels, 1, 1)
    return nn.Flatten(), (math.prod(architecture.row_shape),)


class ImageRows(nn.Module):
    """Rows of numbers as images, channels first."""

    def __init__(self, image: ImageShape) -> None:
        super().__init__()
        self.image = image

    @override
    def forward(self, rows: Tensor) -> Tensor:
        image, count = self.image, rows.shape[0]
        if image.layout is Layout.CHW:
            return rows.reshape(count, image.channels, image.height, image.width)
        return rows.reshape(count, image.height, image.width, image.channels).permute(0, 3, 1, 2)


class Standardize(nn.Module):
    """Subtracts a mean and divides by a scale, both learnt from the training split alone."""

    mean: Tensor
    scale: Tensor

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(shape))
        self.register_buffer("scale", torch.ones(shape))

    @override
    def forward(self, values: Tensor) -> Tensor:
        return (values - self.mean) / self.scale

    def fit(self, values: Tensor) -> None:
        """Take mean and scale from values; what never changes keeps scale 1.

        Args:
            values: (rows, *shape); where the module's own shape has a 1, all of that dimension together.
        """
        over = [i for i in range(values.dim()) if i == 0 or self.mean.shape[i - 1] == 1]
        wide = values.double()
        scale, mean = torch.std_mean(wide, dim=over, correction=0, keepdim=True)
        self.mean.copy_(mean.squeeze(0))
        self.scale.copy_(_usable(scale, mean).squeeze(0))


class Rescale(nn.Module):
    """The inverse for the outputs of a regression: back into the target's own unit."""

    mean: Tensor
    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("scale", torch.ones(()))

    @override
    def forward(self, values: Tensor) -> Tensor:
        return values * self.scale + self.mean

    def fit(self, targets: Tensor) -> None:
        """Take mean and scale from the training targets.

        Args:
            targets: (rows,) in their own unit.
        """
        scale, mean = torch.std_mean(targets.double(), correction=0)
        self.mean.copy_(mean)
        self.scale.copy_(_usable(scale, mean))


def _usable(scale: Tensor, mean: Tensor) -> Tensor:
    # The spread of equal numbers comes out as rounding errors of their mean, not always as 0.
    return torch.where(scale > mean.abs() * CONSTANT, scale, 1)
