"""Memory of a model in a fresh process, and models that take their process with them."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from tests.support.onnx_graphs import dense
from winnow_measure.empty_model import EMPTY_MODEL
from winnow_measure.memory import memory_left_bytes, memory_of
from winnow_runtime.errors import ModelError


def test_the_empty_model_is_a_whole_onnx_file() -> None:
    model = onnx.load_from_string(EMPTY_MODEL)

    onnx.checker.check_model(model, full_check=True)
    assert [node.op_type for node in model.graph.node] == ["Identity"]


def test_what_cannot_be_loaded_is_named(path: Path) -> None:
    path.write_bytes(b"nothing of the kind")

    with pytest.raises(ModelError, match=r"cannot load model\.onnx") as caught:
        memory_of(path, 1, [1])
    assert caught.value.cause == "CannotRun"


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
