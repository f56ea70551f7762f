"""The parts of a model in rows of interchangeable ones: hidden layers, blocks of a stage, encoders.

A model is rows of parts, one after the other. Parts of a row may be left out or repeated, and the
model is still one of its family; what there is once (a stem, the output) is a row of one part.

MLP, CNN      hidden layers | output
              of a searched CNN: stages | output
ResNet        stem | blocks of a stage | blocks of the next stage | ... | output
Transformer   embedding and positions | encoder layers | last normalisation and output
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from torch import nn

from winnow_trainer.architectures.cells import CellNetwork
from winnow_trainer.architectures.mlp import SkipMlp
from winnow_trainer.architectures.model import Model
from winnow_trainer.architectures.resnet import BasicBlock, ResNet
from winnow_trainer.architectures.sizes import SIZED
from winnow_trainer.architectures.transformer import Transformer

Part = Mapping[str, str]
"""Names of its modules with parameters, by what they are in every part of that row."""

Rows = Sequence[Sequence[Part]]
_Names = Sequence[Sequence[Sequence[str]]]


def parts_of(model: Model) -> Rows:
    """The rows of a model's parts."""
    match model.body:
        case ResNet():
            names = _of_resnet(model.body)
        case Transformer():
            names = _of_transformer(model.body)
        case SkipMlp():
            names = _of_skip_mlp(model.body)
        case CellNetwork():
            stages = range(len(model.body.stages))
            names = [[(f"body.stages.{place}",) for place in stages], [("body.head",)]]
        case _:
            names = _of_sequence(model.body)
    return [[_part(model, prefixes) for prefixes in row] for row in names]


def _of_sequence(body: nn.Module) -> _Names:
    hidden: list[tuple[str, ...]] = []
    for name, module in body.named_children():
        if isinstance(module, nn.Linear | nn.Conv2d):
            hidden.append((f"body.{name}",))
        elif isinstance(module, SIZED):
            hidden[-1] = (*hidden[-1], f"body.{name}")
    return [hidden[:-1], hidden[-1:]]


def _of_skip_mlp(body: SkipMlp) -> _Names:
    # One by one, so that a layer has the same parts as in an MLP without skips.
    hidden = [
        tuple(
            f"body.layers.{place}.{name}"
            for name, module in layer.named_children()
            if isinstance(module, SIZED)
        )
        for place, layer in enumerate(body.layers)
    ]
    return [hidden, [("body.head",)]]


def _of_resnet(body: ResNet) -> _Names:
    stages = [
        [(f"body.stages.{place}.{name}",) for name, _ in stage.named_children()]
        if any(isinstance(module, BasicBlock) for module in stage.children())
        else [(f"body.stages.{place}",)]
        for place, stage in enumerate(body.stages)
    ]
    return [[("body.stem",)], *stages, [("body.head",)]]


def _of_transformer(body: Transformer) -> _Names:
    layers = [(f"body.layers.{name}",) for name, _ in body.layers.named_children()]
    first = ("body.embed", "body.class_token", "body.positions")
    return [[first], layers, [("body.norm", "body.head")]]


def _part(model: Model, prefixes: Sequence[str]) -> Part:
    return dict(
        role for place, prefix in enumerate(prefixes) for role in _roles(model, place, prefix)
    )


def _roles(model: Model, place: int, prefix: str) -> Iterator[tuple[str, str]]:
    for name, module in model.get_submodule(prefix).named_modules(prefix=prefix):
        if isinstance(module, SIZED):
            yield f"{place}{name.removeprefix(prefix)}", name
