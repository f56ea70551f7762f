"""Random: repeatable by seed, independent of results, no point twice where there is an end."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.examples import examples
from tests.support.spaces import choice, double, finite_spaces, integer, space_of, spaces
from winnow_operator.api.trial import Outcome
from winnow_operator.domain.spaces.space import Space
from winnow_operator.engines import Record
from winnow_operator.engines.sampling import RandomEngine

WIDE = space_of(
    double("rate", min="0.0001", max="0.1", scale="Log"),
    integer("width", min=8, max=512, scale="Log"),
    choice("activation", "relu", "gelu"),
)


def _texts(engine: RandomEngine, space: Space, count: int) -> list[str | None]:
    points = (engine.suggest(number) for number in range(1, count + 1))
    return [None if point is None else space.canonical(point) for point in points]


@given(spaces, st.integers(0, 2**31 - 1))
def test_the_same_seed_gives_the_same_sequence_whatever_the_results(
    space: Space, seed: int
) -> None:
    told, untold = RandomEngine(space, seed), RandomEngine(space, seed)
    told_texts = []
    for number in range(1, 13):
        point = told.suggest(number)
        told_texts.append(None if point is None else space.canonical(point))
        if point is not None:
            told.observe(Record(number, point, Outcome.SUCCEEDED, float(number)))

    assert told_texts == _texts(untold, space, 12)


@given(spaces, st.integers(0, 2**31 - 1), st.integers(1, 12))
def test_suggestion_n_can_be_asked_for_alone(space: Space, seed: int, number: int) -> None:
    texts = _texts(RandomEngine(space, seed), space, number)
    alone = RandomEngine(space, seed).suggest(number)

    assert (None if alone is None else space.canonical(alone)) == texts[-1]


@settings(max_examples=examples(1.5))
@given(finite_spaces.filter(lambda s: (s.size or 0) <= 400), st.integers(0, 2**31 - 1))
def test_a_finite_space_is_exhausted_exactly_at_its_size(space: Space, seed: int) -> None:
    engine, size = RandomEngine(space, seed), space.size or 0

    texts = _texts(engine, space, size)

    assert None not in texts
    assert len(set(texts)) == size
    assert engine.suggest(size + 1) is None


def test_different_seeds_give_different_sequences() -> None:
    assert len({str(_texts(RandomEngine(WIDE, seed), WIDE, 3)) for seed in range(10)}) == 10


def test_a_log_range_of_whole_numbers_covers_each_octave_alike() -> None:
    space = space_of(integer("n", min=1, max=1023, scale="Log"), double("x", min="0", max="1"))
    engine = RandomEngine(space, 5)

    points = [engine.suggest(number) for number in range(1, 2001)]

    octaves = Counter(int(p["n"]).bit_length() for p in points if p is not None)
    assert set(octaves) == set(range(1, 11))
    assert max(octaves.values()) < 2 * min(octaves.values())


def test_a_space_of_a_million_million_points_is_drawn_from_at_once() -> None:
    space = space_of(integer("a", min=1, max=10**6), integer("b", min=1, max=10**6))
    engine = RandomEngine(space, 1)

    assert space.size == 10**12
    assert len(set(_texts(engine, space, 500))) == 500


@pytest.mark.parametrize("size", [3, 700])
def test_rare_points_of_a_log_range_come_too(size: int) -> None:
    space = space_of(integer("n", min=1, max=size, scale="Log"))

    texts = _texts(RandomEngine(space, 2), space, size)

    assert len(set(texts)) == size
