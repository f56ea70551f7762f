"""Points of the user's own come first, and are learnt from."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.facts import spec_of
from tests.support.replayed_search import Point, ReplayedSearch
from winnow_operator.api.searchjob import SearchJobSpec
from winnow_operator.domain.spaces.space import parse_space
from winnow_operator.engines import make_engine

SPACE = {
    "parameters": [
        {"name": "x", "double": {"min": "0", "max": "1"}},
        {"name": "n", "int": {"min": 1, "max": 9, "step": 2}},
    ]
}


def point(x: str, n: str) -> dict[str, Any]:
    return {"parameters": [{"name": "x", "value": x}, {"name": "n", "value": n}]}


def started(algorithm: str, *points: dict[str, Any]) -> SearchJobSpec:
    return spec_of(
        {"space": SPACE, "algorithm": {"name": algorithm, "seed": 3}, "start": list(points)}
    )


def search_of(spec: SearchJobSpec) -> ReplayedSearch:
    return ReplayedSearch(lambda: make_engine(spec, parse_space(spec.space)), _score)


def _score(found: Point) -> float:
    return abs(float(found["x"]) - 0.9)


@pytest.mark.parametrize("algorithm", ["TPE", "CMAES", "NSGAII"])
def test_given_points_come_first_in_their_order_also_after_a_restart(algorithm: str) -> None:
    search = search_of(started(algorithm, point("0.9", "3"), point("8e-1", "9")))

    points = search.suggest(3)

    assert points[:2] == [{"x": 0.9, "n": 3}, {"x": 0.8, "n": 9}]
    assert points[2] not in points[:2]
    assert search.rebuilt().suggest(4) == search.suggest()[0]


@pytest.mark.parametrize("algorithm", ["TPE", "CMAES", "NSGAII"])
def test_a_rebuilt_engine_goes_on_as_the_living_one(algorithm: str) -> None:
    search = search_of(started(algorithm, *(point(f"0.{i}", "5") for i in range(5, 10))))
    for _ in range(4):
        search.run(6, parallel=2)
        assert search.rebuilt().suggest(len(search.records) + 1) == search.suggest()[0]


def test_what_is_given_is_learnt_from() -> None:
    near = [point(f"0.{i}", "5") for i in (86, 88, 89, 91, 92, 94)]
    far = [point(f"0.{i}", "5") for i in (10, 20, 30, 40, 50, 60)]
    helped, alone = search_of(started("TPE", *near, *far)), search_of(started("TPE"))
    for search in (helped, alone):
        search.run(24)

    def error(search: ReplayedSearch, first: int) -> float:
        return sum(search.records[n].score or 0.0 for n in range(first, first + 8)) / 8

    assert error(helped, 13) < 0.75 * error(alone, 1)
