"""CMAES: a suggestion follows from the spec and the histories in the records, and nothing else."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.replayed_search import Course, Point, ReplayedSearch, courses
from tests.support.spaces import double, integer, space_of
from winnow_operator.api.trial import Outcome
from winnow_operator.domain.spaces.space import Space
from winnow_operator.engines import Record
from winnow_operator.engines.cmaes import CmaesEngine, population_size

NUMBERS = space_of(
    double("rate", min="0.0001", max="0.1", scale="Log"),
    double("dropout", min="0", max="0.55", step="0.1"),
    integer("width", min=8, max=512, scale="Log"),
    integer("batch", values=[64, 16, 32]),
    integer("depth", values=[3]),
)
SMALL = space_of(integer("a", min=1, max=5), double("b", values=["0.1", "0.3", "0.2"]))
PLANE = space_of(double("x", min="-5", max="5"), double("y", min="-5", max="5"))
SPACES = {"numbers": NUMBERS, "small": SMALL}


def _total(point: Point) -> float:
    return sum(float(value) for value in point.values())


def _bowl(point: Point) -> float:
    return (float(point["x"]) - 1) ** 2 + 10 * (float(point["y"]) + 2) ** 2


def _search(space: Space, seed: int = 7) -> ReplayedSearch:
    score = _bowl if space is PLANE else _total
    return ReplayedSearch(lambda: CmaesEngine(space, seed), score)


@pytest.mark.parametrize("name", SPACES)
@settings(max_examples=8)
@given(before=st.sampled_from((0, 9, 30)), course=courses(4, 12))
def test_a_rebuilt_engine_suggests_what_the_living_one_does(
    name: str, before: int, course: Course
) -> None:
    search = _search(SPACES[name])
    search.run(before, parallel=3)
    search.go_on(course)


def test_a_late_outcome_does_not_rewrite_the_generations_before_it() -> None:
    search = _search(PLANE)
    search.suggest(8)
    for number in range(2, 9):
        search.end(number)
    search.run(30)
    search.end(1)

    first = len(search.records) + 1
    assert search.rebuilt().suggest(first) == search.suggest()[0]


def test_a_generation_ends_once_enough_of_it_has_a_value() -> None:
    size = population_size(2)
    quick, failing = _search(PLANE), _search(PLANE)
    for search in (quick, failing):
        search.suggest(size)
        for number in range(1, size):
            search.end(number)
    quick.end(size)
    failing.end(size, Outcome.FAILED)

    assert quick.suggest() != failing.suggest()


@pytest.mark.parametrize("seed", range(3))
def test_it_finds_the_bottom_of_a_bowl(seed: int) -> None:
    search = _search(PLANE, seed)
    search.run(200, parallel=2)

    assert min(r.score for r in search.records.values() if r.score is not None) < 0.001


def test_a_finite_space_is_exhausted_exactly_at_its_size() -> None:
    search = _search(SMALL)
    search.run(16, parallel=2)

    assert len({SMALL.canonical(r.assignment) for r in search.records.values()}) == SMALL.size
    assert search.suggest() == [None]


def test_a_space_of_one_point_has_one_suggestion() -> None:
    search = _search(space_of(integer("a", values=[4])))

    assert [search.suggest()[0], search.suggest()[0]] == [{"a": 4}, None]


def test_a_search_whose_values_are_all_the_same_goes_on() -> None:
    search = ReplayedSearch(lambda: CmaesEngine(PLANE, 1), lambda _: 0.5)
    search.run(300)

    assert all(r.outcome is Outcome.SUCCEEDED for r in search.records.values())
    assert all(math.isfinite(_total(r.assignment)) for r in search.records.values())
    assert search.rebuilt().suggest(301) == search.suggest()[0]


def test_a_suggestion_that_was_not_recorded_is_forgotten_when_asked_for_again() -> None:
    search = _search(SMALL)
    search.run(7)
    first = search.engine.suggest(8)

    assert search.engine.suggest(8) == first
    assert search.suggest()[0] == first
    assert search.rebuilt().suggest(9) == search.suggest()[0]


def test_a_suggestion_does_not_depend_on_trials_with_a_higher_number() -> None:
    search = _search(PLANE)
    search.run(30)
    expected = search.rebuilt().suggest(31)
    ahead = search.rebuilt()
    ahead.observe(Record(40, {"x": 0.5, "y": 0.5}, Outcome.SUCCEEDED, 1.0, "1-30"))

    assert ahead.suggest(31) == expected


def test_a_trial_that_was_stopped_early_ranks_behind_those_that_ran_on() -> None:
    """As constraints do: the model sees places, the latest rung first among those stopped."""

    def search(*, cut: bool) -> list[Point | None]:
        engine = CmaesEngine(PLANE, 7)
        for number in range(1, population_size(2) + 1):
            is_cut = cut and number < 3
            point = engine.suggest(number)
            assert point is not None
            engine.observe(
                Record(
                    number,
                    point,
                    Outcome.STOPPED if is_cut else Outcome.SUCCEEDED,
                    score=float(number),
                    stopped_at=number if is_cut else 0,
                )
            )
        return [engine.suggest(population_size(2) + 1)]

    assert search(cut=True) != search(cut=False)
