"""Models in ONNX Runtime: what they are given, what they answer, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

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


def test_runs_in_bound_memory_give_what_others_do_and_keep_their_outputs(path: Path) -> None:
    rows = blobs(20).rows
    path.write_bytes(dense())
    session = Session(path, threads=1)
    bound = session.bound(rows[:1])
    assert bound is not None

    found = [bound(row[None]) for row in rows]

    for row, outputs in zip(rows, found, strict=True):
        np.testing.assert_array_equal(outputs, session.run(row[None]))


def test_a_failure_of_a_run_in_bound_memory_is_said_as_of_any_other(path: Path) -> None:
    nodes = [
        helper.make_node("ReduceMax", ["rows"], ["largest"], keepdims=0),
        helper.make_node("Cast", ["largest"], ["place"], to=TensorProto.INT64),
        helper.make_node("Gather", ["rows", "place"], ["row"], axis=0),
        helper.make_node("Add", ["rows", "row"], ["outputs"]),
    ]
    path.write_bytes(graph(nodes, {}, outputs=COLUMNS))
    bound = Session(path, threads=1).bound(np.zeros((1, COLUMNS), np.float32))
    assert bound is not None

    with pytest.raises(ModelError, match="cannot run the model on 1 rows"):
        bound(np.full((1, COLUMNS), 7, np.float32))  # there is no eighth row
    np.testing.assert_array_equal(bound(np.zeros((1, COLUMNS))), np.zeros((1, COLUMNS)))


def test_outputs_of_another_type_are_not_bound(path: Path) -> None:
    nodes = [helper.make_node("Cast", ["rows"], ["outputs"], to=TensorProto.INT64)]
    model = onnx.load_from_string(graph(nodes, {}, outputs=COLUMNS))
    model.graph.output[0].type.tensor_type.elem_type = TensorProto.INT64
    path.write_bytes(model.SerializeToString())

    assert Session(path, threads=1).bound(blobs(1).rows) is None
