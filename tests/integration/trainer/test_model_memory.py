"""What models take in fresh processes of the measuring program, and one that takes too much."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import helper

from tests.support.onnx_graphs import COLUMNS, graph
from winnow_measure.empty_model import EMPTY_MODEL
from winnow_measure.memory import LEAST_BYTES, memory_of
from winnow_runtime.errors import ModelError

MEBIBYTE = 1 << 20


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a test writes a model."""
    return tmp_path / "model.onnx"


def test_a_model_takes_about_what_its_weights_take(path: Path) -> None:
    columns = 1 << 17
    nodes = [
        helper.make_node("MatMul", ["rows", "w"], ["h"]),
        helper.make_node("ReduceMax", ["h"], ["outputs"], keepdims=1, noop_with_empty_axes=1),
    ]
    path.write_bytes(graph(nodes, {"w": np.ones((COLUMNS, columns))}, outputs=columns))

    value, error = memory_of(path, 1, [1])

    # The weights and what they give, and while the runtime packs the weights a second time.
    assert 4 * (COLUMNS + 1) * columns < value < 3 * 4 * (COLUMNS + 1) * columns
    assert error is not None


def test_the_empty_model_takes_nothing(path: Path) -> None:
    path.write_bytes(EMPTY_MODEL)

    value, _ = memory_of(path, 1, [1])

    assert LEAST_BYTES <= value < MEBIBYTE


def test_a_model_beyond_the_memory_fails_alone_and_says_what_to_do(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes = [
        helper.make_node("Shape", ["rows"], ["s"]),
        helper.make_node("Concat", ["s", "huge"], ["t"], axis=0),
        helper.make_node("ConstantOfShape", ["t"], ["z"]),
        helper.make_node("ReduceSum", ["z"], ["r"], keepdims=0),
        helper.make_node("Add", ["rows", "r"], ["outputs"]),
    ]
    content = graph(nodes, {}, outputs=COLUMNS, integers={"huge": [1 << 10, 1 << 10, 64]})
    path.write_bytes(content)
    monkeypatch.setattr("winnow_measure.memory.memory_left_bytes", lambda: 1 << 29)

    with pytest.raises(ModelError, match=r"raise measurement\.resources") as caught:
        memory_of(path, 1, [1])
    assert caught.value.cause == "OutOfMemory"
