"""Which tensors of an exported graph become integers, so that ONNX Runtime runs integer kernels.

Weights have one scale per output channel and seven bits: eight would overflow the 16 bits in which
processors without VNNI instructions add two products, without a word, and the same file would give
other answers there. Activations have eight bits, one scale and one offset per tensor.

convolution          its input, weight and output: the runtime has no integer kernel without output
linear               its input and weight; what comes out is rescaled to 32 bits by the same kernel,
                     but before an activation that the runtime would merge into a kernel of 32 bits
relu                 takes the place of its producer's output, and costs nothing
other activations    inputs and outputs, after integers
max pool, reshape    share the scale of what they move
average pool, sum    inputs and outputs, after integers

Sums and norms of a Transformer stay in 32 bits: integers save nothing there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.fx import GraphModule, Node
from torchao.quantization.pt2e import (
    FakeQuantize,
    HistogramObserver,
    MovingAverageMinMaxObserver,
    MovingAveragePerChannelMinMaxObserver,
    PerChannelMinMaxObserver,
)
from torchao.quantization.pt2e.quantizer import (
    QuantizationAnnotation,
    QuantizationSpec,
    QuantizationSpecBase,
    Quantizer,
    SharedQuantizationSpec,
)
from torchao.quantization.pt2e.quantizer.quantizer import Q_ANNOTATION_KEY
from typing_extensions import override

aten = torch.ops.aten

WEIGHT_MOST = 64
"""255 * 64 * 2 = 32640 fits into 16 bits with a sign; 255 * 127 * 2 does not."""
LINEAR = frozenset({aten.linear.default})
CONVOLUTION = frozenset({aten.conv2d.default, aten.conv2d.padding})
RELU = frozenset({aten.relu.default, aten.relu_.default})
MERGED = frozenset(
    {
        aten.tanh.default,
        aten.elu.default,
        aten.leaky_relu.default,
        aten.sigmoid.default,
        *RELU,
    }
)
"""Activations that ONNX Runtime merges into a linear layer before it looks for integers."""
ACTIVATIONS = frozenset(
    {
        aten.gelu.default,
        aten.silu.default,
        *MERGED,
    }
)
MOVING = frozenset(
    {aten.max_pool2d.default, aten.flatten.using_ints, aten.reshape.default, aten.permute.default}
)
AVERAGING = frozenset({aten.avg_pool2d.default})
SUM = frozenset({aten.add.Tensor})
SUMMANDS = 2


@dataclass(frozen=True, slots=True)
class Specs:
    """How numbers become integers. Made once for a graph: equal ones are not the same."""

    activation: QuantizationSpec
    weight: QuantizationSpec


def calibrated() -> Specs:
    """Ranges of weights are their largest; those of activations lose least in squared error."""
    return _specs(
        FakeQuantize.with_args(observer=HistogramObserver),
        FakeQuantize.with_args(observer=PerChannelMinMaxObserver, ch_axis=0),
    )


def trained() -> Specs:
    """Ranges follow a training: those of weights at once, those of activations slowly.

    Not by torch's fused operator for this: it rounds to other units than those that are exported.
    """
    return _specs(
        FakeQuantize.with_args(observer=MovingAverageMinMaxObserver),
        FakeQuantize.with_args(
            observer=MovingAveragePerChannelMinMaxObserver,
            ch_axis=0,
            averaging_constant=1.0,
        ),
    )


def _specs(activation: Callable[..., Any], weight: Callable[..., Any]) -> Specs:
    return Specs(
        QuantizationSpec(torch.uint8, activation, 0, 255, torch.per_tensor_affine),
        QuantizationSpec(
            torch.int8, weight, -WEIGHT_MOST, WEIGHT_MOST, torch.per_channel_symmetric
        ),
    )


def layer_of(node: Node) -> str | None:
    """The name of the linear layer or convolution that a node computes."""
    if node.target not in LINEAR | CONVOLUTION:
        return None
    return str(weight_of(node).target).removesuffix(".weight")


def weight_of(node: Node) -> Node:
    """Where the weight of a layer comes from, behind what stands between in a prepared graph.

    Raises:
        TypeError: if it is no parameter.
    """
    weight = node.args[1]
    while isinstance(weight, Node) and weight.op != "get_attr":
        weight = weight.args[0]
    if not isinstance(weight, Node):
        raise TypeError(f"the weight of {node} is no parameter")
    return weight


class IntegerLayers(Quantizer):  # type: ignore[misc] # torchao has no types
    """Makes some layers of a graph integer, with all that lies between them.

    Args:
        layers: names of linear layers and convolutions.
        specs: how.
    """

    def __init__(self, layers: Collection[str], specs: Specs) -> None:
        self._layers = frozenset(layers)
        self._specs = specs

    @override
    def annotate(self, model: GraphModule) -> GraphModule:
        annotations = _Annotations(self._specs)
        for node in model.graph.nodes:
            if layer_of(node) in self._layers:
                annotations.layer(node)
            elif node.op == "call_function":
                annotations.between(node)
        return model

    @override
    def validate(self, model: GraphModule) -> None:
        """Nothing to do: what the runtime makes of it is counted where it is measured."""


@dataclass(slots=True)
class _Annotations:
    """Annotates the nodes of a graph, one after the other."""

    specs: Specs
    integer: set[Node] = field(default_factory=set)
    """Nodes whose outputs are integers."""

    def layer(self, node: Node) -> None:
        source, weight = node.args[0], node.args[1]
        inputs = {source: self.specs.activation, weight: self.specs.weight}
        if node.target in LINEAR and not any(user.target in MERGED for user in node.users):
            _annotate(node, inputs)
        else:
            self._with_output(node, inputs)

    def between(self, node: Node) -> None:
        sources = node.all_input_nodes
        if not sources or not self.integer.issuperset(sources):
            return
        activation = self.specs.activation
        inputs: dict[Any, QuantizationSpecBase] = dict.fromkeys(sources, activation)
        if node.target in MOVING:
            _annotate(node, inputs, SharedQuantizationSpec((sources[0], node)))
            self.integer.add(node)
        elif node.target in ACTIVATIONS | AVERAGING:
            _annotate(node, inputs, activation)
            self.integer.add(node)
        elif node.target in SUM and len(sources) == SUMMANDS:
            self._with_output(node, inputs)

    def _with_output(self, node: Node, inputs: Mapping[Any, QuantizationSpecBase]) -> None:
        """Annotate a node whose output is integer; a relu after it is part of it."""
        users = list(node.users)
        activation = self.specs.activation
        if len(users) == 1 and users[0].target in RELU:
            _annotate(node, inputs)
            _annotate(users[0], {}, activation)
            self.integer.add(users[0])
        else:
            _annotate(node, inputs, activation)
            self.integer.add(node)


def _annotate(
    node: Node,
    inputs: Mapping[Any, QuantizationSpecBase],
    output: QuantizationSpecBase | None = None,
) -> None:
    node.meta[Q_ANNOTATION_KEY] = QuantizationAnnotation(
        input_qspec_map=dict(inputs), output_qspec=output, _annotated=True
    )
