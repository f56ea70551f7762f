"""Multiply-adds of one row, held against what is counted by hand."""

from __future__ import annotations

import pytest

from tests.support.architectures import dataset, planned
from winnow_trainer.architectures import Architecture
from winnow_trainer.compress.operations import count_operations
from winnow_trainer.data.dataset import ImageShape


def test_a_matrix_product_is_its_weights() -> None:
    architecture = planned("MLP", dataset(54, classes=3), widths="16-8")

    assert count_operations(architecture) == 54 * 16 + 16 * 8 + 8 * 3


def test_a_convolution_is_its_kernel_at_each_place() -> None:
    data = dataset(64, image=ImageShape(8, 8, 1), classes=3)
    architecture = planned("CNN", data, channels="4-6", pooling="none", kernel="3")

    by_hand = 64 * (9 * 1 * 4) + 64 * (9 * 4 * 6)
    assert count_operations(architecture) == pytest.approx(by_hand, abs=64 * 6 * 3)
    assert count_operations(architecture) > by_hand


def test_attention_is_counted_with_its_two_products() -> None:
    data = dataset(54, image=ImageShape(6, 9, 1), classes=3)
    architecture: Architecture = planned(
        "Transformer", data, width="8", heads="2", depth="1", feedforward="2"
    )
    tokens, width = 6, 8

    projections = tokens * 9 * width + 4 * tokens * width * width
    products = 2 * tokens * tokens * width
    feedforward = 2 * tokens * width * (2 * width)
    assert count_operations(architecture) == projections + products + feedforward + width * 3
