"""A model that computes as integers would, in torch: what is calibrated, trained and judged.

Every tensor that will be an integer is rounded to what an integer can say, and stays a float. So
quality, sensitivity and gradients of an integer model are found without one.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import cast

import torch
from torch import Tensor, nn
from torch.fx import GraphModule, Node
from torchao.quantization.pt2e import FakeQuantize
from torchao.quantization.pt2e.quantize_pt2e import prepare_pt2e
from typing_extensions import override

from winnow_trainer.architectures import Model
from winnow_trainer.compress.quantizing.quantizer import IntegerLayers, Specs, layer_of
from winnow_trainer.export import any_rows, traced_rows

BATCH_ROWS = 256
"""Rows of one forward pass of a calibration."""


class Simulation(nn.Module):
    """Raw rows in, outputs out, rounded wherever integers will be.

    Args:
        model: without batch norms and dropout (`folding`); it stays as it is.
        rows: some raw rows, on its device.
        layers: names of the linear layers and convolutions that become integer.
        specs: how, made for this one.
        watched_epochs: in how many epochs of a training ranges follow it; then they stay.
    """

    def __init__(
        self,
        model: Model,
        rows: Tensor,
        layers: Collection[str],
        specs: Specs,
        watched_epochs: float = math.inf,
    ) -> None:
        super().__init__()
        own = copy.deepcopy(model).eval()
        program = torch.export.export(own, traced_rows(rows), dynamic_shapes=any_rows())
        graph = program.module(check_guards=False)
        self.graph: GraphModule = prepare_pt2e(graph, IntegerLayers(layers, specs))
        self.rescale = own.rescale
        """Of a regression; for its loss."""
        self.rounders = [m for m in self.graph.modules() if isinstance(m, FakeQuantize)]
        self.layers = _rounders_of_layers(self.graph, frozenset(layers))
        """What is rounded for each layer: its input, its weight."""
        self._watched_epochs = watched_epochs
        self._epochs = 0
        self.eval()

    @override
    def forward(self, rows: Tensor) -> Tensor:
        outputs: Tensor = self.graph(rows)
        return outputs

    @override
    def train(self, mode: bool = True) -> Simulation:
        """Let ranges follow what is seen, in training alone; nothing else depends on the mode."""
        self.training = mode
        self._epochs += mode
        self._observe(on=mode and self._epochs <= self._watched_epochs)
        return self

    @torch.no_grad()
    def calibrate(self, features: Tensor) -> None:
        """Find all ranges from some rows of the training split; nothing is rounded meanwhile.

        Args:
            features: (rows, *row), raw.
        """
        with self.rounded(()):
            self._observe(on=True)
            for rows in torch.split(features, BATCH_ROWS):
                self.graph(rows)
        self._observe(on=False)

    @contextmanager
    def rounded(self, layers: Collection[str]) -> Iterator[None]:
        """Round for some layers alone within the block; for none, it is the model as it was."""
        wanted = {id(rounder) for layer in layers for rounder in self.layers[layer]}
        for rounder in self.rounders:
            rounder.enable_fake_quant(id(rounder) in wanted)
        try:
            yield
        finally:
            for rounder in self.rounders:
                rounder.enable_fake_quant(True)

    def _observe(self, *, on: bool) -> None:
        for rounder in self.rounders:
            rounder.enable_observer(on)


def _rounders_of_layers(
    graph: GraphModule, layers: Collection[str]
) -> dict[str, tuple[FakeQuantize, ...]]:
    nodes = ((layer_of(node), node) for node in graph.graph.nodes)
    return {
        layer: tuple(_rounders(graph, node)) for layer, node in nodes if layer and layer in layers
    }


def _rounders(graph: GraphModule, node: Node) -> Iterator[FakeQuantize]:
    for source in node.args[:2]:
        if isinstance(source, Node) and source.op == "call_module":
            yield cast("FakeQuantize", graph.get_submodule(str(source.target)))
