"""MLP: fully connected layers, each with its normalisation, activation and dropout."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import cast

from torch import Tensor, nn
from typing_extensions import override

from winnow_contract.models.nets import Layer, MlpNet
from winnow_trainer.architectures.description import Architecture, net_of
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
    layers, image = hidden_layers(architecture.settings), architecture.image
    size = features[0] if image is None else image.size
    if any(layer.skip for layer in layers):
        return SkipMlp(architecture, size, layers)
    blocks = _blocks(architecture.settings, size, layers)
    return series(
        nn.Flatten() if image is not None else None,
        *(module for block in blocks for module in block),
        nn.Linear(layers[-1].width if layers else size, architecture.outputs),
    )


class SkipMlp(nn.Module):
    """An MLP of which some layers add what an earlier one has given."""

    def __init__(self, architecture: Architecture, size: int, layers: tuple[Layer, ...]) -> None:
        super().__init__()
        blocks = _blocks(architecture.settings, size, layers)
        self.layers = nn.ModuleList(nn.Sequential(*block) for block in blocks)
        self.skips = tuple(layer.skip for layer in layers)
        self.head = nn.Linear(layers[-1].width, architecture.outputs)

    @override
    def forward(self, rows: Tensor) -> Tensor:
        given = [rows.flatten(1)]  # (rows, units) each
        for layer, skip in zip(self.layers, self.skips, strict=True):
            result = layer(given[-1])
            given.append(result + given[skip] if skip else result)
        return cast("Tensor", self.head(given[-1]))


def hidden_layers(settings: Settings) -> tuple[Layer, ...]:
    """The hidden layers: those of the searched net, else of widths, else of width and depth."""
    net = net_of(settings)
    if isinstance(net, MlpNet):
        return net.layers
    depth = whole(settings, "depth")
    widths = listed(settings, "widths") or (whole(settings, "width"),) * depth
    return tuple(Layer(width) for width in widths)


def _blocks(settings: Settings, size: int, layers: tuple[Layer, ...]) -> Iterator[list[nn.Module]]:
    """The modules of each hidden layer."""
    sizes = pairwise((size, *(layer.width for layer in layers)))
    for (inputs, units), layer in zip(sizes, layers, strict=True):
        own = {
            **settings,
            "activation": layer.activation or settings["activation"],
            "norm": layer.norm or settings["norm"],
        }
        modules = (
            nn.Linear(inputs, units),
            norm_of_units(own, units),
            activation(own),
            dropout(own),
        )
        yield [module for module in modules if module is not None]
