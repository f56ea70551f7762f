"""Parameters that only some trials have, in each engine that can search them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.replayed_search import Point, ReplayedSearch
from tests.support.spaces import choice, double, integer, space_of, when
from winnow_operator.domain.spaces.space import Space
from winnow_operator.engines import SearchEngine
from winnow_operator.engines.grid import GridEngine
from winnow_operator.engines.qmc import QmcEngine
from winnow_operator.engines.sampling import RandomEngine
from winnow_operator.engines.tpe import TpeEngine

ENDLESS = space_of(
    double("rate", min="0.0001", max="0.1", scale="Log"),
    choice("optimizer", "sgd", "adam"),
    when(double("momentum", min="0", max="0.99"), "optimizer", "sgd"),
    when(integer("power", min=1, max=3), "optimizer", "sgd"),
)
FINITE = space_of(
    choice("optimizer", "sgd", "adam", "lbfgs"),
    when(integer("every", min=1, max=4), "optimizer", "sgd"),
    when(choice("schedule", "flat", "steps"), "optimizer", "adam"),
)
ENGINES: dict[str, Callable[[Space, int], SearchEngine]] = {
    "Grid": GridEngine,
    "Random": RandomEngine,
    "QMC": QmcEngine,
    "TPE": TpeEngine,
}


def _score(point: Point) -> float:
    """Momentum near 0.9 is best."""
    return abs(float(point["momentum"]) - 0.9) if "momentum" in point else 1.0


@pytest.mark.parametrize("name", ENGINES)
def test_a_finite_space_is_exhausted_exactly_at_its_size(name: str) -> None:
    search = ReplayedSearch(lambda: ENGINES[name](FINITE, 7), lambda p: float(len(p)))
    search.run(8, parallel=2)

    points = {FINITE.canonical(record.assignment) for record in search.records.values()}
    assert len(points) == FINITE.size == 7
    assert search.suggest() == [None]


@pytest.mark.parametrize("name", ["Random", "QMC", "TPE"])
def test_a_trial_has_exactly_what_belongs_to_it(name: str) -> None:
    search = ReplayedSearch(lambda: ENGINES[name](ENDLESS, 7), _score)
    search.run(25, parallel=3)

    for record in search.records.values():
        is_sgd = record.assignment["optimizer"] == "sgd"
        assert set(record.assignment) == {
            "rate",
            "optimizer",
            *(("momentum", "power") if is_sgd else ()),
        }


@pytest.mark.parametrize("name", ["Random", "QMC", "TPE"])
def test_a_rebuilt_engine_suggests_what_the_living_one_does(name: str) -> None:
    search = ReplayedSearch(lambda: ENGINES[name](ENDLESS, 3), _score)
    for _ in range(3):
        search.run(6, parallel=2)
        assert search.rebuilt().suggest(len(search.records) + 1) == search.suggest()[0]


def test_tpe_learns_about_a_parameter_that_only_some_trials_have() -> None:
    search = ReplayedSearch(lambda: TpeEngine(ENDLESS, 5), _score)
    search.run(70)

    late = [search.records[number].score or 0.0 for number in range(41, 71)]
    assert sum(score < 0.2 for score in late) > 15
