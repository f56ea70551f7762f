"""Spaces with architectures in each engine that can search them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.replayed_search import Point, ReplayedSearch
from winnow_operator.api.searchjob import Space as SpaceSpec
from winnow_operator.domain.spaces.space import Space, parse_space
from winnow_operator.engines import SearchEngine
from winnow_operator.engines.grid import GridEngine
from winnow_operator.engines.qmc import QmcEngine
from winnow_operator.engines.sampling import RandomEngine
from winnow_operator.engines.tpe import TpeEngine

ENGINES: dict[str, Callable[[Space, int], SearchEngine]] = {
    "Grid": GridEngine,
    "Random": RandomEngine,
    "QMC": QmcEngine,
    "TPE": TpeEngine,
}
RATE = {"name": "rate", "double": {"min": "0.001", "max": "0.1", "scale": "Log"}}
MLPS = {"depth": {"max": 4}, "widths": [8, 16, 32], "activations": ["relu", "tanh"], "skips": True}


def space_of(architecture: dict[str, Any], *parameters: dict[str, Any]) -> Space:
    spec = {"architecture": architecture, "parameters": list(parameters)}
    return parse_space(SpaceSpec.model_validate(spec))


LISTED = space_of({"nets": ["64-32-16", "32-64", "16-64-32"]})
CELLS = space_of(
    {
        "cnn": {
            "nodes": 2,
            "operations": ["conv3", "max3"],
            "branches": True,
            "stages": {"max": 1},
            "widths": [8],
            "strides": [1],
        }
    }
)
JOINT = space_of({"mlp": MLPS}, RATE)


def _score(point: Point) -> float:
    """Four layers of 32 are best."""
    return -float(str(point["architecture"]).count("32"))


@pytest.mark.parametrize("space", [LISTED, CELLS], ids=["listed", "cells"])
@pytest.mark.parametrize("name", ENGINES)
def test_each_net_is_suggested_once_and_then_the_space_is_exhausted(
    name: str, space: Space
) -> None:
    search = ReplayedSearch(lambda: ENGINES[name](space, 7), _score)
    search.run((space.size or 0) + 1, parallel=2)

    nets = [str(record.assignment["architecture"]) for record in search.records.values()]
    assert len(nets) == len(set(nets)) == space.size
    assert search.suggest() == [None]


@pytest.mark.parametrize("name", ["Random", "QMC", "TPE"])
def test_a_net_and_a_parameter_are_searched_together_and_again_after_a_restart(name: str) -> None:
    search = ReplayedSearch(lambda: ENGINES[name](JOINT, 3), _score)
    for _ in range(2):
        search.run(8, parallel=2)
        assert search.rebuilt().suggest(len(search.records) + 1) == search.suggest()[0]

    for record in search.records.values():
        texts = JOINT.to_texts(record.assignment)
        assert [given for given, _ in texts] == ["architecture", "rate"]
        assert JOINT.from_texts(texts) == record.assignment


def test_tpe_learns_which_decisions_are_good() -> None:
    search = ReplayedSearch(lambda: TpeEngine(JOINT, 5), _score)
    search.run(60)

    scores = [search.records[number].score or 0.0 for number in sorted(search.records)]
    assert sum(scores[40:]) / 20 < sum(scores[:10]) / 10 - 1
