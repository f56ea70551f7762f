"""Batch norms folded into the layers before them, dropout left out: a model as it is served.

A layer and the batch norm after it compute one linear function. Integers are found for that one
function, so it is made before a model is quantized, and quantization-aware training trains it: its
normalisation is frozen from the start, as "Quantizing deep convolutional networks for efficient
inference" (arXiv 1806.08342) has it for the last part of a training.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from winnow_trainer.architectures import Model
from winnow_trainer.export import traced_rows

NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


def folded(model: Model, rows: Tensor) -> Model:
    """The same function with fewer layers; the model given stays as it is.

    Args:
        model: of any family.
        rows: some raw rows on its device, by which it is found out what follows what.
    """
    made = copy.deepcopy(model).eval()
    for layer, norm in _pairs(made, rows).items():
        fused = _fused(made.get_submodule(layer), made.get_submodule(norm))
        made.set_submodule(layer, fused)
        made.set_submodule(norm, nn.Identity())
    for name, module in list(made.named_modules()):
        if isinstance(module, nn.Dropout):
            made.set_submodule(name, nn.Identity())
    return made


def _pairs(model: nn.Module, rows: Tensor) -> dict[str, str]:
    """The batch norm that reads the outputs of a layer, by the name of the layer."""
    made_by: dict[int, str] = {}
    kept: list[Tensor] = []  # an output that lives on has an id of its own
    pairs: dict[str, str] = {}
    hooks = []
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear | nn.Conv2d):

            def note(_: nn.Module, __: Any, output: Tensor, name: str = name) -> None:
                made_by[id(output)] = name
                kept.append(output)

            hooks.append(module.register_forward_hook(note))
        elif isinstance(module, NORMS):

            def look(_: nn.Module, inputs: tuple[Tensor, ...], name: str = name) -> None:
                layer = made_by.get(id(inputs[0]))
                if layer is not None:
                    pairs[layer] = name

            hooks.append(module.register_forward_pre_hook(look))
    with torch.no_grad():
        model(*traced_rows(rows))
    for hook in hooks:
        hook.remove()
    return pairs


def _fused(layer: nn.Module, norm: nn.Module) -> nn.Module:
    if isinstance(layer, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
        return fuse_conv_bn_eval(layer, norm)
    if isinstance(layer, nn.Linear) and isinstance(norm, nn.BatchNorm1d):
        return fuse_linear_bn_eval(layer, norm)
    raise TypeError(f"{type(norm).__name__} cannot be folded into {type(layer).__name__}")
