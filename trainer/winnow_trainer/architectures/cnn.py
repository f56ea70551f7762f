"""CNN: convolution blocks that halve the image, then one fully connected layer; or a searched cell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from torch import nn

from winnow_contract.models.nets import CnnNet
from winnow_trainer.architectures.cells import CellNetwork
from winnow_trainer.architectures.description import Architecture, net_of
from winnow_trainer.architectures.layers import (
    Settings,
    activation,
    dropout,
    listed,
    norm_of_channels,
    series,
    whole,
)
from winnow_trainer.data.dataset import ImageShape

MIN_POOLED = 2
"""Rows and columns that an image needs to be halved."""


def cnn(architecture: Architecture, features: tuple[int, ...]) -> nn.Module:
    """The body of a CNN.

    Args:
        architecture: of family CNN, with an image.
        features: (channels, 1, 1).
    """
    net = net_of(architecture.settings)
    if isinstance(net, CnnNet):
        return CellNetwork(architecture, features, net)
    return series(*_layers(architecture, features))


def channels_of_blocks(settings: Settings) -> tuple[int, ...]:
    """Channels that each block gives."""
    width, depth = whole(settings, "width"), whole(settings, "depth")
    return listed(settings, "channels") or tuple(width * 2**block for block in range(depth))


def _layers(architecture: Architecture, features: tuple[int, ...]) -> Iterator[nn.Module | None]:
    settings, image = architecture.settings, cast("ImageShape", architecture.image)
    channels, height, width = features[0], image.height, image.width
    kernel = int(cast("str", settings["kernel"]))
    for filters in channels_of_blocks(settings):
        yield nn.Conv2d(channels, filters, kernel, padding=kernel // 2)
        yield norm_of_channels(settings, filters)
        yield activation(settings)
        if settings["pooling"] != "none" and min(height, width) >= MIN_POOLED:
            yield nn.MaxPool2d(2) if settings["pooling"] == "max" else nn.AvgPool2d(2)
            height, width = height // 2, width // 2
        yield dropout(settings)
        channels = filters
    yield nn.Flatten()
    yield nn.Linear(channels * height * width, architecture.outputs)
