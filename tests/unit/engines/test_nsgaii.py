"""NSGAII: generations that follow from the histories, and a front that gets better."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.replayed_search import Course, Point, ReplayedSearch, courses
from tests.support.spaces import choice, double, integer, space_of
from winnow_operator.domain.spaces.space import Space
from winnow_operator.engines.nsgaii import NsgaiiEngine

MIXED = space_of(
    double("x", min="0", max="1"),
    integer("n", min=1, max=20),
    choice("word", "a", "b", "c"),
    choice("only", "one"),
)
SMALL = space_of(integer("n", min=1, max=5), choice("word", "a", "b", "c"))


def _two(point: Point) -> tuple[float, float]:
    """The better one, the worse the other, but for `word`, which is good for both at b."""
    good = 0.0 if point["word"] == "b" else 0.5
    n = float(point["n"]) / 20
    return n + good, (1 - n) ** 2 + good


def _search(space: Space, *, population: int = 6) -> ReplayedSearch:
    return ReplayedSearch(lambda: NsgaiiEngine(space, 7, 2, population), _two)


@settings(max_examples=8)
@given(before=st.sampled_from((0, 15)), course=courses(4, 8))
def test_a_rebuilt_engine_suggests_what_the_living_one_does(before: int, course: Course) -> None:
    search = _search(MIXED)
    search.run(before, parallel=3)
    search.go_on(course)


def test_later_generations_take_from_the_front_of_those_before() -> None:
    search = _search(MIXED, population=20)
    search.run(100, parallel=4)

    words = [str(r.assignment["word"]) for r in search.records.values()]
    assert words[:20].count("b") < 12
    assert words[60:].count("b") > 22


def test_it_takes_one_objective_too() -> None:
    search = ReplayedSearch(lambda: NsgaiiEngine(MIXED, 3, 1, 10), lambda p: sum(_two(p)))
    search.run(70)

    scores = [r.score or 0.0 for r in search.records.values()]
    assert sum(scores[50:]) / 20 < sum(scores[:10]) / 10


def test_a_finite_space_is_exhausted_exactly_at_its_size() -> None:
    search = _search(SMALL)
    search.run(16, parallel=2)

    assert len({SMALL.canonical(r.assignment) for r in search.records.values()}) == SMALL.size
    assert search.suggest() == [None]


@pytest.mark.parametrize("seed", range(2))
def test_the_seed_decides_where_it_begins(seed: int) -> None:
    assert NsgaiiEngine(MIXED, seed, 2).suggest(1) == NsgaiiEngine(MIXED, seed, 2).suggest(1)
    assert NsgaiiEngine(MIXED, seed, 2).suggest(1) != NsgaiiEngine(MIXED, seed + 9, 2).suggest(1)
