"""Which kernels ONNX Runtime executes, as it records them itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from onnx import helper

from tests.support.onnx_graphs import COLUMNS, blobs, graph
from winnow_measure.operators import Operators, count_operators, executed_operators

ROWS = blobs(2).rows


def executed(path: Path, content: bytes) -> Operators:
    path.write_bytes(content)
    return executed_operators(path, 1, ROWS)


def test_a_model_of_32_bits_runs_in_float(path: Path, convolutions: bytes) -> None:
    operators = executed(path, convolutions)

    assert operators.floating == {"Linear": 1, "Convolution": 2}
    assert operators.integer == {}
    assert operators.quantized_share == 0


def test_a_quantized_model_runs_in_integer_kernels(path: Path, integers: bytes) -> None:
    operators = executed(path, integers)

    assert operators.integer == {"Linear": 1, "Convolution": 2}
    assert operators.floating == {}
    assert operators.counts["QLinearConv"] == 2
    assert operators.quantized_share == 1


def test_convolutions_that_a_quantizer_skipped_are_seen(path: Path, half_integers: bytes) -> None:
    operators = executed(path, half_integers)

    assert operators.integer == {"Linear": 1}
    assert operators.floating == {"Convolution": 2}
    assert operators.quantized_share == 1 / 3


def test_a_product_of_activations_is_no_layer_but_counts_in_the_share(path: Path) -> None:
    weights = {"w": np.random.default_rng(0).normal(size=(COLUMNS, COLUMNS))}
    nodes = [
        helper.make_node("MatMul", ["rows", "w"], ["h"]),
        helper.make_node("Transpose", ["h"], ["t"], perm=[1, 0]),
        helper.make_node("MatMul", ["t", "h"], ["s"]),
        helper.make_node("MatMul", ["rows", "s"], ["outputs"]),
    ]

    operators = executed(path, graph(nodes, weights, outputs=COLUMNS))

    assert operators.floating == {"Linear": 1}
    assert operators.products == 2


def kernel(name: str, **arguments: Any) -> dict[str, Any]:
    return {"op_name": name, "input_type_shape": [{"float": [1]}], **arguments}


def test_a_weight_that_was_not_packed_is_a_parameter() -> None:
    two = [{"float": [4, 8]}, {"float": [8, 2]}]
    kernels = [
        kernel("MatMul", input_type_shape=two, parameter_size="64"),
        kernel("MatMul", input_type_shape=two, parameter_size="0"),
        kernel("DynamicQuantizeMatMul"),
    ]

    operators = count_operators(kernels)

    assert (operators.floating, operators.products) == ({"Linear": 1}, 1)
    assert operators.quantized_share == 1 / 3


def test_a_model_without_products_has_no_share() -> None:
    assert count_operators([kernel("Relu")]).quantized_share == 0
