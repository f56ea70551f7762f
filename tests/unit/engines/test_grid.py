"""Grid: every point once, in any order, without memory."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.examples import examples
from tests.support.spaces import choice, double, integer, space_of, spaces
from winnow_operator.api.trial import Outcome
from winnow_operator.domain.spaces.space import Space, grid_size
from winnow_operator.engines import Record
from winnow_operator.engines.grid import GridEngine
from winnow_operator.engines.permutations import permuted
from winnow_operator.errors import InvalidSpecError

CLASSIC = space_of(
    double("learning_rate", values=["0.001", "0.01", "0.1"]),
    integer("batch_size", values=[32, 64, 128]),
    integer("epochs", min=10, max=30, step=10),
)


def _points(engine: GridEngine, count: int) -> list[object]:
    return [engine.suggest(number) for number in range(1, count + 1)]


def test_without_a_seed_the_last_parameter_changes_fastest() -> None:
    points = _points(GridEngine(CLASSIC, None), 4)

    assert points == [
        {"learning_rate": 0.001, "batch_size": 32, "epochs": 10},
        {"learning_rate": 0.001, "batch_size": 32, "epochs": 20},
        {"learning_rate": 0.001, "batch_size": 32, "epochs": 30},
        {"learning_rate": 0.001, "batch_size": 64, "epochs": 10},
    ]


def test_the_classic_grid_has_27_points_and_then_ends() -> None:
    engine = GridEngine(CLASSIC, None)

    assert len({str(p) for p in _points(engine, 27)}) == 27
    assert engine.suggest(28) is None


@given(spaces.filter(lambda s: grid_size(s) <= 400), st.none() | st.integers(0, 2**31 - 1))
def test_each_point_comes_exactly_once_for_any_seed(space: Space, seed: int | None) -> None:
    engine, size = GridEngine(space, seed), grid_size(space)

    points = [engine.suggest(number) for number in range(1, size + 1)]

    texts = {space.canonical(point) for point in points if point is not None}
    grid = space.grid()
    assert texts == {space.canonical(grid.at(i)) for i in range(size)}
    assert len(texts) == size
    assert engine.suggest(size + 1) is None


def test_different_seeds_give_different_orders() -> None:
    orders = {str(_points(GridEngine(CLASSIC, seed), 27)) for seed in range(5)}

    assert len(orders) == 5


def test_the_order_does_not_depend_on_results() -> None:
    told, untold = GridEngine(CLASSIC, 3), GridEngine(CLASSIC, 3)
    first = told.suggest(1)
    assert first is not None
    told.observe(Record(1, first, Outcome.SUCCEEDED, 0.5))

    assert _points(told, 27) == _points(untold, 27)


def test_a_grid_of_a_billion_billion_points_takes_no_memory() -> None:
    huge = space_of(
        integer("a", min=0, max=10**9 - 1),
        integer("b", min=0, max=10**9 - 1),
    )
    engine = GridEngine(huge, 7)

    assert engine.size == 10**18
    assert engine.suggest(10**18) is not None
    assert GridEngine(huge, None).suggest(10**9 + 2) == {"a": 1, "b": 1}


@pytest.mark.parametrize(
    "parameter",
    [
        double("x", min="0.1", max="1"),
        double("x", min="0.1", max="1", scale="Log"),
        integer("x", min=1, max=100, scale="Log"),
    ],
    ids=["real", "real-log", "whole-log"],
)
def test_a_range_without_end_is_refused_and_points_is_named(parameter: dict[str, object]) -> None:
    with pytest.raises(InvalidSpecError, match=r"parameter x .* points"):
        GridEngine(space_of(parameter), None)


def test_points_of_a_log_range_are_spread_over_orders_of_magnitude() -> None:
    space = space_of(double("x", min="0.0001", max="0.1", scale="Log", points=4))

    assert _points(GridEngine(space, None), 4) == [
        {"x": 0.0001},
        {"x": 0.001},
        {"x": 0.01},
        {"x": 0.1},
    ]


def test_points_of_whole_numbers_stay_on_steps_when_the_end_is_not_on_one() -> None:
    space = space_of(integer("x", min=1, max=10, step=4, points=3), choice("y", "a"))

    points = _points(GridEngine(space, None), grid_size(space))

    assert points == [{"x": 1, "y": "a"}, {"x": 5, "y": "a"}, {"x": 9, "y": "a"}]


def test_points_of_stepped_real_numbers_stay_on_steps() -> None:
    space = space_of(double("x", min="0", max="1", step="0.25", points=3))

    assert _points(GridEngine(space, None), 3) == [{"x": 0.0}, {"x": 0.5}, {"x": 1.0}]


@settings(max_examples=examples(1.2))
@given(st.integers(1, 700), st.integers(0, 2**31 - 1))
def test_a_permutation_of_any_size_hits_each_place_once(size: int, seed: int) -> None:
    assert {permuted(i, size, seed) for i in range(size)} == set(range(size))
