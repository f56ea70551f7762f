"""QMC: a scrambled Sobol' sequence, repeatable by seed, no point twice where there is an end."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.spaces import choice, double, finite_spaces, integer, space_of, spaces
from winnow_operator.domain.spaces.space import Space
from winnow_operator.engines.qmc import BLOCK, QmcEngine
from winnow_operator.engines.sampling import RandomEngine

SEEDS = st.integers(0, 2**31 - 1)


@settings(max_examples=25)
@given(spaces, SEEDS, st.integers(1, 12))
def test_suggestion_n_can_be_asked_for_alone(space: Space, seed: int, number: int) -> None:
    engine = QmcEngine(space, seed)
    in_order = [engine.suggest(n) for n in range(1, number + 1)]

    assert QmcEngine(space, seed).suggest(number) == in_order[-1]


@settings(max_examples=15)
@given(finite_spaces.filter(lambda s: (s.size or 0) <= 200), SEEDS)
def test_a_finite_space_is_exhausted_exactly_at_its_size(space: Space, seed: int) -> None:
    engine, size = QmcEngine(space, seed), space.size or 0
    points = [engine.suggest(number) for number in range(1, size + 2)]

    assert points[-1] is None
    assert len({space.canonical(point) for point in points[:-1] if point}) == size


@pytest.mark.parametrize("seed", range(3))
def test_every_eighth_of_each_range_gets_as_many_points(seed: int) -> None:
    space = space_of(double("x", min="0", max="1"), double("y", min="0", max="1"))
    engine = QmcEngine(space, seed)
    points = [engine.suggest(number) or {} for number in range(1, 65)]

    for name in ("x", "y"):
        eighths = [int(float(point[name]) * 8) for point in points]
        assert [eighths.count(part) for part in range(8)] == [8] * 8


def test_choices_are_coordinates_of_the_sequence_too() -> None:
    space = space_of(choice("c", "a", "b", "c", "d"), double("x", min="0", max="1"))
    engine = QmcEngine(space, 3)
    words = [str((engine.suggest(number) or {})["c"]) for number in range(1, 17)]

    assert [words.count(word) for word in "abcd"] == [4] * 4


def test_the_seed_decides_the_sequence() -> None:
    space = space_of(integer("k", min=1, max=1000), double("x", min="0", max="1"))

    assert QmcEngine(space, 1).suggest(1) != QmcEngine(space, 2).suggest(1)


def test_the_sequence_goes_on_after_a_block() -> None:
    space = space_of(double("x", min="0", max="1"))
    engine = QmcEngine(space, 1)
    points = {space.canonical(engine.suggest(n) or {}) for n in range(1, 2 * BLOCK + 2)}

    assert len(points) == 2 * BLOCK + 1


def test_means_over_it_are_nearer_to_the_truth_than_over_random_points() -> None:
    space = space_of(*(double(name, min="0", max="1") for name in "abcd"))

    def error(engine: QmcEngine | RandomEngine) -> float:
        points = [engine.suggest(number) or {} for number in range(1, 129)]
        return abs(sum(sum(map(float, p.values())) ** 2 for p in points) / 128 - (4 + 1 / 3))

    qmc = sum(error(QmcEngine(space, seed)) for seed in range(5))
    assert qmc < sum(error(RandomEngine(space, seed)) for seed in range(5)) / 3
