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
from typing import Any

from winnow_contract.errors import SettingError
from winnow_contract.models.net_forms import (
    ACTIVATIONS,
    KERNELS,
    LINEAR,
    MAX_NET_TEXT,
    MAX_UNITS,
    NORMS,
    OPERATIONS,
    REPLACED,
    CellNode,
    CnnNet,
    Encoder,
    Layer,
    MlpNet,
    Net,
    Stage,
    TransformerNet,
)

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

_LAYER = re.compile(r"(\d{1,4})((?::[a-z_]+){0,2})(?:\+(\d{1,2}))?", re.ASCII)
_NODE = re.compile(r"([a-z]+)(\d)(?:@(\d{1,2}))?(?:\+(\d{1,2}))?", re.ASCII)
_STAGE = re.compile(r"(\d{1,4})(?:/(\d))?", re.ASCII)
_ENCODER = re.compile(r"h(\d{1,3})(?:x(\d{1,4}))?", re.ASCII)
FORMS = "64-32-16 relu (MLP), conv3 max3@0 | 16 32/2 (CNN), or 32 | h2x64 h4 (Transformer)"


def read_net(text: str) -> Net:
    """The net that a text describes, in its canonical form.

    Raises:
        SettingError: naming the part that cannot be read and what is allowed.
    """
    _check_length(text)
    first, bar, rest = text.partition("|")
    if not bar:
        net: Net = _read_mlp(text)
    elif first.strip().isdecimal():
        net = TransformerNet(_units(first.strip()), tuple(map(_read_encoder, _parts(rest, text))))
    else:
        cell = tuple(_read_node(n, place) for place, n in enumerate(_parts(first, text)))
        net = CnnNet(cell, tuple(map(_read_stage, _parts(rest, text)))).canonical()
        _check_length(net.text)  # in another order, a cell may be longer
    return net


def _check_length(text: str) -> None:
    if len(text) > MAX_NET_TEXT:
        raise SettingError(
            f"architecture {text[:40]!r}... has {len(text)} characters, allowed are at most "
            f"{MAX_NET_TEXT}"
        )


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
    if read_net(net.text) != net.canonical():
        raise SettingError(f"architecture {net.text} has a number that is written as text")
    return net


def _read_mlp(text: str) -> MlpNet:
    layers, *common = text.split(" ")
    if text == LINEAR:
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


def _node_from_json(node: Mapping[str, Any], place: int) -> CellNode:
    read = CellNode(node["operation"], node["kernel"], node["input"], node.get("skip"))
    for number in (read.source, read.skip):
        if number is not None and (type(number) is not int or number < 0):
            raise SettingError(
                f"node {place + 1} of a cell reads node {number!r}, allowed are whole numbers from 0"
            )
    return _in_order(read, place)
