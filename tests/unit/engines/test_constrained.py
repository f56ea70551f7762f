"""Constraints: what misses less comes first, in each engine that learns, before a restart and after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from typing_extensions import override

from tests.support.replayed_search import ReplayedSearch
from tests.support.spaces import double, space_of
from winnow_operator.api.trial import Outcome
from winnow_operator.engines import SearchEngine
from winnow_operator.engines.cmaes import CmaesEngine
from winnow_operator.engines.nsgaii import NsgaiiEngine
from winnow_operator.engines.tpe import TpeEngine

SPACE = space_of(double("x", min="0", max="1"), double("y", min="0", max="1"))
ENGINES: dict[str, Callable[[], SearchEngine]] = {
    "TPE": lambda: TpeEngine(SPACE, 3),
    "CMAES": lambda: CmaesEngine(SPACE, 3),
    "NSGAII": lambda: NsgaiiEngine(SPACE, 3, population=8),
}


@dataclass
class ConstrainedSearch(ReplayedSearch):
    """x is to be small, and must be at least 0.7."""

    @override
    def end(self, number: int, outcome: Outcome = Outcome.SUCCEEDED) -> None:
        record = self.records[number]
        missed = max(0.0, 0.7 - float(record.assignment["x"]))
        self.records[number] = replace(record, violation=missed)
        super().end(number, outcome)


def _search(name: str) -> ConstrainedSearch:
    return ConstrainedSearch(ENGINES[name], lambda point: float(point["x"]))


@pytest.mark.parametrize("name", ENGINES)
def test_later_trials_miss_the_constraint_by_less_although_the_objective_pulls_away(
    name: str,
) -> None:
    search = _search(name)
    search.run(80)

    missed = [search.records[number].violation for number in range(1, 81)]
    assert sum(missed[50:]) / 30 < sum(missed[:10]) / 10 / 2


@pytest.mark.parametrize("name", ENGINES)
def test_a_rebuilt_engine_suggests_what_the_living_one_does(name: str) -> None:
    search = _search(name)
    for _ in range(4):
        search.run(7, parallel=2)
        assert search.rebuilt().suggest(len(search.records) + 1) == search.suggest()[0]
