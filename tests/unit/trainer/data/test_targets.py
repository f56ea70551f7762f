"""Target columns: what kind they are, and how they become numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow_trainer.data.targets import MAX_CLASSES, read_targets
from winnow_trainer.errors import DataError
from winnow_trainer.task import DataKind

AUTO, CLASSES, VALUES = DataKind.AUTO, DataKind.CLASSIFICATION, DataKind.REGRESSION


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (["a", "b"] * 5, CLASSES),
        (["1", "2"] * 5, CLASSES),
        (["1.0", "2.0"] * 5, CLASSES),
        ([True, False] * 5, CLASSES),
        ([0.5, 1.0] * 5, VALUES),
        (list(range(50)) * 3, CLASSES),
        (list(range(51)) * 3, VALUES),
    ],
)
def test_auto_takes_words_and_few_whole_numbers_for_classes(raw: list[Any], kind: DataKind) -> None:
    assert read_targets(np.array(raw), AUTO, "y").kind is kind


@given(st.lists(st.text("abc 12.", min_size=1).filter(str.strip), min_size=9, max_size=60))
def test_each_row_gets_the_index_of_its_own_class(raw: list[str]) -> None:
    raw = [*raw, *["x", "y"] * len(raw) * 3]  # enough rows for the classes that there are

    targets = read_targets(np.array(raw), CLASSES, "y")

    assert [targets.classes[i] for i in targets.values] == raw
    assert len(set(targets.classes)) == len(targets.classes)


def test_long_numbers_keep_names_of_their_own() -> None:
    targets = read_targets(np.array([1_000_001, 1_000_002, 0.1 + 0.2] * 3), CLASSES, "y")

    assert targets.classes == ("0.30000000000000004", "1000001", "1000002")


def test_bytes_are_read_as_text() -> None:
    assert read_targets(np.array([b"cat", b"dog"] * 3), AUTO, "y").classes == ("cat", "dog")


@pytest.mark.parametrize(
    ("raw", "kind", "words"),
    [
        (["1", "2", "red"] * 2, VALUES, "is text ('red' in row 3), and data.kind is Regression"),
        ([1.0, 2.0, 1e39], VALUES, "numbers that are too large for 32 bits"),
        ([2.5] * 4, VALUES, "is 2.5 in every row: nothing to learn"),
        ([1.0, float("inf")], AUTO, "is 'inf' in row 2: every row needs a target"),
        (["a", " "], AUTO, "is ' ' in row 2: every row needs a target"),
        (["a", "b", "c"], AUTO, "has 3 classes in 3 rows: too few rows for each"),
    ],
)
def test_a_column_that_cannot_be_used_is_refused_with_a_sentence(
    raw: list[Any], kind: DataKind, words: str
) -> None:
    with pytest.raises(DataError) as refusal:
        read_targets(np.array(raw), kind, "y")

    assert words in str(refusal.value)


def test_identifiers_are_no_classes() -> None:
    raw = np.tile(np.arange(MAX_CLASSES + 1), 3)

    with pytest.raises(DataError, match="has 10001 classes, allowed are at most 10000"):
        read_targets(raw, CLASSES, "y")
