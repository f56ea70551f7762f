"""Nets by one engine, other parameters by another: both learn, and no point comes twice."""

from __future__ import annotations

import pytest

from tests.support.facts import spec_of
from tests.support.replayed_search import Point, ReplayedSearch
from winnow_operator.domain.spaces.space import parse_space
from winnow_operator.engines import make_engine

RATE = {"name": "learning_rate", "double": {"min": "0.0001", "max": "0.1", "scale": "Log"}}
BATCH = {"name": "batch_size", "int": {"values": [32, 64]}}
OPTIMIZER = {"name": "optimizer", "choice": {"values": ["sgd", "adam"]}}
MOMENTUM = {
    "name": "momentum",
    "double": {"min": "0", "max": "0.9"},
    "when": {"parameter": "optimizer", "values": ["sgd"]},
}
LISTED = {"nets": ["64-32-16", "32-64", "16-64-32"]}
MLPS = {"mlp": {"depth": {"min": 1, "max": 3}, "widths": [16, 32, 64]}}


def _search(
    name: str, architecture: object, *parameters: object, by: str = "TPE"
) -> ReplayedSearch:
    algorithm = {"name": name, "seed": 3, "parametersBy": by}
    space = {"architecture": architecture, "parameters": list(parameters)}
    spec = spec_of({"algorithm": algorithm, "space": space})
    parsed = parse_space(spec.space)
    return ReplayedSearch(lambda: make_engine(spec, parsed), _cost)


def _cost(point: Point) -> float:
    """Low for wide nets and rates near 0.01."""
    rate = float(point.get("learning_rate", 0.01))
    return abs(rate - 0.01) * 20 - str(point["architecture"]).count("64")


@pytest.mark.parametrize("by", ["Random", "TPE"])
@pytest.mark.parametrize("name", ["Evolution", "Generative"])
def test_a_rebuilt_engine_suggests_what_the_living_one_does(name: str, by: str) -> None:
    search = _search(name, MLPS, RATE, OPTIMIZER, MOMENTUM, by=by)
    search.run(22, parallel=3)

    first = len(search.records) + 1
    rebuilt = search.rebuilt()
    assert [rebuilt.suggest(first + i) for i in range(3)] == search.suggest(3)


@pytest.mark.parametrize("by", ["Random", "TPE"])
@pytest.mark.parametrize("name", ["Evolution", "Generative"])
def test_all_points_of_a_finite_space_come_once(name: str, by: str) -> None:
    search = _search(name, LISTED, BATCH, OPTIMIZER, by=by)
    search.run(20, parallel=2)

    points = {tuple(record.assignment.items()) for record in search.records.values()}
    assert len(points) == len(search.records) == 12
    assert len({record.assignment["architecture"] for record in search.records.values()}) == 3


def test_points_near_the_end_of_a_finite_space_follow_from_the_records() -> None:
    search = _search("Generative", LISTED, BATCH, OPTIMIZER)
    for _ in range(11):
        rebuilt, number = search.rebuilt(), len(search.records) + 1
        assert rebuilt.suggest(number) == search.suggest()[0]
        search.end(number)


def test_both_parts_of_a_point_get_better() -> None:
    search = _search("Evolution", MLPS, RATE)
    search.run(70, parallel=3)

    def mean(numbers: range) -> float:
        return sum(_cost(search.records[n].assignment) for n in numbers) / len(numbers)

    assert mean(range(50, 71)) < mean(range(1, 21)) - 0.3


def test_a_parameter_with_a_condition_belongs_to_some_points_only() -> None:
    search = _search("Evolution", MLPS, OPTIMIZER, MOMENTUM, by="Random")
    search.run(20)

    for record in search.records.values():
        assert ("momentum" in record.assignment) == (record.assignment["optimizer"] == "sgd")
