"""Memory of a model in a fresh process, and models that take their process with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from tests.support.onnx_graphs import COLUMNS, dense, graph
from winnow_measure.empty_model import EMPTY_MODEL
from winnow_measure.memory import LEAST_BYTES, memory_left_bytes, memory_of
from winnow_runtime.errors import ModelError

MEBIBYTE = 1 << 20


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


def test_the_empty_model_is_a_whole_onnx_file() -> None:
    model = onnx.load_from_string(EMPTY_MODEL)

    onnx.checker.check_model(model, full_check=True)
    assert [node.op_type for node in model.graph.node] == ["Identity"]


def test_what_cannot_be_loaded_is_named(path: Path) -> None:
    path.write_bytes(b"nothing of the kind")

    with pytest.raises(ModelError, match=r"cannot load model\.onnx") as caught:
        memory_of(path, 1, [1])
    assert caught.value.cause == "CannotRun"


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


def test_a_process_that_dies_is_named_and_does_no_more_harm(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_bytes(dense())
    monkeypatch.setattr("sys.executable", "/bin/false")

    with pytest.raises(ModelError, match="ended with 1: without a word") as caught:
        memory_of(path, 1, [1])
    assert caught.value.cause == "Crash"


@pytest.mark.parametrize(
    ("limit", "used", "left"), [("1000", "400", 600), ("max", "400", None), ("10", "20", 1)]
)
def test_what_is_left_is_the_limit_less_what_is_used(
    tmp_path: Path, limit: str, used: str, left: int | None
) -> None:
    (tmp_path / "max").write_text(f"{limit}\n")
    (tmp_path / "now").write_text(f"{used}\n")

    assert memory_left_bytes(tmp_path / "max", tmp_path / "now") == left
    assert memory_left_bytes(tmp_path / "none", tmp_path / "now") is None
