"""The median of paired ratios and its interval."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.pairs import COVERAGE, FEWEST_PAIRS, coverage, median_interval

RATIOS = st.lists(st.floats(0.1, 10), min_size=FEWEST_PAIRS, max_size=60)


@given(RATIOS)
def test_the_median_lies_in_its_interval_and_the_interval_among_the_values(
    values: list[float],
) -> None:
    found = median_interval(values)

    assert min(values) <= found.low <= found.median <= found.high <= max(values)
    assert found.coverage >= COVERAGE


@given(RATIOS)
def test_one_wild_pair_does_not_move_the_median_out_of_the_other_values(
    values: list[float],
) -> None:
    found = median_interval([*values, 1e6])

    assert found.median <= max(values)


@pytest.mark.parametrize(
    ("count", "left_out", "expected"),
    [(5, 0, 0.9375), (6, 0, 0.96875), (8, 1, 0.9297), (11, 2, 0.9346)],
)
def test_the_coverage_is_that_of_order_statistics(
    count: int, left_out: int, expected: float
) -> None:
    assert coverage(count, left_out) == pytest.approx(expected, abs=1e-4)


def test_the_interval_holds_the_true_median_as_often_as_it_says() -> None:
    source = random.Random(7)  # noqa: S311 -- draws for a figure, not for secrets
    draws = [[source.lognormvariate(0, 1) for _ in range(9)] for _ in range(4000)]
    found = [median_interval(values) for values in draws]

    share = sum(i.low <= 1.0 <= i.high for i in found) / len(found)
    assert share == pytest.approx(found[0].coverage, abs=0.015)


def test_too_few_pairs_are_refused_with_the_number_that_is_enough() -> None:
    with pytest.raises(ValueError, match="at least 5 do"):
        median_interval([1.0] * 4)
