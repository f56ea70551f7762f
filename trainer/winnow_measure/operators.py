"""Which kernels ONNX Runtime really executes for a model, by its own record of a run.

The file says what was asked for; the runtime fuses, folds and may fall back to float without a
word. So a run is recorded (profiling), and its kernels are counted.

A matrix product counts as a layer (Linear) if one side is a weight. The record shows neither
names nor weights, but sizes: a weight is a parameter, or packed beforehand and no input any more.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from winnow_contract.steps.chains import LAYERS
from winnow_runtime.artifacts import Tensor
from winnow_runtime.errors import ModelError
from winnow_runtime.sessions import Session

__all__ = ["Operators", "executed_operators"]

LINEAR, CONVOLUTION = LAYERS
INTEGER_KERNELS = {
    "QLinearConv": CONVOLUTION,
    "ConvInteger": CONVOLUTION,
    "QGemm": LINEAR,
    "QLinearMatMul": LINEAR,
    "MatMulInteger": LINEAR,
    "MatMulIntegerToFloat": LINEAR,
    "DynamicQuantizeMatMul": LINEAR,
    "QAttention": LINEAR,
}
FLOAT_KERNELS = {
    "Conv": CONVOLUTION,
    "FusedConv": CONVOLUTION,
    "NhwcFusedConv": CONVOLUTION,
    "ConvTranspose": CONVOLUTION,
    "Gemm": LINEAR,
    "FusedGemm": LINEAR,
    "MatMul": LINEAR,
    "FusedMatMul": LINEAR,
    "Attention": LINEAR,
    "MultiHeadAttention": LINEAR,
    # Weights of 4 bits, but the products are computed in float.
    "MatMulNBits": LINEAR,
}
_BOTH_SIDES = 2


@dataclass(frozen=True, slots=True)
class Operators:
    """The kernels of one run."""

    counts: Mapping[str, int]
    """How often each kernel runs, by its name."""
    integer: Mapping[str, int]
    """Layers in integer kernels by kind, Linear and Convolution."""
    floating: Mapping[str, int]
    """Layers in float kernels by kind."""
    products: int = 0
    """Products of two activations in float kernels (attention): no layers."""

    @property
    def quantized_share(self) -> float:
        """Share of all convolutions and matrix products that run in integer kernels."""
        integer = sum(self.integer.values())
        total = integer + sum(self.floating.values()) + self.products
        return integer / total if total else 0.0


def executed_operators(path: Path, threads: int, rows: Tensor) -> Operators:
    """Run a model once under the runtime's record, and count.

    Raises:
        ModelError: if it cannot be run.
    """
    with tempfile.TemporaryDirectory(prefix="winnow-profile-") as folder:
        session = Session(path, threads, profile_into=Path(folder))
        session.run(rows)
        events = json.loads(session.end_profiling().read_bytes())
    kernels = [event["args"] for event in events if _is_kernel(event)]
    if not kernels:
        raise ModelError(
            "CannotRun", "ONNX Runtime recorded no kernels: the model has no operators"
        )
    return count_operators(kernels)


def _is_kernel(event: Mapping[str, Any]) -> bool:
    return event.get("cat") == "Node" and str(event.get("name", "")).endswith("_kernel_time")


def count_operators(kernels: Sequence[Mapping[str, Any]]) -> Operators:
    """Count the recorded kernels, each an event's `args`."""
    names = [str(kernel.get("op_name")) for kernel in kernels]
    floating = [k for k in kernels if k.get("op_name") in FLOAT_KERNELS]
    layers = [str(k.get("op_name")) for k in floating if not _is_product_of_activations(k)]
    return Operators(
        counts=dict(sorted(Counter(names).items())),
        integer=_by_kind(names, INTEGER_KERNELS),
        floating=_by_kind(layers, FLOAT_KERNELS),
        products=len(floating) - len(layers),
    )


def _by_kind(names: Iterable[str], kernels: Mapping[str, str]) -> dict[str, int]:
    counted = Counter(kernels[name] for name in names if name in kernels)
    return {kind: counted[kind] for kind in LAYERS if counted[kind]}


def _is_product_of_activations(kernel: Mapping[str, Any]) -> bool:
    has_two = len(kernel.get("input_type_shape", ())) >= _BOTH_SIDES
    is_matmul = kernel.get("op_name") in {"MatMul", "FusedMatMul"}
    return is_matmul and has_two and str(kernel.get("parameter_size", "0")) == "0"
