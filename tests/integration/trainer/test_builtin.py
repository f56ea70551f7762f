"""The data sets of the image, held against what their own libraries return."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import datasets

from winnow_contract.uris import BUILTIN_DATA
from winnow_trainer.data.builtin import load_builtin
from winnow_trainer.data.dataset import ImageShape, Layout
from winnow_trainer.task import DataKind


@pytest.mark.parametrize(
    ("name", "library"),
    [
        ("digits", datasets.load_digits),
        ("breast_cancer", datasets.load_breast_cancer),
        ("wine", datasets.load_wine),
    ],
)
def test_a_classification_is_the_one_that_scikit_learn_gives(name: str, library: Any) -> None:
    bunch = library()

    dataset = load_builtin(name, DataKind.AUTO)

    np.testing.assert_array_equal(dataset.features, bunch.data.astype(np.float32))
    np.testing.assert_array_equal(dataset.targets, bunch.target)
    assert dataset.classes == tuple(str(word) for word in bunch.target_names)
    assert dataset.kind is DataKind.CLASSIFICATION


def test_diabetes_is_the_unscaled_one_that_scikit_learn_gives() -> None:
    bunch = datasets.load_diabetes(scaled=False)

    dataset = load_builtin("diabetes", DataKind.AUTO)

    np.testing.assert_array_equal(dataset.features, bunch.data.astype(np.float32))
    np.testing.assert_array_equal(dataset.targets, bunch.target.astype(np.float32))
    assert dataset.kind is DataKind.REGRESSION


def test_digits_know_their_image() -> None:
    assert load_builtin("digits", DataKind.AUTO).image == ImageShape(8, 8, 1, Layout.HWC)


def test_classes_may_be_taken_for_values() -> None:
    dataset = load_builtin("wine", DataKind.REGRESSION)

    assert dataset.kind is DataKind.REGRESSION
    assert dataset.classes == ()
    assert dataset.targets.dtype == np.float32


def test_every_name_of_the_contract_has_a_loader() -> None:
    from winnow_trainer.data.builtin import _SOURCES

    assert tuple(_SOURCES) == BUILTIN_DATA
