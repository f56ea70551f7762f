"""Durations and decimal strings."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow_operator.api.fields import DURATION_PATTERN, duration_seconds

PARTS = st.lists(st.tuples(st.integers(0, 999_999), st.sampled_from("hms")), min_size=1, max_size=3)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("1h30m", 5400), ("0s", 0), ("2m2m", 240)]
)
def test_a_duration_is_read_as_seconds(text: str, seconds: int) -> None:
    assert duration_seconds(text) == seconds


@given(PARTS)
def test_each_part_of_a_duration_counts(parts: list[tuple[int, str]]) -> None:
    text = "".join(f"{count}{unit}" for count, unit in parts)

    assert re.fullmatch(DURATION_PATTERN, text)
    factor = {"h": 3600, "m": 60, "s": 1}
    assert duration_seconds(text) == sum(count * factor[unit] for count, unit in parts)
