"""Which answers are the same, and which rows are asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from tests.support.served_artifacts import artifact, on_the_claim
from winnow_contract.manifests import read_artifact, write_manifest
from winnow_server.comparing import count_equal, is_regression, recorded_rows

SCORES = np.array([[3.0, 1.0], [0.0, 2.0], [5.0, 4.0]], np.float32)
NUMBERS = np.array([[0.0], [1.0], [2.0], [3.0]], np.float32)  # standard deviation 1.118
NO_ANSWER = np.float32("nan")


@pytest.mark.parametrize(
    ("canary", "equal"),
    [
        (SCORES, 3),
        (SCORES * 100 + 7, 3),  # other scores, the same classes
        (SCORES[:, ::-1], 0),
        ([[3, 1], [2, 0], [5, 4]], 2),
        ([[3, 1], [NO_ANSWER, NO_ANSWER], [5, 4]], 2),
        (np.full((3, 2), NO_ANSWER), 0),
    ],
)
def test_classes_are_the_same_if_the_largest_score_is(canary: object, equal: int) -> None:
    found = np.asarray(canary, np.float32)

    assert count_equal(SCORES, found, is_regression=False, tolerance=0) == equal


@pytest.mark.parametrize(
    ("shift", "tolerance", "equal"),
    [(0.0, 0.0, 4), (0.1, 0.1, 4), (0.12, 0.1, 0), (0.12, 0.2, 4), (NO_ANSWER, 9.0, 0)],
)
def test_numbers_are_the_same_within_a_share_of_their_spread(
    shift: float, tolerance: float, equal: int
) -> None:
    found = NUMBERS + np.float32(shift)

    assert count_equal(NUMBERS, found, is_regression=True, tolerance=tolerance) == equal


def test_all_numbers_of_a_row_count() -> None:
    two = np.concatenate([NUMBERS, NUMBERS], axis=1)
    other = two.copy()
    other[2, 1] += 1

    assert count_equal(two, other, is_regression=True, tolerance=0.1) == 3


def test_a_model_that_always_says_the_same_agrees_with_its_like() -> None:
    constant = np.full((4, 1), 7.0, np.float32)

    assert count_equal(constant, constant, is_regression=True, tolerance=0.1) == 4
    assert count_equal(constant, NUMBERS, is_regression=True, tolerance=0.1) == 0


@pytest.mark.parametrize(
    ("task", "width", "wanted"),
    [
        ({"data": {"kind": "Regression"}}, 3, "numbers"),
        ({"data": {"kind": "Classification"}}, 1, "classes"),
        ({"data": {"kind": "Odd"}}, 1, "numbers"),
        (None, 3, "classes"),
        ("odd", 1, "numbers"),
    ],
)
def test_what_outputs_are_is_said_by_the_manifest_or_seen(
    tmp_path: Path, task: object, width: int, wanted: str
) -> None:
    serving = on_the_claim(artifact(tmp_path, task=task))
    found = read_artifact(serving.model_folder)

    numbers = is_regression(found, np.zeros((2, width), np.float32))

    assert numbers == (wanted == "numbers")


def test_the_sample_is_asked_and_without_one_the_golden_batch(tmp_path: Path) -> None:
    folder = on_the_claim(artifact(tmp_path)).model_folder
    golden = recorded_rows(read_artifact(folder))
    document = dict(read_artifact(folder).document)
    save_file({"inputs": np.ones((2000, 36), np.float32)}, folder / "sample.safetensors")
    write_manifest(folder, document)
    sample = recorded_rows(read_artifact(folder))

    assert golden.shape == (8, 36)
    assert sample.shape == (1024, 36)
    assert sample.max() == 1
