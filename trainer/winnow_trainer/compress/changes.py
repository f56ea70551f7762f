"""Whether a step has done what it is for, as far as torch can see: no silent no-op goes on.

What the serving runtime makes of a graph, only the measuring pod can see.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from winnow_contract.steps.chains import DISTILL, PRUNE
from winnow_trainer.architectures import Model
from winnow_trainer.compress.pruning.masks import masks_of, zero_share
from winnow_trainer.errors import TrialError


def check_change(before: Model, after: Model, kind: str, options: Mapping[str, Any]) -> None:
    """Refuse a step that left things as they were.

    Args:
        before: the model that the step was given.
        after: what it has made of it.
        kind: of the step.
        options: of the resolved step.

    Raises:
        TrialError: with cause NothingChanged.
    """
    if fault := _fault(before, after, kind, options):
        raise TrialError("NothingChanged", f"{kind} changed nothing: {fault}")


def check_integers(content: bytes) -> None:
    """Refuse a quantized graph in which every weight still has 32 bits.

    Args:
        content: of model.onnx.

    Raises:
        TrialError: with cause NothingChanged.
    """
    # Imported here, because only a chain with a quantize step needs it.
    import onnx

    weights = [w for w in onnx.load_from_string(content).graph.initializer if len(w.dims) > 1]
    integers = {onnx.TensorProto.INT8, onnx.TensorProto.UINT8}
    if not any(weight.data_type in integers for weight in weights):
        raise TrialError(
            "NothingChanged",
            f"quantize changed nothing: none of the {len(weights)} weight tensors of the graph "
            "has 8 bits",
        )


def _fault(before: Model, after: Model, kind: str, options: Mapping[str, Any]) -> str | None:
    had, has = before.parameter_count, after.parameter_count
    is_smaller = has < had
    if kind == PRUNE and options["unit"] == "Neuron":
        same = f"the model has {has} parameters as before, so that nothing was cut out"
        return None if is_smaller else same
    if kind == PRUNE:
        gone = zero_share(masks_of(after))
        same = f"{gone:.1%} of the weights are zero, as before"
        return None if gone > zero_share(masks_of(before)) else same
    if kind == DISTILL and options["student"] is not None and not is_smaller:
        return f"the student has {has} parameters, its teacher {had}"
    return "every parameter of the model is as before" if _is_same(before, after) else None


def _is_same(before: Model, after: Model) -> bool:
    # Not the statistics of a batch norm: a forward pass alone changes them.
    mine, other = dict(before.named_parameters()), dict(after.named_parameters())
    return mine.keys() == other.keys() and all(
        tensor.shape == other[name].shape and torch.equal(tensor, other[name])
        for name, tensor in mine.items()
    )
