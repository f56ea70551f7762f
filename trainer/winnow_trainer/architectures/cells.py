"""CNNs of a searched cell: each stage is the cell with weights of its own, at its own width.

A node reads one map, does one operation, and may add another map to the result; the cell gives what
its last node gives (after the cells of "Learning Transferable Architectures for Scalable Image
Recognition", arXiv 1707.07012). Within a stage all maps have one size, so that any of them can be
added; what changes the size is the convolution that a stage begins with.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from typing_extensions import override

from winnow_contract.models.nets import CellNode, CnnNet, Stage
from winnow_trainer.architectures.description import Architecture
from winnow_trainer.architectures.layers import (
    Settings,
    activation,
    dropout,
    norm_of_channels,
    series,
)

ENTRY_KERNEL = 3
"""Side of the kernels that a stage begins with."""


class CellNetwork(nn.Module):
    """Images in, outputs out."""

    def __init__(self, architecture: Architecture, features: tuple[int, ...], net: CnnNet) -> None:
        super().__init__()
        settings = architecture.settings
        inputs = (features[0], *(stage.width for stage in net.stages))
        pairs = zip(inputs, net.stages, strict=False)
        self.stages = nn.Sequential(
            *(CellStage(settings, channels, stage, net.cell) for channels, stage in pairs)
        )
        self.dropout = dropout(settings) or nn.Identity()
        self.head = nn.Linear(inputs[-1], architecture.outputs)

    @override
    def forward(self, images: Tensor) -> Tensor:
        # Channels first in memory too, for the reason that `resnet` gives.
        images = images.clone(memory_format=torch.contiguous_format)
        maps = self.stages(images)  # (rows, channels, height, width)
        return cast("Tensor", self.head(self.dropout(maps.mean((2, 3)))))


class CellStage(nn.Module):
    """A convolution to the stage's size, then the cell."""

    def __init__(
        self, settings: Settings, channels: int, stage: Stage, cell: tuple[CellNode, ...]
    ) -> None:
        super().__init__()
        width = stage.width
        self.entry = series(
            _convolution(channels, width, ENTRY_KERNEL, stage.stride),
            norm_of_channels(settings, width),
            activation(settings),
        )
        self.nodes = nn.ModuleList(_operation(settings, width, node) for node in cell)
        self.wiring = tuple((node.source, node.skip) for node in cell)

    @override
    def forward(self, maps: Tensor) -> Tensor:
        made = [self.entry(maps)]
        for node, (source, skip) in zip(self.nodes, self.wiring, strict=True):
            result = node(made[source])
            made.append(result if skip is None else result + made[skip])
        return cast("Tensor", made[-1])


def _operation(settings: Settings, width: int, node: CellNode) -> nn.Module:
    kernel = node.kernel
    match node.operation:
        case "max":
            return nn.MaxPool2d(kernel, stride=1, padding=kernel // 2)
        case "avg":
            return nn.AvgPool2d(kernel, stride=1, padding=kernel // 2, count_include_pad=False)
        case "separable":
            convolutions = [
                nn.Conv2d(width, width, kernel, padding=kernel // 2, groups=width, bias=False),
                nn.Conv2d(width, width, 1),
            ]
        case _:
            convolutions = [_convolution(width, width, kernel, 1)]
    return series(*convolutions, norm_of_channels(settings, width), activation(settings))


def _convolution(channels: int, filters: int, kernel: int, stride: int) -> nn.Conv2d:
    return nn.Conv2d(channels, filters, kernel, stride=stride, padding=kernel // 2)
