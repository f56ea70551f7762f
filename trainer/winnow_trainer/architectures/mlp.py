"""MLP: fully connected layers, each with its normalisation, activation and dropout."""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn

from winnow_trainer.architectures.description import Architecture
from winnow_trainer.architectures.layers import (
    Settings,
    activation,
    dropout,
    listed,
    norm_of_units,
    series,
    whole,
)


def mlp(architecture: Architecture, features: tuple[int, ...]) -> nn.Module:
    """The body of an MLP; images are read number by number.

    Args:
        architecture: of family MLP.
        features: shape of one standardised row, (features,) or (channels, 1, 1).
    """
    return series(*_layers(architecture, features))


def widths(settings: Settings) -> tuple[int, ...]:
    """Units of each hidden layer."""
    return listed(settings, "widths") or (whole(settings, "width"),) * whole(settings, "depth")


def _layers(architecture: Architecture, features: tuple[int, ...]) -> Iterator[nn.Module | None]:
    settings, image = architecture.settings, architecture.image
    size = image.size if image is not None else features[0]
    if image is not None:
        yield nn.Flatten()
    for units in widths(settings):
        yield nn.Linear(size, units)
        yield norm_of_units(settings, units)
        yield activation(settings)
        yield dropout(settings)
        size = units
    yield nn.Linear(size, architecture.outputs)
