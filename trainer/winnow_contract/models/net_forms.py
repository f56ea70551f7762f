"""What a net is: its layers, nodes and stages, and how they are written as text and as JSON.

How a text is read, `nets` says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from winnow_contract.models.families import CNN, MLP, TRANSFORMER

ACTIVATIONS = ("relu", "gelu", "tanh", "silu", "elu", "leaky_relu", "sigmoid")
NORMS = ("none", "batch", "layer")
"""A net without a word has none, or what the setting `norm` says."""
OPERATIONS = ("conv", "separable", "max", "avg")
"""Of a cell's node: convolution, depthwise separable convolution, greatest of and mean of."""
REPLACED: Mapping[str, frozenset[str]] = {
    MLP: frozenset({"depth", "width", "widths"}),
    CNN: frozenset({"depth", "width", "channels", "kernel", "pooling"}),
    TRANSFORMER: frozenset({"depth", "width", "heads"}),
}
"""Settings that have no say in any net of a family."""
MAX_NET_TEXT = 256
"""Characters of a net's text: a Trial records it as the value of one parameter."""
MAX_UNITS = 4096
KERNELS: Mapping[str, tuple[int, ...]] = {
    "conv": (1, 3, 5, 7, 9),
    **dict.fromkeys(OPERATIONS[1:], (3, 5, 7, 9)),
}
"""Kernels of each operation; with 1 the others would do nothing, or what a conv does."""
LINEAR = "linear"
"""Text of an MLP without hidden layers."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A hidden layer of an MLP."""

    width: int
    activation: str = ""
    """Empty: as the setting `activation` says."""
    norm: str = ""
    """Empty: as the setting `norm` says, which is none where norms are searched."""
    skip: int = 0
    """Number of an earlier layer, from 1, whose outputs are added to its own; 0: none."""


@dataclass(frozen=True, slots=True)
class MlpNet:
    """Hidden layers of an MLP."""

    layers: tuple[Layer, ...]
    family = MLP

    @property
    def replaces(self) -> frozenset[str]:
        """Settings that have no say in it."""
        own = {
            name
            for name in ("activation", "norm")
            if self.layers and all(getattr(layer, name) for layer in self.layers)
        }
        return REPLACED[self.family] | own

    @property
    def text(self) -> str:
        """The canonical text."""
        if not self.layers:
            return LINEAR
        words = {(layer.activation, layer.norm) for layer in self.layers}
        if len(words) > 1:
            return "-".join(_layer_text(layer, _words(layer)) for layer in self.layers)
        plain = "-".join(_layer_text(layer, []) for layer in self.layers)
        return " ".join([plain, *_words(self.layers[0])])

    def to_json(self) -> dict[str, Any]:
        """As JSON; what a layer leaves to the settings is not there."""
        return {"family": self.family, "layers": [_filled(_layer_json(one)) for one in self.layers]}

    def canonical(self) -> MlpNet:
        """Itself: two lists of layers are two functions."""
        return self


@dataclass(frozen=True, slots=True)
class CellNode:
    """An operation in the cell of a CNN."""

    operation: str
    kernel: int
    source: int
    """What it reads: an earlier node, from 1, or 0 for what enters the cell."""
    skip: int | None = None
    """What is added to its result, an earlier node or 0; None: nothing."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One cell in its place."""

    width: int
    """Channels."""
    stride: int = 1
    """In which it begins; 2 halves the image."""


@dataclass(frozen=True, slots=True)
class CnnNet:
    """A cell, whose last node is what it gives, and the stages that are made of it."""

    cell: tuple[CellNode, ...]
    stages: tuple[Stage, ...]
    family = CNN

    @property
    def replaces(self) -> frozenset[str]:
        """Settings that have no say in it."""
        return REPLACED[self.family]

    @property
    def text(self) -> str:
        """The canonical text."""
        net = self.canonical()
        nodes = " ".join(_node_text(node, place) for place, node in enumerate(net.cell))
        return f"{nodes} | {' '.join(_stage_text(stage) for stage in net.stages)}"

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "family": self.family,
            "cell": [_node_json(node) for node in self.cell],
            "stages": [{"width": stage.width, "stride": stage.stride} for stage in self.stages],
        }

    def canonical(self) -> CnnNet:
        """The same function: nodes that the last one does not need are gone, the others in order.

        Each node is numbered once all that it reads is, what it works on before what is added. As
        what a node reads is told apart, two cells that do the same get the same numbers.
        """
        numbers = {0: 0}
        nodes: list[CellNode] = []

        def number(place: int) -> int:
            if place not in numbers:
                node = self.cell[place - 1]
                source = number(node.source)
                skip = None if node.skip is None else number(node.skip)
                nodes.append(CellNode(node.operation, node.kernel, source, skip))
                numbers[place] = len(nodes)
            return numbers[place]

        number(len(self.cell))
        return CnnNet(tuple(nodes), self.stages)


@dataclass(frozen=True, slots=True)
class Encoder:
    """A layer of a Transformer."""

    heads: int
    hidden: int = 0
    """Units of its feed-forward part; 0: as the setting `feedforward` says."""


@dataclass(frozen=True, slots=True)
class TransformerNet:
    """Layers over tokens of one width."""

    width: int
    layers: tuple[Encoder, ...]
    family = TRANSFORMER

    @property
    def replaces(self) -> frozenset[str]:
        """Settings that have no say in it."""
        own = {"feedforward"} if all(layer.hidden for layer in self.layers) else set()
        return REPLACED[self.family] | own

    @property
    def text(self) -> str:
        """The canonical text."""
        return f"{self.width} | {' '.join(_encoder_text(layer) for layer in self.layers)}"

    def to_json(self) -> dict[str, Any]:
        """As JSON; what a layer leaves to the settings is not there."""
        layers = [_filled({"heads": one.heads, "hidden": one.hidden}) for one in self.layers]
        return {"family": self.family, "width": self.width, "layers": layers}

    def canonical(self) -> TransformerNet:
        """Itself: two lists of layers are two functions."""
        return self


Net = MlpNet | CnnNet | TransformerNet


def _words(layer: Layer) -> list[str]:
    return [word for word in (layer.activation, layer.norm) if word]


def _layer_text(layer: Layer, words: list[str]) -> str:
    skip = f"+{layer.skip}" if layer.skip else ""
    return ":".join([str(layer.width), *words]) + skip


def _layer_json(layer: Layer) -> dict[str, Any]:
    return {
        "width": layer.width,
        "activation": layer.activation,
        "norm": layer.norm,
        "skip": layer.skip,
    }


def _filled(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}


def _node_text(node: CellNode, place: int) -> str:
    source = "" if node.source == place else f"@{node.source}"
    skip = "" if node.skip is None else f"+{node.skip}"
    return f"{node.operation}{node.kernel}{source}{skip}"


def _node_json(node: CellNode) -> dict[str, Any]:
    document = {"operation": node.operation, "kernel": node.kernel, "input": node.source}
    return document if node.skip is None else {**document, "skip": node.skip}


def _stage_text(stage: Stage) -> str:
    return str(stage.width) if stage.stride == 1 else f"{stage.width}/{stage.stride}"


def _encoder_text(layer: Encoder) -> str:
    return f"h{layer.heads}x{layer.hidden}" if layer.hidden else f"h{layer.heads}"
