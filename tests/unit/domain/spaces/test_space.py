"""The search space: values inside their ranges, one text each, and sentences for bad specs."""

from __future__ import annotations

import re
import struct
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.spaces import choice, double, integer, space_of, spaces
from winnow_operator.api.fields import DECIMAL_PATTERN, decimal_text
from winnow_operator.domain.spaces.space import Space, grid_size, value_text
from winnow_operator.domain.spaces.values import LARGEST, SMALLEST, rounded
from winnow_operator.errors import InvalidSpecError

_units = st.floats(0, 1, exclude_max=True)
_reals = st.floats(SMALLEST, LARGEST).flatmap(lambda x: st.sampled_from((x, -x)))


def _bits(value: float) -> bytes:
    return struct.pack("<d", value)


@given(spaces, st.lists(_units, min_size=4, max_size=4))
def test_every_value_is_inside_its_range_and_reads_back_bit_by_bit(
    space: Space, units: list[float]
) -> None:
    point = {d.name: d.from_unit(u) for d, u in zip(space.dimensions, units, strict=False)}

    read = space.from_texts(space.to_texts(point))

    assert read == point
    assert [type(v) for v in read.values()] == [type(v) for v in point.values()]
    for dimension in space.dimensions:
        value = point[dimension.name]
        low = getattr(dimension, "low", None)
        if isinstance(value, float):
            assert _bits(value) == _bits(float(dimension.parse(value_text(value))))
        if low is not None and not isinstance(value, str):
            assert float(low) <= value <= float(getattr(dimension, "high", value))


@given(_reals)
@example(1.2345678901234567e-07)
@example(1e-05)
@example(-1.7976931348623157e99)
@example(123456789012345678.0)
@example(0.1 + 0.2)
def test_the_text_of_a_real_number_is_one_that_the_api_server_takes(value: float) -> None:
    text = value_text(value)

    assert re.match(DECIMAL_PATTERN, text)
    assert len(text) <= 40
    assert _bits(float(text)) == _bits(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e-05, "0.00001"),
        (0.1, "0.1"),
        (100.0, "100"),
        (0.0, "0"),
        (-0.0, "0"),
        (1e16, "10000000000000000"),
        (1e22, "1e+22"),
        (1.25e-17, "1.25e-17"),
        (32, "32"),
        ("relu", "relu"),
    ],
)
def test_a_value_has_one_canonical_text(value: float | str, text: str) -> None:
    assert value_text(value) == text


@given(st.floats(-1e15, 1e15), st.floats(-1e15, 1e15))
@example(1.2345678901234567e-07, -1.2345678901234567e-07)
@example(5e-324, 0.0)
def test_status_figures_are_fixed_point_and_keep_their_order(one: float, other: float) -> None:
    texts = [decimal_text(one), decimal_text(other)]

    assert all(re.match(r"^-?[0-9]{1,18}(\.[0-9]{1,18})?$", text) for text in texts)
    if one < other:
        assert Decimal(texts[0]) <= Decimal(texts[1])
    assert abs(float(texts[0]) - one) <= 1e-18


@given(spaces)
def test_two_texts_are_the_same_only_for_the_same_point(space: Space) -> None:
    grid = space.grid()
    points = [grid.at(i) for i in range(min(grid_size(space), 50))]

    assert len({space.canonical(point) for point in points}) == len(points)


def test_words_that_look_like_a_separator_do_not_make_two_points_one() -> None:
    space = space_of(choice("a", '1","2', "1"), choice("b", "3", '2","3'))

    first = space.canonical({"a": '1","2', "b": "3"})

    assert first != space.canonical({"a": "1", "b": '2","3'})


def test_steps_are_counted_in_decimal_arithmetic() -> None:
    axis = space_of(double("x", min="0.1", max="0.75", step="0.1")).dimensions[0]

    assert axis.size == 7
    assert [axis.at(i) for i in range(7)] == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]


