"""The model at the start of a server: verified, tried out, or refused with a sentence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.onnx_graphs import COLUMNS, blobs, dense, dynamic, run
from tests.support.served_artifacts import artifact, on_the_claim
from winnow_runtime.errors import ModelError
from winnow_server.model import open_model


def test_a_model_knows_its_names_shapes_and_card(tmp_path: Path) -> None:
    serving = on_the_claim(artifact(tmp_path))

    model = open_model(serving)

    assert model.signature.describe() == {
        "name": "digits",
        "versions": ["3"],
        "platform": "onnxruntime_onnx",
        "inputs": [{"name": "rows", "datatype": "FP32", "shape": [-1, COLUMNS]}],
        "outputs": [{"name": "outputs", "datatype": "FP32", "shape": [-1, 3]}],
    }
    assert model.digest == serving.model_digest
    assert model.card == "# small/one\n"
    assert model.example.shape == (1, COLUMNS)
    assert model.row_seconds > 0
    assert model.batch_seconds > 0
    rows = blobs(5, seed=3).rows
    np.testing.assert_allclose(model.run(rows), run(dense(width=8), rows), rtol=1e-5)


def test_rows_of_a_model_that_quantizes_on_the_fly_are_not_independent(tmp_path: Path) -> None:
    ordinary = open_model(on_the_claim(artifact(tmp_path / "a")))
    content = dynamic(dense(width=8), tmp_path)
    odd = open_model(on_the_claim(artifact(tmp_path / "b", content)))

    assert ordinary.are_rows_independent
    assert not odd.are_rows_independent


@pytest.mark.parametrize(("row", "batch", "gains"), [(1.0, 6.5, False), (1.0, 6.3, True)])
def test_batches_are_made_where_they_save_a_fifth(
    tmp_path: Path, row: float, batch: float, *, gains: bool
) -> None:
    model = open_model(on_the_claim(artifact(tmp_path)))

    timed = replace(model, row_seconds=row, batch_seconds=batch)

    assert timed.batch_rows == 8
    assert timed.gains_by_batches is gains


@pytest.mark.parametrize(
    ("row", "batch", "rows"), [(1.0, 8.0, 3), (0.5, 3.0, 8), (3.0, 4.0, 1), (3.1, 4.0, 0)]
)
def test_how_many_rows_a_quick_run_can_have_is_read_off_what_few_and_many_take(
    tmp_path: Path, row: float, batch: float, rows: int
) -> None:
    model = open_model(on_the_claim(artifact(tmp_path)))

    timed = replace(model, row_seconds=row, batch_seconds=batch)

    assert timed.rows_within(3.0) == rows


def refused(tmp_path: Path, content: bytes | None = None, **changes: object) -> str:
    serving = on_the_claim(artifact(tmp_path, content, **changes))
    with pytest.raises(ModelError) as caught:
        open_model(serving)
    return str(caught.value)


def test_a_model_that_answers_otherwise_than_recorded_is_refused(tmp_path: Path) -> None:
    words = refused(tmp_path, dense(width=8, seed=1), golden=dense(width=8))

    assert "differ from the recorded ones" in words


def test_a_file_that_is_no_graph_and_a_tolerance_that_says_nothing_are_refused(
    tmp_path: Path,
) -> None:
    assert "ONNX Runtime cannot load model.onnx" in refused(
        tmp_path / "a", b"no graph", golden=dense(width=8)
    )
    assert "tolerance of the manifest" in refused(tmp_path / "b", tolerance="some")


def test_another_digest_and_a_changed_file_are_refused(tmp_path: Path) -> None:
    serving = on_the_claim(artifact(tmp_path))

    with pytest.raises(ModelError, match="expected is 000000000000"):
        open_model(replace(serving, model_digest=f"sha256:{'0' * 64}"))
    (serving.model_folder / "README.md").write_text("another card")
    with pytest.raises(ModelError, match=r"README\.md in aaaaaaaa is not the file"):
        open_model(serving)
