"""Claims against facts, and the three ways to change nothing without a word."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.onnx_graphs import blobs, convolutional, run
from winnow_measure.claims import Facts, check_change, check_claims
from winnow_measure.operators import executed_operators
from winnow_runtime.errors import ModelError

ROWS = blobs(32, seed=3).rows
INTEGERS = {
    "integerLayers": ["Linear", "Convolution"],
    "excluded": 0,
    "smallerThanParent": True,
    "masked": False,
}
CUT = {"smallerThanParent": True, "masked": False}
MASK = {"smallerThanParent": False, "masked": True}


def facts(path: Path, content: bytes) -> Facts:
    path.write_bytes(content)
    outputs = run(content, ROWS).astype(np.float64)
    return Facts(len(content), executed_operators(path, 1, ROWS[:1]), outputs)


@pytest.fixture
def parent(path: Path, convolutions: bytes) -> Facts:
    """The model that all chains here start from."""
    return facts(path, convolutions)


def broken(claims: Mapping[str, Any], measured: Facts, parent: Facts) -> str:
    with pytest.raises(ModelError) as caught:
        check_claims(claims, measured, parent)
    assert caught.value.cause == "ClaimNotKept"
    return str(caught.value)


def test_a_quantizer_that_skips_convolutions_is_caught(
    path: Path, half_integers: bytes, parent: Facts
) -> None:
    words = broken(INTEGERS, facts(path, half_integers), parent)

    assert words.startswith("claimed are integer kernels for its Linear and Convolution layers")
    assert "1 of 1 Linear layers and 0 of 2 Convolution layers in them, the rest in float" in words
    assert "Conv 2" in words


def test_a_mask_that_is_sold_as_a_cut_is_caught(path: Path, parent: Facts) -> None:
    masked = facts(path, convolutional(zeros=0.5))

    words = broken(CUT, masked, parent)

    size = parent.size_bytes
    assert words == (
        "claimed is that it is smaller than its parent, but model.onnx has "
        f"{size} bytes, its parent's {size}"
    )
    assert "size and speed are as before" in check_claims(MASK, masked, parent)["masked"]
    check_change(masked, parent)


def test_an_exporter_that_keeps_32_bits_is_caught(parent: Facts) -> None:
    words = broken(INTEGERS, parent, parent)

    assert "0 of 1 Linear layers and 0 of 2 Convolution layers" in words


def test_the_same_again_without_any_claim_is_caught(path: Path, parent: Facts) -> None:
    path.write_bytes(convolutional())

    with pytest.raises(ModelError, match="the steps changed nothing") as caught:
        check_change(facts(path, convolutional()), parent)
    assert caught.value.cause == "NothingChanged"


def test_what_is_claimed_and_true_is_found(path: Path, integers: bytes, parent: Facts) -> None:
    measured = facts(path, integers)

    found = check_claims(INTEGERS, measured, parent)

    assert found == {
        "integerLayers": (
            "1 of 1 Linear layers and 2 of 2 Convolution layers run in integer kernels, 0 may be "
            "left out"
        ),
        "smallerThanParent": f"model.onnx has {len(integers)} bytes, its parent's {parent.size_bytes}",
    }
    check_change(measured, parent)


def test_layers_may_stay_in_float_where_the_manifest_says_how_many(
    path: Path, half_integers: bytes, parent: Facts
) -> None:
    measured = facts(path, half_integers)

    assert "integerLayers" in check_claims({**INTEGERS, "excluded": 2}, measured, parent)
    broken({**INTEGERS, "excluded": 1}, measured, parent)
    assert check_claims({"integerLayers": ["Linear"]}, measured, parent)


def test_all_layers_left_out_is_no_quantization(parent: Facts) -> None:
    broken({**INTEGERS, "excluded": 3, "smallerThanParent": False}, parent, parent)


@pytest.mark.parametrize("excluded", [True, "3", -1, 2.0, None])
def test_a_number_of_exclusions_that_is_none_excuses_nothing(
    path: Path, half_integers: bytes, parent: Facts, excluded: object
) -> None:
    broken({**INTEGERS, "excluded": excluded}, facts(path, half_integers), parent)


def test_a_smaller_net_of_the_same_kernels_has_changed(path: Path, parent: Facts) -> None:
    smaller = facts(path, convolutional(channels=16))

    assert check_claims(CUT, smaller, parent)
    check_change(smaller, parent)


def test_a_net_that_was_trained_on_has_changed(path: Path, parent: Facts) -> None:
    check_change(facts(path, convolutional(seed=1)), parent)
