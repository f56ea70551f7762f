"""ResNet: a stem and stages of basic blocks, each of two convolutions and a way around them.

After "Deep Residual Learning for Image Recognition" (arXiv 1512.03385); width 64, stem large and
two blocks in each of four stages are its ResNet-18.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from winnow_trainer.architectures.description import Architecture
from winnow_trainer.architectures.layers import (
    Settings,
    activation,
    dropout,
    listed,
    norm_of_channels,
    series,
    whole,
)

STAGES = 4
"""Where the settings do not list them."""


class ResNet(nn.Module):
    """Images in, outputs out."""

    def __init__(self, architecture: Architecture, features: tuple[int, ...]) -> None:
        super().__init__()
        settings = architecture.settings
        side = whole(settings, "resize")
        channels = channels_of_stages(settings)
        self.resize = Resize(side) if side else nn.Identity()
        self.stem = _stem(settings, features[0], channels[0])
        inputs = (channels[0], *channels)
        self.stages = nn.Sequential(
            *(
                _stage(settings, inputs[stage], channels[stage], blocks, 2 if stage else 1)
                for stage, blocks in enumerate(blocks_of_stages(settings))
            )
        )
        self.dropout = dropout(settings) or nn.Identity()
        self.head = nn.Linear(channels[-1], architecture.outputs)

    @override
    def forward(self, images: Tensor) -> Tensor:
        # Channels first in memory too: with channels last, oneDNN's backward pass of a shortcut
        # writes beyond its buffer where there are fewer than 8 or 16 channels (its issue 6035).
        images = self.resize(images).clone(memory_format=torch.contiguous_format)
        maps = self.stages(self.stem(images))  # (rows, channels, height, width)
        return cast("Tensor", self.head(self.dropout(maps.mean((2, 3)))))


class Resize(nn.Module):
    """Brings images to a square of another size."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side

    @override
    def forward(self, images: Tensor) -> Tensor:
        size = (self.side, self.side)
        return functional.interpolate(images, size=size, mode="bilinear", align_corners=False)


class BasicBlock(nn.Module):
    """Two convolutions; their result is added to what came in."""

    def __init__(self, settings: Settings, channels: int, filters: int, stride: int) -> None:
        super().__init__()
        self.conv1 = _convolution(settings, channels, filters, 3, stride)
        self.norm1 = norm_of_channels(settings, filters) or nn.Identity()
        self.activation1 = activation(settings)
        self.conv2 = _convolution(settings, filters, filters, 3, 1)
        self.norm2 = norm_of_channels(settings, filters) or nn.Identity()
        self.shortcut = _shortcut(settings, channels, filters, stride)
        self.activation2 = activation(settings)

    @override
    def forward(self, maps: Tensor) -> Tensor:
        inner = self.activation1(self.norm1(self.conv1(maps)))
        inner = self.norm2(self.conv2(inner))
        return cast("Tensor", self.activation2(inner + self.shortcut(maps)))


def channels_of_stages(settings: Settings) -> tuple[int, ...]:
    """Channels of each stage."""
    width, stages = whole(settings, "width"), len(listed(settings, "blocks")) or STAGES
    return listed(settings, "channels") or tuple(width * 2**stage for stage in range(stages))


def blocks_of_stages(settings: Settings) -> tuple[int, ...]:
    """Blocks of each stage."""
    stages = len(listed(settings, "channels")) or STAGES
    return listed(settings, "blocks") or (whole(settings, "depth"),) * stages


def _stem(settings: Settings, channels: int, filters: int) -> nn.Module:
    is_large = settings["stem"] == "large"
    kernel, stride = (7, 2) if is_large else (3, 1)
    return series(
        _convolution(settings, channels, filters, kernel, stride),
        norm_of_channels(settings, filters),
        activation(settings),
        nn.MaxPool2d(3, stride=2, padding=1) if is_large else None,
    )


def _stage(settings: Settings, channels: int, filters: int, blocks: int, stride: int) -> nn.Module:
    if not blocks:
        return _shortcut(settings, channels, filters, stride)
    first = BasicBlock(settings, channels, filters, stride)
    return nn.Sequential(
        first, *(BasicBlock(settings, filters, filters, 1) for _ in range(blocks - 1))
    )


def _shortcut(settings: Settings, channels: int, filters: int, stride: int) -> nn.Module:
    """The way around a block; a convolution where its shape changes, else nothing."""
    if stride == 1 and channels == filters:
        return nn.Identity()
    return series(
        _convolution(settings, channels, filters, 1, stride), norm_of_channels(settings, filters)
    )


def _convolution(
    settings: Settings, channels: int, filters: int, kernel: int, stride: int
) -> nn.Conv2d:
    # A normalisation takes the mean away, and a bias with it.
    has_bias = settings["norm"] == "none"
    return nn.Conv2d(channels, filters, kernel, stride=stride, padding=kernel // 2, bias=has_bias)
