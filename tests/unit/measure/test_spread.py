"""From rounds to a figure and its error: moods of the machine, outliers, true differences."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow_measure.spread import summarise


def test_one_round_has_no_error() -> None:
    assert summarise(np.array([[3.0], [4.0]])) == [(3.0, None), (4.0, None)]


def test_rounds_that_are_the_same_have_no_spread() -> None:
    assert summarise(np.full((2, 5), 2.0)) == [(2.0, 0.0), (2.0, 0.0)]


@given(
    st.lists(st.floats(1e-6, 1e3), min_size=2, max_size=16),
    st.lists(st.floats(0.2, 5), min_size=2, max_size=9),
)
def test_a_mood_that_all_models_share_is_no_spread(
    figures: list[float], moods: list[float]
) -> None:
    found = summarise(np.outer(figures, moods))

    for (value, error), figure in zip(found, figures, strict=True):
        assert value == pytest.approx(figure * float(np.median(moods)), rel=1e-9)
        assert error == pytest.approx(0, abs=1e-9 * figure)


@given(st.lists(st.floats(1e-6, 1e3), min_size=1, max_size=9), st.floats(0.01, 100))
def test_another_unit_is_another_unit_and_nothing_else(rounds: list[float], unit: float) -> None:
    table = np.array([rounds, rounds[::-1]])

    for (value, error), (scaled, scaled_error) in zip(
        summarise(table), summarise(table * unit), strict=True
    ):
        assert scaled == pytest.approx(value * unit)
        assert (error is None) is (scaled_error is None)
        assert scaled_error == (None if error is None else pytest.approx(error * unit, abs=1e-9))


def test_one_bad_round_moves_the_error_and_not_the_figure() -> None:
    quiet = [1.0, 1.01, 0.99, 1.0, 1.0]
    found = summarise(np.array([quiet, quiet, [1.0, 1.01, 0.99, 1.0, 9.0]]))

    assert [value for value, _ in found] == pytest.approx([1, 1, 1], abs=0.02)
    assert found[0][1] is not None
    assert found[2][1] is not None
    assert found[2][1] > 10 * found[0][1]


def test_the_error_is_that_of_a_median_of_normal_values() -> None:
    random = np.random.default_rng(3)
    models, rounds, spread = 6, 5, 0.02
    tables = 1 + random.normal(0, spread, size=(2000, models, rounds))

    errors = [summarise(table)[0][1] or 0.0 for table in tables]
    figures = [summarise(table)[0][0] / np.median(table) for table in tables]

    # What is claimed as the error of one figure, and how far the figures really scatter.
    claimed = math.sqrt(float(np.mean(np.square(errors))))
    assert claimed == pytest.approx(float(np.std(figures)), rel=0.25)


def test_rounds_of_processes_that_ran_apart_have_no_mood() -> None:
    table = np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]])

    (value, error), _ = summarise(table, share_moods=False)

    assert value == 2
    assert error == pytest.approx(math.sqrt(math.pi / 6))
