"""The fixed split into train, validation and test: the same for every trial of a job.

It depends on the targets, the shares and the seed alone. Classes are spread evenly (stratified)
by largest remainders, and each keeps at least one row in train.

With folds, what is not test data is dealt out to them, the rows of each class in turn, and each
fold is the validation part once. The test part is the same as without.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from winnow_trainer.data.dataset import Dataset
from winnow_trainer.errors import DataError
from winnow_trainer.task import DataKind, Evaluation

MIN_TRAIN_ROWS = 2
"""One row alone has no spread to standardise by."""

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Splits:
    """Row numbers of each part, ascending; every row is in one."""

    train: Indices
    validation: Indices
    test: Indices

    @property
    def digest(self) -> str:
        """The sha256 of all row numbers in hex, which says that two splits are the same."""
        digest = hashlib.sha256()
        for part in (self.train, self.validation, self.test):
            digest.update(len(part).to_bytes(8, "little") + part.astype("<i8").tobytes())
        return digest.hexdigest()


def split(dataset: Dataset, evaluation: Evaluation) -> Splits:
    """Split a data set; with folds, the first one is the validation part.

    Raises:
        DataError: if a part would be empty, or a class has fewer rows than there are folds.
    """
    return (
        fold_splits(dataset, evaluation)[0] if evaluation.folds else _held_out(dataset, evaluation)
    )


def fold_splits(dataset: Dataset, evaluation: Evaluation) -> tuple[Splits, ...]:
    """The splits of each fold, in order; all have the same test part.

    Raises:
        DataError: as `split`.
    """
    groups, counts = _groups(dataset)
    test = _quotas(counts, evaluation.test, counts - 1)
    _check_folds(dataset, counts - test, evaluation.folds)
    random = np.random.Generator(np.random.PCG64(evaluation.seed))
    fold_of = np.full(dataset.rows, -1)  # -1: test
    dealt = 0
    for group in range(len(counts)):
        rows = random.permutation(np.flatnonzero(groups == group))[test[group] :]
        fold_of[rows] = (dealt + np.arange(len(rows))) % evaluation.folds
        dealt += len(rows)  # the next class goes on where this one ended, so that folds are even
    made = tuple(
        Splits(
            np.flatnonzero((fold_of != fold) & (fold_of >= 0)),
            np.flatnonzero(fold_of == fold),
            np.flatnonzero(fold_of < 0),
        )
        for fold in range(evaluation.folds)
    )
    for splits in made:
        _check(splits, dataset.rows)
    return made


def _check_folds(dataset: Dataset, counts: Indices, folds: int) -> None:
    """Each fold must hold a row of each class, or it would be judged by other classes."""
    smallest = int(np.argmin(counts))
    if counts[smallest] >= folds:
        return
    name = f"class {dataset.classes[smallest]!r}" if dataset.classes else "the data"
    raise DataError(
        f"evaluation.folds is {folds}, {name} has {counts[smallest]} rows besides the test split: "
        "give more rows, or fewer folds"
    )


def _groups(dataset: Dataset) -> tuple[Indices, Indices]:
    """The class of each row (rows,), and how many rows each has; values are of one class."""
    is_classified = dataset.kind is DataKind.CLASSIFICATION
    groups = dataset.targets if is_classified else np.zeros(dataset.rows, dtype=np.int64)
    groups = groups.astype(np.int64)
    return groups, np.bincount(groups)


def _held_out(dataset: Dataset, evaluation: Evaluation) -> Splits:
    groups, counts = _groups(dataset)
    test = _quotas(counts, evaluation.test, counts - 1)
    validation = _quotas(counts, evaluation.validation, counts - 1 - test)
    random = np.random.Generator(np.random.PCG64(evaluation.seed))
    parts: tuple[list[Indices], ...] = ([], [], [])
    for group in range(len(counts)):
        rows = random.permutation(np.flatnonzero(groups == group))
        ends = np.cumsum([test[group], validation[group]])
        for part, piece in zip(parts, np.split(rows, ends), strict=True):
            part.append(piece)
    in_test, in_validation, in_train = (np.sort(np.concatenate(part)) for part in parts)
    splits = Splits(in_train, in_validation, in_test)
    _check(splits, dataset.rows)
    return splits


def _quotas(counts: Indices, share: float, most: Indices) -> Indices:
    """How many rows of each group, so that the total is the share of all, as nearly as can be."""
    most = np.maximum(most, 0)
    exact = counts * share
    quotas = np.minimum(np.floor(exact).astype(np.int64), most)
    for group in np.argsort(quotas - exact, kind="stable"):
        if quotas.sum() >= round(counts.sum() * share):
            break
        if quotas[group] < most[group]:
            quotas[group] += 1
    return np.asarray(quotas, dtype=np.int64)


def _check(splits: Splits, rows: int) -> None:
    if len(splits.train) < MIN_TRAIN_ROWS:
        raise DataError(
            f"of {rows} rows {len(splits.train)} are left to train on, at least {MIN_TRAIN_ROWS} "
            "are needed: give more rows, or smaller evaluation.test and evaluation.validation"
        )
    for name, part in (("validation", splits.validation), ("test", splits.test)):
        if len(part) == 0:
            raise DataError(
                f"the {name} split of {rows} rows would be empty: give more rows or a larger "
                f"evaluation.{name}"
            )
