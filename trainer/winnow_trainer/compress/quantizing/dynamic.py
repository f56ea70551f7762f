"""Dynamic quantization of linear layers: weights are integers, activations become so on the fly.

The range of a layer's input is that of the rows that are sent together, so there is nothing to
calibrate, and an answer depends a little on what it is asked with. ONNX Runtime's own tool writes
the graph; the torch form beside it computes the same.
"""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import onnx
import torch
from onnx import numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn
from typing_extensions import override

from winnow_trainer.architectures import Model
from winnow_trainer.compress.quantizing.quantization import Asked, Found, found
from winnow_trainer.compress.quantizing.quantizer import WEIGHT_MOST
from winnow_trainer.compress.quantizing.sensitivity import damage_of, one_by_one, search
from winnow_trainer.export import export_onnx
from winnow_trainer.quiet import quiet
from winnow_trainer.training import EVALUATION_ROWS

ACTIVATION_MOST = 255
PRODUCTS = ("Gemm", "MatMul")
AS_PRODUCT = "_MatMul"
"""What the tool adds to the name of a Gemm when it makes a product and a sum of it."""
OWN_LOGGER = ""
"""The tool advises over the root logger to optimise the graph before, which torch has done."""

DEPENDS_ON_REQUEST = (
    "Ranges of activations are those of the rows of one request, so that an answer depends a little "
    "on the rows that are sent with it."
)


class DynamicLinear(nn.Module):
    """A linear layer of integer weights, seven bits as in `quantizer`; its input is rounded anew."""

    weight: Tensor
    unit: Tensor
    bias: Tensor

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        largest = layer.weight.detach().abs().amax(1, keepdim=True)  # (outputs, 1)
        unit = torch.where(largest > 0, largest / WEIGHT_MOST, 1)
        self.register_buffer("weight", torch.round(layer.weight.detach() / unit))
        self.register_buffer("unit", unit[:, 0])
        bias = layer.bias.detach() if layer.bias is not None else torch.zeros_like(self.unit)
        self.register_buffer("bias", bias)

    @override
    def forward(self, values: Tensor) -> Tensor:
        low, high = values.min().clamp(max=0), values.max().clamp(min=0)
        unit = (high - low) / ACTIVATION_MOST
        unit = torch.where(unit > 0, unit, 1)
        zero = torch.round(-low / unit).clamp(0, ACTIVATION_MOST)
        whole = (torch.round(values / unit) + zero).clamp(0, ACTIVATION_MOST) - zero
        return nn.functional.linear(whole, self.weight) * (unit * self.unit) + self.bias


def dynamic(asked: Asked) -> Found:
    """Quantize the linear layers of a model as it is.

    Raises:
        TrialError: if an output is not finite.
        Stopping: when the watch says so.
    """
    workshop = asked.workshop
    rows = workshop.training.features[:EVALUATION_ROWS]

    def attempt(excluded: Sequence[str]) -> tuple[Model, float]:
        workshop.watch.before_batch()
        model = with_dynamic_layers(asked.model, asked.without(tuple(excluded)))
        return model, workshop.quality(model)[0]

    def damages(_: tuple[Model, float]) -> dict[str, float]:
        return _damages(asked.model, asked.without(()), rows)

    ended = search(attempt, lambda made: made[1], damages, asked.limit, one_by_one)
    plain = copy.deepcopy(asked.model).cpu().eval()
    content = dynamic_graph(plain, asked.without(ended.excluded), rows.cpu())
    run = torch.no_grad()(ended.made[0].cpu().eval())
    return found(ended, run, content, DEPENDS_ON_REQUEST)


def with_dynamic_layers(model: Model, layers: Collection[str]) -> Model:
    """A copy of a model with some linear layers dynamic.

    Raises:
        TypeError: if one of them is another kind of layer.
    """
    made = copy.deepcopy(model).eval()
    for name in layers:
        layer = made.get_submodule(name)
        if not isinstance(layer, nn.Linear):
            raise TypeError(f"{name} is no linear layer")
        made.set_submodule(name, DynamicLinear(layer))
    return made


@torch.no_grad()
def _damages(model: Model, layers: Collection[str], rows: Tensor) -> dict[str, float]:
    wanted = model(rows)
    return {layer: damage_of(with_dynamic_layers(model, [layer])(rows), wanted) for layer in layers}


def dynamic_graph(model: Model, layers: Collection[str], rows: Tensor) -> bytes:
    """The ONNX graph of a model with some linear layers dynamic.

    Args:
        model: on the CPU, in evaluation mode, without batch norms.
        layers: their names.
        rows: some raw rows.
    """
    plain = onnx.load_from_string(export_onnx(model, rows))
    nodes = _nodes_of(plain.graph, model, layers)
    with tempfile.TemporaryDirectory(prefix="winnow-dynamic-") as folder, quiet(OWN_LOGGER):
        path = Path(folder) / "model.onnx"
        quantize_dynamic(
            plain,
            path,
            op_types_to_quantize=list(PRODUCTS),
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
            nodes_to_quantize=nodes,
        )
        made = onnx.load(path)
    del made.graph.value_info[:]
    onnx.checker.check_model(made)
    return bytes(made.SerializeToString(deterministic=True))


def _nodes_of(graph: onnx.GraphProto, model: Model, layers: Collection[str]) -> list[str]:
    """Names of the products that compute some layers; they are known by their weights."""
    tensors: dict[str, Any] = {
        tensor.name: torch.from_numpy(numpy_helper.to_array(tensor).copy())
        for tensor in graph.initializer
    }
    weights = [model.get_submodule(layer).get_parameter("weight") for layer in layers]
    return [
        node.name + AS_PRODUCT * (node.op_type == "Gemm")
        for node in graph.node
        if node.op_type in PRODUCTS
        and node.input[1] in tensors
        and any(_is_same(tensors[node.input[1]], weight) for weight in weights)
    ]


def _is_same(tensor: Tensor, weight: Tensor) -> bool:
    """Whether a tensor is a weight, or the same one turned round."""
    return any(
        tensor.shape == form.shape and torch.equal(tensor, form) for form in (weight, weight.T)
    )
