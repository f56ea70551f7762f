"""What a model is made of: its linear layers and convolutions, its output, its attention."""

from __future__ import annotations

from enum import StrEnum

from torch import nn

from winnow_trainer.architectures.transformer import Attention


class LayerKind(StrEnum):
    """Layers that hold nearly all of a model's parameters and work; named as a quantize step names them."""

    LINEAR = "Linear"
    CONVOLUTION = "Convolution"


def compute_layers(model: nn.Module) -> dict[str, LayerKind]:
    """Every linear layer and convolution by its name, in the order of the model."""
    kinds = {name: _kind(module) for name, module in model.named_modules()}
    return {name: kind for name, kind in kinds.items() if kind is not None}


def output_layer(model: nn.Module) -> str:
    """The name of the linear layer that gives the outputs; its outputs are never cut."""
    return list(compute_layers(model))[-1]


def attentions(model: nn.Module) -> dict[str, Attention]:
    """Every attention by its name; its heads are cut as wholes."""
    return {name: module for name, module in model.named_modules() if isinstance(module, Attention)}


def _kind(module: nn.Module) -> LayerKind | None:
    if isinstance(module, nn.Linear):
        return LayerKind.LINEAR
    return LayerKind.CONVOLUTION if isinstance(module, nn.Conv2d) else None
