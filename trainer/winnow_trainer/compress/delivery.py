"""A finished model as it is handed over: the bytes of its ONNX graph, and its torch form.

The torch form says what the graph must compute; how far ONNX Runtime may be from it is stated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from winnow_trainer.architectures import Model
from winnow_trainer.export import FLOAT_TOLERANCE, export_onnx


@dataclass(frozen=True, slots=True)
class Delivery:
    """What is served, and what it must compute."""

    content: bytes
    """Of model.onnx."""
    run: Callable[[Tensor], Tensor]
    """The torch form: outputs (rows, outputs) of raw rows, on the CPU."""
    tolerance: Mapping[str, float]
    """How far outputs may differ: absolute, and relative to the largest output."""
    is_integer: bool
    """Whether its weights are integers, which no model.safetensors holds."""


@dataclass(frozen=True, slots=True)
class Quantized:
    """What a quantize step has made: always the last of a chain."""

    delivery: Delivery
    report: Mapping[str, Any]
    """Numbers and sentences for the manifest, JSON."""
    claims: Mapping[str, Any]
    """What must be true of it: integerLayers, excluded, smallerThanParent."""


def deliver(model: Model, rows: Tensor) -> Delivery:
    """Export a model of 32 bits.

    Args:
        model: on the CPU, in evaluation mode.
        rows: some raw rows.
    """
    content = export_onnx(model, rows.cpu())
    return Delivery(content, torch.no_grad()(model), FLOAT_TOLERANCE, is_integer=False)
