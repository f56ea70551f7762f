"""Nets: architectures that a search finds, as one line of text and as JSON.

The text is what a Trial records and what the setting `architecture` takes; the JSON is what an image
of the user's own gets beside it. Both say the same, and each function has one canonical text.

MLP           64-32-16                units of each hidden layer
              64-32-16 relu batch     activation and normalisation of all of them
              64:relu-64:tanh:batch+1 each its own; +1 adds what layer 1 has given; `linear` is none
CNN           conv3 max3@0 conv3+1 | 16 32/2
              nodes of a cell: operation and kernel, @ the node that it reads where that is not the
              one before it (0 is what enters the cell), + a node that is added to what it gives;
              then the stages, each one cell: channels, and / the stride in which it begins
Transformer   32 | h2x64 h4x64        numbers of a token | heads, and x hidden units, of each layer
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from winnow_contract.errors import SettingError
from winnow_contract.families import CNN, MLP, TRANSFORMER

__all__ = [
    "ACTIVATIONS",
    "FORMS",
    "KERNELS",
    "MAX_NET_TEXT",
    "MAX_UNITS",
    "NORMS",
    "OPERATIONS",
    "REPLACED",
    "CellNode",
    "CnnNet",
    "Encoder",
    "Layer",
    "MlpNet",
    "Net",
    "Stage",
    "TransformerNet",
    "net_from_json",
    "read_net",
]

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
_LINEAR = "linear"
_LAYER = re.compile(r"(\d{1,4})((?::[a-z_]+){0,2})(?:\+(\d{1,2}))?", re.ASCII)
_NODE = re.compile(r"([a-z]+)(\d)(?:@(\d{1,2}))?(?:\+(\d{1,2}))?", re.ASCII)
_STAGE = re.compile(r"(\d{1,4})(?:/(\d))?", re.ASCII)
_ENCODER = re.compile(r"h(\d{1,3})(?:x(\d{1,4}))?", re.ASCII)
FORMS = "64-32-16 relu (MLP), conv3 max3@0 | 16 32/2 (CNN), or 32 | h2x64 h4 (Transformer)"


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
            return _LINEAR
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


def read_net(text: str) -> Net:
    """The net that a text describes, in its canonical form.

    Raises:
        SettingError: naming the part that cannot be read and what is allowed.
    """
    if len(text) > MAX_NET_TEXT:
        raise SettingError(
            f"architecture {text[:40]!r}... has {len(text)} characters, allowed are at most "
            f"{MAX_NET_TEXT}"
        )
    first, bar, rest = text.partition("|")
    if not bar:
        net: Net = _read_mlp(text)
    elif first.strip().isdecimal():
        net = TransformerNet(_units(first.strip()), tuple(map(_read_encoder, _parts(rest, text))))
    else:
        cell = tuple(_read_node(n, place) for place, n in enumerate(_parts(first, text)))
        net = CnnNet(cell, tuple(map(_read_stage, _parts(rest, text))))
    return net.canonical()


def net_from_json(document: Mapping[str, Any]) -> Net:
    """The net of a JSON object that `to_json` wrote, as it stands there.

    Raises:
        SettingError: if a value is not allowed.
        KeyError, TypeError, ValueError: if it is something else.
    """
    match document["family"]:
        case "MLP":
            layers = (Layer(**layer) for layer in document["layers"])
            net: Net = MlpNet(tuple(layers))
        case "CNN":
            cell = tuple(_node_from_json(n, place) for place, n in enumerate(document["cell"]))
            net = CnnNet(cell, tuple(Stage(**stage) for stage in document["stages"]))
        case "Transformer":
            encoders = tuple(Encoder(**layer) for layer in document["layers"])
            net = TransformerNet(document["width"], encoders)
        case family:
            raise SettingError(f"family {family!r} has no nets, allowed: MLP, CNN, Transformer")
    read_net(net.text)
    return net


def _read_mlp(text: str) -> MlpNet:
    layers, *common = text.split(" ")
    if text == _LINEAR:
        return MlpNet(())
    activation, norm = _read_words(common, text)
    read = tuple(_read_layer(part, place, text) for place, part in enumerate(layers.split("-")))
    if common and any(layer.activation or layer.norm for layer in read):
        raise _fault(text, "names words of single layers and of all of them")
    if common:
        read = tuple(Layer(one.width, activation, norm, one.skip) for one in read)
    for layer in read:
        if layer.skip and read[layer.skip - 1].width != layer.width:
            raise _fault(text, f"adds layer {layer.skip} to one of another width")
    return MlpNet(read)


def _read_layer(part: str, place: int, text: str) -> Layer:
    found = _LAYER.fullmatch(part)
    if found is None:
        raise _fault(text, f"has the layer {part!r}")
    width, words, skip = found.groups()
    if skip is not None and not 1 <= int(skip) <= place:
        raise _fault(text, f"adds layer {skip} to layer {place + 1}")
    return Layer(_units(width), *_read_words(words.split(":")[1:], text), int(skip or 0))


def _read_words(words: Sequence[str], text: str) -> tuple[str, str]:
    activation = next((word for word in words if word in ACTIVATIONS), "")
    norm = next((word for word in words if word in NORMS[1:]), "")
    if list(words) != [word for word in (activation, norm) if word]:
        allowed = f"{', '.join(ACTIVATIONS)}, then {', '.join(NORMS[1:])}"
        raise _fault(text, f"has the words {' '.join(words)!r}, allowed are one of {allowed}")
    return activation, norm


def _read_node(part: str, place: int) -> CellNode:
    found = _NODE.fullmatch(part)
    operation, kernel, source, skip = found.groups() if found else ("", "0", None, None)
    if int(kernel) not in KERNELS.get(operation, ()):
        raise SettingError(
            f"a cell has the node {part!r}, allowed are an operation ({', '.join(OPERATIONS)}) with a "
            "kernel of 3, 5, 7 or 9, conv with 1 too, then @ and + with earlier nodes: conv3@0+1"
        )
    return _in_order(
        CellNode(
            operation,
            int(kernel),
            place if source is None else int(source),
            None if skip is None else int(skip),
        ),
        place,
    )


def _in_order(node: CellNode, place: int) -> CellNode:
    late = max(node.source, node.skip or 0)
    if late > place:
        raise SettingError(f"node {place + 1} of a cell reads node {late}, which is no earlier one")
    return node


def _read_stage(part: str) -> Stage:
    found = _STAGE.fullmatch(part)
    if found is None or found[2] not in {None, "1", "2"}:
        raise SettingError(f"a CNN has the stage {part!r}, allowed are channels as 16, or 32/2")
    return Stage(_units(found[1]), int(found[2] or 1))


def _read_encoder(part: str) -> Encoder:
    found = _ENCODER.fullmatch(part)
    if found is None or int(found[1]) < 1:
        raise SettingError(f"a Transformer has the layer {part!r}, allowed are h2 or h2x64")
    return Encoder(int(found[1]), _units(found[2]) if found[2] else 0)


def _parts(text: str, whole: str) -> list[str]:
    parts = text.split()
    if not parts:
        raise _fault(whole, "lacks a part beside |")
    return parts


def _units(text: str) -> int:
    number = int(text)
    if not 1 <= number <= MAX_UNITS:
        raise SettingError(f"a net has the width {number}, allowed are 1 to {MAX_UNITS}")
    return number


def _fault(text: str, what: str) -> SettingError:
    return SettingError(f"architecture {text[:60]!r} {what}; a net is written as {FORMS}")


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


def _node_from_json(node: Mapping[str, Any], place: int) -> CellNode:
    read = CellNode(node["operation"], node["kernel"], node["input"], node.get("skip"))
    return _in_order(read, place)


def _stage_text(stage: Stage) -> str:
    return str(stage.width) if stage.stride == 1 else f"{stage.width}/{stage.stride}"


def _encoder_text(layer: Encoder) -> str:
    return f"h{layer.heads}x{layer.hidden}" if layer.hidden else f"h{layer.heads}"
