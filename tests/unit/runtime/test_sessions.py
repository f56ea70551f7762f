"""Models in ONNX Runtime: what they are given, what they answer, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import helper

from tests.support.onnx_graphs import COLUMNS, blobs, dense, graph, run
from winnow_runtime.errors import ModelError
from winnow_runtime.sessions import Session, outputs_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a test writes a model."""
    return tmp_path / "model.onnx"


def test_outputs_do_not_depend_on_how_many_rows_go_in_at_once(path: Path) -> None:
    path.write_bytes(dense())
    session = Session(path, 1)
    rows = blobs(37).rows

    outputs = outputs_of(session, rows, at_once=8)

    assert outputs.dtype == np.float64
    assert outputs.shape == (len(rows), 3)
    np.testing.assert_allclose(outputs, outputs_of(session, rows, at_once=1), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(outputs, run(dense(), rows), rtol=1e-4, atol=1e-6)


def test_rows_of_another_type_are_taken_as_numbers_of_32_bits(path: Path) -> None:
    path.write_bytes(dense())
    rows = blobs(4).rows

    outputs = outputs_of(Session(path, 1), rows.astype(np.float64)[::-1], at_once=1)

    np.testing.assert_array_equal(outputs, outputs_of(Session(path, 1), rows, at_once=1)[::-1])


def refused(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        Session(path, 1)
    assert caught.value.cause == "CannotRun"
    return str(caught.value)


def test_a_damaged_file_is_named_with_the_runtimes_own_words(path: Path) -> None:
    content = dense()

    assert refused(path, content[: len(content) // 2]).startswith(
        "ONNX Runtime cannot load model.onnx: "
    )
    assert "cannot load" in refused(path, b"\x80\x02cos\nsystem\nq\x00.")


def test_a_fixed_batch_size_is_refused_with_what_to_do(path: Path) -> None:
    nodes = [helper.make_node("Identity", ["rows"], ["outputs"])]

    words = refused(path, graph(nodes, {}, outputs=COLUMNS, batch=8))

    assert "shape [8, 36]" in words
    assert "export it with a dynamic batch dimension" in words


def test_rows_of_the_wrong_width_are_this_models_fault(path: Path) -> None:
    path.write_bytes(dense())

    with pytest.raises(ModelError, match="cannot run the model on 2 rows"):
        outputs_of(Session(path, 1), np.zeros((2, COLUMNS + 1)), at_once=2)


def test_outputs_that_are_no_numbers_are_named(path: Path) -> None:
    nodes = [helper.make_node("Log", ["rows"], ["outputs"])]
    path.write_bytes(graph(nodes, {}, outputs=COLUMNS))

    with pytest.raises(ModelError, match="not finite numbers") as caught:
        outputs_of(Session(path, 1), -np.ones((1, COLUMNS)), at_once=1)
    assert caught.value.cause == "NaN"
