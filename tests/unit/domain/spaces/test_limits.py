"""Constraints between parameters: which points keep them, and whether any can."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow_operator.api.space import SpaceConstraint
from winnow_operator.domain.spaces.limits import Limit, limit_of

numbers = st.floats(-100, 100)
pairs = st.tuples(numbers, numbers)
units = st.floats(0, 1)


def limit(**fields: Any) -> Limit:
    return limit_of(SpaceConstraint.model_validate(fields))


def test_a_sum_is_weighed_by_its_factors() -> None:
    earlier = limit(sum=[{"parameter": "a"}, {"parameter": "b", "factor": "-1"}], max="0")

    assert earlier.holds({"a": 3, "b": 3})
    assert not earlier.holds({"a": 3, "b": 2})


def test_a_product_lies_between_its_limits() -> None:
    area = limit(product=["a", "b"], min="2", max="6")

    assert [area.holds({"a": a, "b": 2}) for a in (0, 1, 3, 4)] == [False, True, True, False]


def test_rounding_breaks_no_constraint() -> None:
    tenths = limit(sum=[{"parameter": "a"}, {"parameter": "b"}], max="0.3")

    assert 0.1 + 0.2 > 0.3
    assert tenths.holds({"a": 0.1, "b": 0.2})


def test_a_trial_without_one_of_the_parameters_keeps_it() -> None:
    assert limit(product=["a", "b"], max="1").holds({"a": 99})


@given(pairs, pairs, units, units, st.sampled_from(("sum", "product")), numbers)
def test_what_some_point_keeps_is_not_said_to_be_impossible(  # noqa: PLR0913, PLR0917 -- drawn
    a: tuple[float, float],
    b: tuple[float, float],
    in_a: float,
    in_b: float,
    kind: str,
    bound: float,
) -> None:
    ranges = {"a": (min(a), max(a)), "b": (min(b), max(b))}
    point = {
        n: ranges[n][0] + u * (ranges[n][1] - ranges[n][0]) for n, u in (("a", in_a), ("b", in_b))
    }
    terms: Any = {
        "product": ["a", "b"],
        "sum": [{"parameter": "a"}, {"parameter": "b", "factor": "-2"}],
    }
    made = limit(**{kind: terms[kind], "max": f"{bound:.3f}"})

    if made.holds(point):
        assert made.can_hold(ranges)


@pytest.mark.parametrize(
    ("fields", "possible"),
    [
        ({"product": ["a", "b"], "min": "101"}, False),
        ({"product": ["a", "b"], "min": "100"}, True),
        ({"product": ["a", "b"], "min": "50", "max": "40"}, False),
        ({"sum": [{"parameter": "a"}, {"parameter": "b", "factor": "-1"}], "max": "-10"}, False),
        ({"sum": [{"parameter": "a"}, {"parameter": "b", "factor": "-1"}], "max": "-9"}, True),
    ],
)
def test_what_no_point_can_keep_is_known_at_once(fields: Any, *, possible: bool) -> None:
    assert limit(**fields).can_hold({"a": (1, 10), "b": (1, 10)}) is possible
