"""Constraints between parameters: no engine suggests a point that breaks one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.replayed_search import ReplayedSearch
from tests.support.spaces import double, integer, space_of
from winnow_operator.api.searchjob import Space as SpaceSpec
from winnow_operator.domain.spaces.space import Space, parse_space
from winnow_operator.engines import SearchEngine
from winnow_operator.engines.cmaes import CmaesEngine
from winnow_operator.engines.grid import GridEngine
from winnow_operator.engines.nsgaii import NsgaiiEngine
from winnow_operator.engines.qmc import QmcEngine
from winnow_operator.engines.sampling import RandomEngine
from winnow_operator.engines.tpe import TpeEngine
from winnow_operator.errors import InvalidSpecError

ENGINES: dict[str, Callable[[Space, int], SearchEngine]] = {
    "Grid": GridEngine,
    "Random": RandomEngine,
    "QMC": QmcEngine,
    "TPE": TpeEngine,
    "CMAES": CmaesEngine,
    "NSGAII": NsgaiiEngine,
}
BESIDE_GRID = [name for name in ENGINES if name != "Grid"]


def limited(high: str = "10") -> Space:
    return parse_space(
        SpaceSpec.model_validate(
            {
                "parameters": [integer("a", min=1, max=6), integer("b", min=1, max=6)],
                "constraints": [
                    {"product": ["a", "b"], "max": high},
                    {"sum": [{"parameter": "a"}, {"parameter": "b", "factor": "-1"}], "max": "0"},
                ],
            }
        )
    )


ALLOWED = {(a, b) for a in range(1, 7) for b in range(a, 7) if a * b <= 10}


@pytest.mark.parametrize("name", ENGINES)
def test_exactly_the_allowed_points_of_a_finite_space_are_suggested(name: str) -> None:
    search = ReplayedSearch(lambda: ENGINES[name](limited(), 5), lambda p: float(p["a"]))
    search.run(len(ALLOWED) + 3, parallel=2)

    found = [(r.assignment["a"], r.assignment["b"]) for r in search.records.values()]
    assert len(found) == len(ALLOWED)
    assert set(found) == ALLOWED
    assert search.rebuilt().suggest(len(ALLOWED) + 1) is None


@pytest.mark.parametrize("name", BESIDE_GRID)
def test_points_without_end_are_allowed_too_and_repeat_after_a_restart(name: str) -> None:
    space = parse_space(
        SpaceSpec.model_validate(
            {
                "parameters": [double(n, min="0", max="1") for n in "xy"],
                "constraints": [{"sum": [{"parameter": "x"}, {"parameter": "y"}], "max": "0.7"}],
            }
        )
    )
    search = ReplayedSearch(lambda: ENGINES[name](space, 5), lambda p: -float(p["x"]))
    search.run(25, parallel=2)

    assert all(space.allows(record.assignment) for record in search.records.values())
    assert search.rebuilt().suggest(26) == search.suggest()[0]


@pytest.mark.parametrize("name", ENGINES)
def test_a_space_in_which_nothing_is_allowed_is_refused_with_a_sentence(name: str) -> None:
    with pytest.raises(InvalidSpecError, match=r"keeps spec\.space\.constraints"):
        ENGINES[name](limited("0"), 5).suggest(1)


@pytest.mark.parametrize("name", BESIDE_GRID)
def test_a_space_without_end_in_which_nothing_more_is_found_is_exhausted(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after thousands of draws that miss; what was found before is not thrown away."""
    space = parse_space(
        SpaceSpec.model_validate(
            {
                "parameters": [double("x", min="0", max="1")],
                "constraints": [{"sum": [{"parameter": "x"}], "max": "0.7"}],
            }
        )
    )
    search = ReplayedSearch(lambda: ENGINES[name](space, 5), lambda p: -float(p["x"]))
    search.run(3)
    monkeypatch.setattr(Space, "allows", lambda *_: False)

    assert search.suggest() == [None]


def test_a_space_without_constraints_allows_everything() -> None:
    assert space_of(integer("a", min=1, max=2)).allows({"a": 2})
