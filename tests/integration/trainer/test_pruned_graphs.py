"""What pruning and students make of the ONNX graph that is served, in every family."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from torch import Tensor

from tests.support.compression import source, step, workshop
from tests.support.proofs import proofs
from winnow_trainer.architectures import Model
from winnow_trainer.compress.distilling.distil import distil
from winnow_trainer.compress.pruning.prune import prune
from winnow_trainer.compress.workshop import Workshop
from winnow_trainer.export import export_onnx

Shapes = dict[str, tuple[int, ...]]


def graph_of(model: Model, shop: Workshop) -> bytes:
    return export_onnx(model.eval(), shop.validation.features)


def shapes(graph: bytes) -> Shapes:
    tensors = onnx.load_from_string(graph).graph.initializer
    return {tensor.name: tuple(tensor.dims) for tensor in tensors if len(tensor.dims) > 1}


def numbers(graph: bytes) -> int:
    return sum(int(np.prod(shape)) for shape in shapes(graph).values())


def answers(graph: bytes, rows: Tensor) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    (outputs,) = session.run(None, {session.get_inputs()[0].name: rows.numpy()})
    return np.asarray(outputs)


@pytest.mark.parametrize("family", ["MLP", "ResNet", *proofs("CNN", "Transformer")])
def test_a_cut_shrinks_the_graph_and_the_runtime_answers_as_torch_does(family: str) -> None:
    shop = workshop(family)
    start = source(family, shop)

    made = prune(start, step("prune", amount="0.5", epochs=1), shop)

    before, after = graph_of(start.model, shop), graph_of(made.model, shop)
    assert numbers(after) < 0.55 * numbers(before)
    assert len(shapes(after)) == len(shapes(before))
    rows = shop.validation.features
    expected = made.model(rows).detach().numpy()
    np.testing.assert_allclose(answers(after, rows), expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("family", ["CNN", *proofs("Transformer")])
def test_a_mask_leaves_the_graph_as_large_as_it_was(family: str) -> None:
    shop = workshop(family)
    start = source(family, shop)

    made = prune(start, step("prune", unit="Weight", amount="0.8", epochs=1), shop)

    before, after = graph_of(start.model, shop), graph_of(made.model, shop)
    assert shapes(after) == shapes(before)
    assert len(after) == len(before)


@pytest.mark.parametrize("family", ["CNN", "Transformer", *proofs("MLP", "ResNet")])
def test_a_student_has_a_smaller_graph_that_answers_as_torch_does(family: str) -> None:
    shop = workshop(family)
    start = source(family, shop)
    # With fewer blocks the image that the last layer of a CNN reads is larger.
    half = {"width": "0.5", "depth": "1" if family == "CNN" else "0.5"}

    made = distil(start, start, step("distill", student=half, epochs=1), shop)

    graph = graph_of(made.model, shop)
    assert numbers(graph) < 0.6 * numbers(graph_of(start.model, shop))
    rows = shop.validation.features
    expected = made.model(rows).detach().numpy()
    np.testing.assert_allclose(answers(graph, rows), expected, rtol=1e-3, atol=1e-3)
