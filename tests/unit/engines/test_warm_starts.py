"""What is known from other searches: engines suggest near what was good there, and repeat it."""

from __future__ import annotations

import random
from statistics import fmean

import pytest

from tests.support.facts import spec_of
from tests.support.replayed_search import Point, ReplayedSearch
from winnow_operator.domain.searches.warm_starts import KnownTrial
from winnow_operator.domain.spaces.space import Space, parse_space
from winnow_operator.engines import SearchEngine, make_engine
from winnow_operator.engines.sampling import sample

LEARNING = ("TPE", "CMAES", "NSGAII")
SPEC = spec_of(
    {
        "space": {
            "parameters": [
                {"name": "x", "double": {"min": "0", "max": "1"}},
                {"name": "y", "double": {"min": "0", "max": "1"}},
            ]
        }
    }
)
SPACE = parse_space(SPEC.space)


def distance(point: Point) -> float:
    return abs(float(point["x"]) - 0.8) + abs(float(point["y"]) - 0.2)


def known(count: int) -> list[KnownTrial]:
    source = random.Random(3)  # noqa: S311 -- points, not secrets
    points = [{"x": source.random(), "y": source.random()} for _ in range(count)]
    return [KnownTrial(point, (distance(point),), 0.0) for point in points]


def engine(name: str, trials: list[KnownTrial], space: Space = SPACE) -> SearchEngine:
    algorithm = SPEC.algorithm.model_copy(update={"name": name, "seed": 5})
    return make_engine(SPEC.model_copy(update={"algorithm": algorithm}), space, trials)


def first_points(name: str, trials: list[KnownTrial]) -> float:
    made = engine(name, trials)
    points = [made.suggest(number) for number in range(1, 9)]
    return fmean(distance(point) for point in points if point is not None)


@pytest.mark.parametrize("name", LEARNING)
def test_the_first_suggestions_are_nearer_to_what_was_good_elsewhere(name: str) -> None:
    assert first_points(name, known(60)) < first_points(name, []) * 0.75


@pytest.mark.parametrize("name", LEARNING)
@pytest.mark.parametrize("count", [1, 2, 9, 60])
def test_a_search_with_knowledge_repeats_after_a_restart(name: str, count: int) -> None:
    search = ReplayedSearch(lambda: engine(name, known(count)), distance)
    search.run(13, parallel=2)

    assert search.rebuilt().suggest(14) == search.suggest()[0]


@pytest.mark.parametrize("name", LEARNING)
def test_what_was_tried_elsewhere_may_be_tried_again(name: str) -> None:
    """It cannot win here, so a finite space is searched whole."""
    spec = spec_of(
        {
            "space": {"parameters": [{"name": "n", "int": {"min": 1, "max": 4}}]},
            "algorithm": {"name": name},
        }
    )
    trials = [KnownTrial({"n": n}, (float(n),), 0.0) for n in (1, 2, 3, 4)]
    made = make_engine(spec, parse_space(spec.space), trials)

    points = [made.suggest(number) for number in range(1, 6)]

    assert sorted(p["n"] for p in points[:4] if p) == [1, 2, 3, 4]
    assert points[4] is None


# ---- architectures ----

NETS = {
    "space": {
        "architecture": {"mlp": {"depth": {"min": 4, "max": 6}, "widths": [8, 16, 32, 64]}},
        "parameters": [{"name": "x", "double": {"min": "0", "max": "1"}}],
    }
}


def narrowness(point: Point) -> float:
    """Low for nets whose layers are all wide."""
    widths = str(point["architecture"]).split("-")
    return fmean(64 - int(width) for width in widths)


def engine_of_nets(name: str, count: int) -> SearchEngine:
    spec = spec_of({**NETS, "algorithm": {"name": name, "seed": 5}})
    space, source = parse_space(spec.space), random.Random(3)  # noqa: S311 -- points, not secrets
    points = [sample(space, source) for _ in range(count)]
    trials = [KnownTrial(point, (narrowness(point),), 0.0) for point in points]
    return make_engine(spec, space, trials)


@pytest.mark.parametrize("name", ["Evolution", "Generative"])
def test_the_first_nets_are_nearer_to_those_that_were_good_elsewhere(name: str) -> None:
    def first(count: int) -> float:
        made = engine_of_nets(name, count)
        points = [made.suggest(number) for number in range(1, 9)]
        return fmean(narrowness(point) for point in points if point is not None)

    assert first(40) < first(0) * 0.75


def test_evolution_breeds_from_the_best_nets_elsewhere_until_its_own_are_a_population() -> None:
    """Whatever it finds itself: of those that are known, the worst die first."""

    def second_half(count: int) -> float:
        search = ReplayedSearch(lambda: engine_of_nets("Evolution", count), lambda _: 99.0)
        search.run(20)
        return fmean(narrowness(search.records[n].assignment) for n in range(11, 21))

    assert second_half(40) < second_half(0) * 0.75


@pytest.mark.parametrize("name", ["Evolution", "Generative"])
def test_a_search_of_nets_with_knowledge_repeats_after_a_restart(name: str) -> None:
    search = ReplayedSearch(lambda: engine_of_nets(name, 18), narrowness)
    search.run(21, parallel=2)

    first, again = (search.engine.suggest(22) for _ in range(2))  # as when a write has failed
    assert first == again == search.rebuilt().suggest(22)
