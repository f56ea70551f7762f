"""Parameters that only some trials have: how many points there are, and what a point holds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.spaces import choice, double, integer, space_of, when
from winnow_operator.domain.spaces.space import Space, Value
from winnow_operator.errors import InvalidSpecError

NESTED = space_of(
    integer("n", min=1, max=2),
    choice("optimizer", "sgd", "adam", "lbfgs"),
    when(double("momentum", values=["0", "0.9"]), "optimizer", "sgd"),
    when(choice("schedule", "flat", "steps"), "optimizer", "sgd", "adam"),
    when(integer("every", values=[5, 10, 20]), "schedule", "steps"),
)
"""2 * (sgd: 2 * (1 + 3), adam: 1 + 3, lbfgs: 1) = 26 points."""


@st.composite
def conditional_spaces(draw: st.DrawFn) -> Space:
    """Up to five choices, of which later ones may depend on earlier ones."""
    parameters: list[dict[str, Any]] = []
    for place in range(draw(st.integers(1, 5))):
        words = draw(st.sampled_from((("a",), ("a", "b"), ("a", "b", "c"))))
        made = choice(f"p{place}", *words)
        depends: bool = draw(st.booleans())
        if parameters and depends:
            parent = draw(st.sampled_from(parameters))
            chosen = draw(st.sets(st.sampled_from(parent["choice"]["values"]), min_size=1))
            made = when(made, parent["name"], *sorted(chosen))
        parameters.append(made)
    return space_of(*parameters)


def test_points_are_counted_without_what_does_not_belong() -> None:
    assert NESTED.size == 26


@given(conditional_spaces())
def test_each_index_is_another_point_and_there_are_no_more(space: Space) -> None:
    points = [space.at(index) for index in range(space.size or 0)]

    everything = {
        space.canonical(space.belonging(dict(zip(names(space), values, strict=True))))
        for values in combinations(space)
    }
    assert {space.canonical(point) for point in points} == everything
    assert len(points) == len(everything)


def names(space: Space) -> list[str]:
    return [d.name for d in space.dimensions]


def combinations(space: Space) -> list[tuple[Any, ...]]:
    made: list[tuple[Any, ...]] = [()]
    for d in space.dimensions:
        made = [(*head, d.at(i)) for head in made for i in range(d.size or 0)]
    return made


@given(conditional_spaces())
def test_a_point_is_read_back_from_its_texts(space: Space) -> None:
    for index in range(space.size or 0):
        point = space.at(index)
        assert space.from_texts(space.to_texts(point)) == point


def test_what_depends_on_what_is_missing_is_missing_too() -> None:
    values: dict[str, Value] = {
        "n": 1,
        "optimizer": "lbfgs",
        "momentum": 0.9,
        "schedule": "steps",
        "every": 5,
    }

    assert NESTED.belonging(values) == {"n": 1, "optimizer": "lbfgs"}


def test_a_grid_over_conditions_has_the_points_that_belong() -> None:
    space = space_of(choice("a", "x", "y"), when(double("b", min="0", max="1", points=3), "a", "x"))

    assert space.size is None
    assert space.grid().size == 4


def test_a_record_without_a_value_that_belongs_is_refused() -> None:
    with pytest.raises(InvalidSpecError, match="no value for momentum"):
        NESTED.from_texts((("n", "1"), ("optimizer", "sgd"), ("schedule", "flat")))
