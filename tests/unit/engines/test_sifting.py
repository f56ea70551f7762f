"""Sifting a finite space for points that keep its constraints: the same points, in the same order."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.examples import examples
from tests.support.spaces import choice, double, integer, when
from winnow_operator.api.searchjob import Space as SpaceSpec
from winnow_operator.domain.spaces.space import Space, parse_space
from winnow_operator.engines.permutations import permuted
from winnow_operator.engines.sifting import allowed_places

A = integer("a", min=1, max=9, step=2)
B = double("b", min="-1", max="1", step="0.1")
C = integer("c", values=[8, -3, 0])
WORD = choice("word", "x", "y")
D = when(integer("d", min=1, max=3), "word", "x")
LIMITS: tuple[dict[str, Any], ...] = (
    {"sum": [{"parameter": "a"}, {"parameter": "b", "factor": "-2.5"}], "max": "4"},
    {"product": ["a", "c"], "min": "0", "max": "24"},
    {"sum": [{"parameter": "b"}, {"parameter": "c"}], "min": "0.3", "max": "8"},
    {"product": ["b", "d"], "max": "0.6"},
)


def limited(parameters: Sequence[dict[str, Any]], limits: Sequence[dict[str, Any]]) -> Space:
    document = {"parameters": list(parameters), "constraints": list(limits)}
    return parse_space(SpaceSpec.model_validate(document))


def one_by_one(space: Space, seed: int | None) -> list[int]:
    size = space.size or 0
    places = (index if seed is None else permuted(index, size, seed) for index in range(size))
    return [place for place in places if space.allows(space.at(place))]


@settings(max_examples=examples(0.3))
@given(
    limits=st.lists(st.sampled_from(LIMITS), min_size=1, max_size=3, unique_by=str),
    seed=st.none() | st.integers(0, 9),
    order=st.permutations([A, B, C]),
)
def test_sifting_finds_what_looking_at_each_point_finds(
    limits: list[dict[str, Any]], seed: int | None, order: list[dict[str, Any]]
) -> None:
    space = limited([*order, WORD, D], limits)

    assert list(allowed_places(space, space.size or 0, seed)) == one_by_one(space, seed)


def test_no_more_places_are_looked_at_than_allowed() -> None:
    space = limited([A, B, C], LIMITS[:1])

    found = list(allowed_places(space, 50, None))

    assert found == [place for place in one_by_one(space, None) if place < 50]


@pytest.mark.parametrize("values", [10**6, 2**52])
def test_spaces_beyond_64_bits_are_sifted_too(values: int) -> None:
    axes = [integer(f"p{i}", min=1, max=values) for i in range(4)]
    space = limited(axes, [{"sum": [{"parameter": a["name"]} for a in axes], "min": "4"}])

    places = list(islice(allowed_places(space, 1000, 7), 5))

    assert places == [permuted(index, space.size or 0, 7) for index in range(5)]


def test_one_point_in_a_million_is_found_at_once() -> None:
    axes = [integer(f"p{i}", min=1, max=100) for i in range(3)]
    space = limited(axes, [{"product": ["p0", "p1", "p2"], "min": "1000000"}])

    (place,) = allowed_places(space, space.size or 0, 3)

    assert space.at(place) == {"p0": 100, "p1": 100, "p2": 100}
