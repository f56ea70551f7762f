"""The fixed split: disjoint, whole, stratified, the same for all trials of a job."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow_trainer.data.dataset import Dataset
from winnow_trainer.errors import DataError
from winnow_trainer.splits import Splits, fold_splits, split
from winnow_trainer.task import DataKind, Evaluation

shares = st.floats(0.1, 0.4)


def classes(counts: list[int]) -> Dataset:
    targets = np.repeat(np.arange(len(counts)), counts)
    np.random.Generator(np.random.PCG64(0)).shuffle(targets)
    features = np.zeros((len(targets), 1), np.float32)
    names = tuple(map(str, range(len(counts))))
    return Dataset(features, targets, DataKind.CLASSIFICATION, "", names)


def values(rows: int) -> Dataset:
    targets = np.linspace(0, 1, rows, dtype=np.float32)
    return Dataset(np.zeros((rows, 1), np.float32), targets, DataKind.REGRESSION, "")


def parts(splits: Splits) -> tuple[np.ndarray, ...]:
    return splits.train, splits.validation, splits.test


@given(
    st.lists(st.integers(5, 60), min_size=2, max_size=8).map(classes)
    | st.integers(12, 300).map(values),
    shares,
    shares,
    st.integers(0, 2**31 - 1),
)
def test_every_row_is_in_exactly_one_part(
    dataset: Dataset, test: float, validation: float, seed: int
) -> None:
    splits = split(dataset, Evaluation(test, validation, seed))

    rows = np.concatenate(parts(splits))
    assert sorted(rows) == list(range(dataset.rows))
    assert all((np.diff(part) > 0).all() for part in parts(splits))


@given(st.lists(st.integers(5, 60), min_size=2, max_size=8), shares, shares)
def test_each_class_gives_its_share_to_each_part(
    counts: list[int], test: float, validation: float
) -> None:
    dataset = classes(counts)
    splits = split(dataset, Evaluation(test, validation, 1))

    for share, part in ((test, splits.test), (validation, splits.validation)):
        given_rows = np.bincount(dataset.targets[part], minlength=len(counts))
        assert np.abs(given_rows - np.array(counts) * share).max() <= 1
        assert abs(len(part) - sum(counts) * share) <= len(counts) / 2 + 1
    assert (np.bincount(dataset.targets[splits.train], minlength=len(counts)) > 0).all()


def test_a_class_of_one_row_is_trained_on() -> None:
    dataset = classes([20, 20, 1])

    splits = split(dataset, Evaluation(0.3, 0.3, 0))

    assert 2 in dataset.targets[splits.train]


def test_the_seed_alone_decides() -> None:
    dataset = classes([50, 50])
    first, again, other = (split(dataset, Evaluation(seed=seed)) for seed in (1, 1, 2))

    assert first.digest == again.digest
    assert first.digest != other.digest


def test_the_split_of_a_seed_is_the_same_in_every_release() -> None:
    # Results of one job must be comparable after an upgrade: this must not change.
    splits = split(values(10), Evaluation(0.2, 0.2, 0))

    assert splits.test.tolist() == [4, 6]
    assert splits.validation.tolist() == [2, 7]


@pytest.mark.parametrize(
    ("dataset", "evaluation", "words"),
    [
        (
            values(4),
            Evaluation(0.1, 0.3),
            "the test split of 4 rows would be empty: give more rows",
        ),
        (values(4), Evaluation(0.3, 0.1), "the validation split of 4 rows would be empty"),
        (
            values(3),
            Evaluation(0.4, 0.4),
            "of 3 rows 1 are left to train on, at least 2 are needed",
        ),
        (classes([1, 1]), Evaluation(), "would be empty"),
    ],
)
def test_too_few_rows_are_refused_with_a_sentence(
    dataset: Dataset, evaluation: Evaluation, words: str
) -> None:
    with pytest.raises(DataError, match=words):
        split(dataset, evaluation)


@given(
    st.lists(st.integers(7, 40), min_size=2, max_size=6).map(classes)
    | st.integers(20, 200).map(values),
    st.floats(0.1, 0.3),
    st.integers(2, 4),
    st.integers(0, 2**31 - 1),
)
def test_each_row_that_is_no_test_data_is_in_one_fold_and_trained_on_in_all_others(
    dataset: Dataset, test: float, folds: int, seed: int
) -> None:
    made = fold_splits(dataset, Evaluation(test, 0.0, seed, folds))

    assert len(made) == folds
    held = np.concatenate([splits.validation for splits in made])
    assert sorted([*held, *made[0].test]) == list(range(dataset.rows))
    for splits in made:
        assert (splits.test == made[0].test).all()
        assert sorted([*splits.train, *splits.validation]) == sorted(held)
    sizes = [len(splits.validation) for splits in made]
    assert max(sizes) - min(sizes) <= 1


@given(st.lists(st.integers(7, 40), min_size=2, max_size=6), st.integers(2, 4))
def test_each_fold_has_its_share_of_each_class(counts: list[int], folds: int) -> None:
    dataset = classes(counts)
    made = fold_splits(dataset, Evaluation(0.2, 0.0, 1, folds))

    rows = [np.bincount(dataset.targets[s.validation], minlength=len(counts)) for s in made]
    assert (np.max(rows, axis=0) - np.min(rows, axis=0) <= 1).all()


def test_the_test_part_is_the_same_with_folds_and_without() -> None:
    dataset = classes([30, 20, 10])

    with_folds = split(dataset, Evaluation(0.2, 0.0, 5, folds=3))
    assert (with_folds.test == split(dataset, Evaluation(0.2, 0.2, 5)).test).all()
    assert with_folds.digest == fold_splits(dataset, Evaluation(0.2, 0.0, 5, 3))[0].digest