def test_the_last_value_of_a_stepped_range_is_the_last_step_below_max() -> None:
    axis = space_of(integer("x", min=1, max=10, step=4)).dimensions[0]

    assert axis.size == 3
    assert {axis.from_unit(u / 100) for u in range(100)} == {1, 5, 9}


@pytest.mark.parametrize("unit", [0.0, 0.999999999999])
def test_both_ends_of_a_log_range_are_reached_and_not_passed(unit: float) -> None:
    axis = space_of(integer("x", min=1, max=1000, scale="Log")).dimensions[0]

    assert axis.from_unit(unit) == (1 if unit == 0 else 1000)


def test_a_range_too_narrow_for_round_numbers_keeps_all_digits() -> None:
    low, high = 1.0, 1.0 + 1e-9

    assert len({rounded(low + i * 1e-13, low, high) for i in range(50)}) == 50


def test_a_suggested_number_has_twelve_digits() -> None:
    assert rounded(0.123456789012345678, 0.0, 1.0) == 0.123456789012


def test_the_size_of_a_space_with_one_endless_range_is_not_known() -> None:
    assert space_of(choice("a", "x"), double("b", min="0", max="1")).size is None
    assert space_of(choice("a", "x", "y"), integer("b", min=1, max=9)).size == 18


@pytest.mark.parametrize(
    ("parameter", "words"),
    [
        (double("x", min="1", max="1"), "min is 1, it must be less than max, 1"),
        (double("x", min="0", max="1", scale="Log"), "a Log range needs more than 0"),
        (integer("x", min=0, max=8, scale="Log"), "a Log range needs more than 0"),
        (integer("x", min=1, max=8, scale="Log", step=2), "a Log range has no steps"),
        (double("x", min="1", max="8", scale="Log", step="2"), "a Log range has no steps"),
        (double("x", min="0", max="1", step="0"), "step is 0"),
        (double("x", min="0", max="1", step="1e-9"), "at most 10000000 steps"),
        (double("x", min="100000000000000000", max="100000000000000100", step="4"), "finest step"),
        (double("x", min="1"), "give min and max, or values"),
        (integer("x", max=1), "give min and max, or values"),
        (double("x", values=["0.1", "0.10"]), "lists 0.1 more than once"),
        (double("x", values=["0", "-0"]), "lists 0 more than once"),
        (integer("x", values=[3, 3]), "lists 3 more than once"),
        (integer("x", values=[3], min=1), "min, max, step and points must be left out"),
        (double("x", min="0", max="999999999999999999e99"), "allowed are 0 and sizes from 1e-99"),
        (double("x", min="0", max="0.000000001e-98"), "allowed are 0 and sizes from 1e-99"),
        ({"name": "x"}, "give one of double, int and choice"),
        ({"name": "x", **choice("x", "a"), **integer("x", min=1, max=2)}, "give one of double"),
    ],
    ids=str,
)
def test_what_the_schema_cannot_see_is_refused_with_a_sentence(
    parameter: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidSpecError, match=re.escape(words)) as caught:
        space_of(parameter)

    assert "parameter x" in str(caught.value)


def test_a_name_given_twice_is_refused() -> None:
    with pytest.raises(InvalidSpecError, match="names x more than once"):
        space_of(choice("x", "a"), integer("x", min=1, max=2))


@pytest.mark.parametrize(
    ("parameter", "text"),
    [
        (integer("x", min=1, max=9), "three"),
        (double("x", min="1", max="9"), "three"),
        (choice("x", "a", "b"), "c"),
    ],
    ids=str,
)
def test_a_recorded_text_that_is_no_value_is_refused(parameter: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidSpecError, match=f"'{text}' is no .*parameter x"):
        space_of(parameter).from_texts((("x", text),))


def test_a_recorded_trial_without_one_of_the_values_is_refused() -> None:
    with pytest.raises(InvalidSpecError, match="no value for y"):
        space_of(choice("x", "a"), choice("y", "b")).from_texts((("x", "a"),))
