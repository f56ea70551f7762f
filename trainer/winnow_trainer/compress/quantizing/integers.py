"""From a simulation to the graph that is served: integer weights, integer kernels.

The graph says where integers are (QuantizeLinear, DequantizeLinear); ONNX Runtime makes integer
kernels of it. For a linear layer it does so only if the bias is an integer too, so it is made one:
of 32 bits, in the unit of the products that it is added to, where nothing is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import helper, numpy_helper
from torch import Tensor
from torch.fx import GraphModule, Node
from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e

from winnow_trainer.compress.quantizing.quantizer import layer_of
from winnow_trainer.compress.quantizing.simulation import Simulation
from winnow_trainer.export import any_rows, export_onnx, traced_rows

Numbers = npt.NDArray[Any]
BIAS = 2
"""Place of the bias among the inputs of a layer."""
PER_TENSOR = frozenset({torch.ops.quantized_decomposed.dequantize_per_tensor.default})
PER_CHANNEL = frozenset({torch.ops.quantized_decomposed.dequantize_per_channel.default})
MOST = 2**31 - 1
UNIT_OF_ZEROS = 2**-16
LARGEST = torch.finfo(torch.float32).max


def integer_graph(simulation: Simulation, rows: Tensor) -> tuple[Callable[[Tensor], Tensor], bytes]:
    """What a simulation computes, as a torch function on the CPU, and as an ONNX file.

    Args:
        simulation: is used up.
        rows: some raw rows.
    """
    graph = convert_pt2e(simulation.graph.cpu())
    _round_biases(graph)
    _shield_floats(graph)
    program = torch.export.export(graph, traced_rows(rows.cpu()), dynamic_shapes=any_rows())
    return torch.no_grad()(graph), with_integer_biases(export_onnx(program, rows.cpu()))


def _shield_floats(graph: GraphModule) -> None:
    """Put a limit that nothing reaches before each layer that stays in 32 bits.

    ONNX Runtime takes a layer that stands between integers for a forgotten one and makes its
    weights integer too, with one scale for all: just what it was left out for.
    """
    for node in graph.graph.nodes:
        if layer_of(node) is None or node.args[1].target in PER_CHANNEL:
            continue
        with graph.graph.inserting_before(node):
            limited = graph.graph.call_function(
                torch.ops.aten.clamp.default, (node.args[0], -LARGEST)
            )
        limited.meta.update(node.args[0].meta)
        node.replace_input_with(node.args[0], limited)
    graph.recompile()


@torch.no_grad()
def _round_biases(graph: GraphModule) -> None:
    """Bring biases to whole multiples of their unit, as the runtime does; then both agree."""
    for node in graph.graph.nodes:
        if layer_of(node) is None or len(node.args) <= BIAS or node.args[BIAS] is None:
            continue
        source, weight, bias = node.args[: BIAS + 1]
        if source.target in PER_TENSOR and weight.target in PER_CHANNEL:
            unit = source.args[1] * _units_of_channels(graph, weight)
            parameter = graph.get_parameter(str(bias.target))
            parameter.copy_(torch.round(parameter / unit) * unit)


def _units_of_channels(graph: GraphModule, weight: Node) -> Tensor:
    """Units of a weight, (outputs,). A channel of zeros gets one in which a bias can be counted."""
    whole, units = (graph.get_buffer(str(source.target)) for source in weight.all_input_nodes[:2])
    is_empty = (whole == 0).flatten(1).all(1)
    units.masked_fill_(is_empty, UNIT_OF_ZEROS)
    return units


def with_integer_biases(content: bytes) -> bytes:
    """The same graph, with an integer bias in every Gemm whose input and weight are integers."""
    model = onnx.load_from_string(content)
    graph = model.graph
    makers = {name: node for node in graph.node for name in node.output}
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    biases = dict(_integer_biases(graph, makers, tensors))
    kept = [tensor for tensor in graph.initializer if tensor.name not in biases]
    made = [tensor for _, added in biases.values() for tensor in added]
    nodes = [*(node for node, _ in biases.values()), *graph.node]
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend([*kept, *made])
    graph.node.extend(nodes)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


_Made = tuple[onnx.NodeProto, tuple[onnx.TensorProto, ...]]


def _integer_biases(
    graph: onnx.GraphProto,
    makers: Mapping[str, onnx.NodeProto],
    tensors: Mapping[str, onnx.TensorProto],
) -> Iterator[tuple[str, _Made]]:
    for node in graph.node:
        if node.op_type != "Gemm" or len(node.input) <= BIAS or node.input[BIAS] not in tensors:
            continue
        factors = [makers.get(name) for name in node.input[:BIAS]]
        if any(maker is None or maker.op_type != "DequantizeLinear" for maker in factors):
            continue
        scales = [numpy_helper.to_array(tensors[maker.input[1]]) for maker in factors if maker]
        name = node.input[BIAS]
        yield name, _integer_bias(name, numpy_helper.to_array(tensors[name]), scales)


def _integer_bias(name: str, bias: Numbers, scales: list[Numbers]) -> _Made:
    unit = np.broadcast_to(scales[0] * scales[1], bias.shape).astype(np.float32)
    whole = np.clip(np.rint(bias / unit.astype(np.float64)), -MOST, MOST).astype(np.int32)
    names = [f"{name}_{part}" for part in ("integer", "unit")]
    added = tuple(map(numpy_helper.from_array, (whole, unit), names))
    return helper.make_node("DequantizeLinear", names, [name], axis=0), added
