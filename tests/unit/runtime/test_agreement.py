"""The golden batch: ONNX Runtime must compute what was computed where the model was built."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.measuring_pods import Round
from tests.support.onnx_graphs import dense
from winnow_measure.models import open_model
from winnow_runtime.agreement import Agreement, check_agreement
from winnow_runtime.errors import ModelError
from winnow_runtime.sessions import Session


def agreement(
    folder: Path, content: bytes, golden: bytes | None = None, **manifest: Any
) -> Agreement:
    models = Round(folder)
    built = open_model(models.add("one", content, golden=golden, **manifest), models.claims)
    return check_agreement(built.artifact, Session(built.onnx, 1))


def test_the_same_model_agrees(tmp_path: Path) -> None:
    found = agreement(tmp_path, dense())

    assert found.rows == 8
    assert found.largest <= found.allowed
    assert found.allowed > 0


def test_another_model_differs_with_both_figures_in_the_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"differ .* by up to \d.*, allowed is \d") as caught:
        agreement(tmp_path, dense(seed=1), golden=dense())
    assert caught.value.cause == "OutputsDiffer"


@pytest.mark.parametrize("tolerance", [1e9, {"absolute": 1e9}, {"relative": 1e9}])
def test_a_stated_tolerance_is_kept_to(tmp_path: Path, tolerance: object) -> None:
    assert agreement(tmp_path, dense(seed=1), golden=dense(), tolerance=tolerance).largest > 0


@pytest.mark.parametrize("tolerance", [None, "0.1", True, -1, {"absolute": "much"}, 10**400])
def test_a_tolerance_that_says_nothing_is_refused(tmp_path: Path, tolerance: object) -> None:
    with pytest.raises(ModelError, match="tolerance of the manifest is") as caught:
        agreement(tmp_path, dense(), tolerance=tolerance)
    assert caught.value.cause == "BadArtifact"
