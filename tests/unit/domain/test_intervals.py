"""Interval texts, as Jobs write their indexes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow_operator.domain.intervals import format_intervals, parse_intervals


@given(st.sets(st.integers(0, 99_999), max_size=60))
def test_a_set_of_numbers_is_read_back(numbers: set[int]) -> None:
    text = format_intervals(numbers)

    assert parse_intervals(text) == sorted(numbers)
    assert format_intervals(parse_intervals(text)) == text


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", []),
        ("3", [3]),
        ("0-3,7", [0, 1, 2, 3, 7]),
        ("7,0-3", [0, 1, 2, 3, 7]),
        ("1-4,2-6,6", [1, 2, 3, 4, 5, 6]),
        (" 1 , 3-4 ,", [1, 3, 4]),
    ],
)
def test_intervals_may_overlap_and_come_in_any_order(text: str, numbers: list[int]) -> None:
    assert parse_intervals(text) == numbers


@pytest.mark.parametrize("text", ["a", "4-2", "1-", "-3", "1-2-3", "1-9999999999", "9999999999"])
def test_what_is_no_interval_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"interval|invalid literal"):
        parse_intervals(text)


def test_the_text_is_the_shortest() -> None:
    assert format_intervals([5, 1, 2, 3, 5, 9, 8]) == "1-3,5,8-9"
