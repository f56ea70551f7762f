"""Auto: the rules by which it takes an algorithm, and that a choice once made stays."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.base_specs import CELLS
from tests.support.facts import spec_of
from tests.support.spaces import choice, double, integer, when
from winnow_operator.api.searchjob import AlgorithmName, SearchJob
from winnow_operator.domain.checks.searches import check_spec
from winnow_operator.domain.spaces.space import parse_space
from winnow_operator.engines import as_chosen, choose_algorithm, make_engine
from winnow_operator.engines.tpe import TpeEngine

RATE = double("rate", min="0.0001", max="0.1", scale="Log")
SHARE = double("share", min="0", max="1")
WIDTH = integer("width", min=1, max=8)
WORD = choice("word", "a", "b", "c")
LOG_WIDTH = integer("width", min=1, max=8, scale="Log")
TWO = [{"metric": "accuracy", "goal": "Maximize"}, {"metric": "parameters", "goal": "Minimize"}]
START = [{"parameters": [{"name": "width", "value": "2"}, {"name": "word", "value": "a"}]}]
MANY = {"maxTrials": 1000, "parallelism": 4}
FEW = {"maxTrials": 60, "parallelism": 4}


def search(*parameters: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "algorithm": {"name": "Auto"},
        "space": {"parameters": list(parameters)},
        "budget": FEW,
        **changes,
    }


@pytest.mark.parametrize(
    ("fields", "name", "reason"),
    [
        (search(WIDTH, WORD), "Grid", "24 points, no more than budget.maxTrials, 60"),
        (search(WIDTH, WORD, start=START), "TPE", "60 trials over 2 parameters, 4 at one time"),
        (search(LOG_WIDTH, WORD), "TPE", "60 trials"),
        (search(WIDTH, WORD, budget={"maxTrials": 23}), "TPE", "23 trials"),
        (search(RATE, budget={"maxTrials": 8, "parallelism": 8}), "QMC", "all 8 trials run at one"),
        (
            search(RATE, budget={"maxTrials": 8, "parallelism": 2}, trialsPerPod=4),
            "QMC",
            "all 8 trials",
        ),
        (search(RATE, WORD, objectives=TWO), "TPE", "60 trials"),
        (search(RATE, WORD, objectives=TWO, budget=MANY), "NSGAII", "2 objectives and 1000 trials"),
        (
            search(RATE, WORD, when(SHARE, "word", "a"), objectives=TWO, budget=MANY),
            "TPE",
            "1000 trials over 3 parameters",
        ),
        (search(RATE, SHARE, WIDTH, budget=MANY), "CMAES", "no more than a generation of 7"),
        (search(RATE, SHARE, WIDTH), "TPE", "60 trials"),
        (search(RATE, SHARE, WORD, budget=MANY), "TPE", "1000 trials"),
        (search(RATE, budget=MANY), "TPE", "1000 trials over 1 parameters"),
        (search(RATE, SHARE, budget={**MANY, "parallelism": 7}), "TPE", "7 at one time"),
    ],
)
def test_the_space_and_the_budget_decide(fields: dict[str, Any], name: str, reason: str) -> None:
    spec = spec_of(fields)

    chosen = choose_algorithm(spec, parse_space(spec.space))

    assert (chosen.name, reason in chosen.reason) == (name, True), chosen


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, "Generative"),
        ({"budget": {"maxTrials": 49, "parallelism": 4}}, "TPE"),
        ({"objectives": TWO}, "TPE"),
        ({"objectives": TWO, "budget": MANY}, "TPE"),
        ({"warmStart": [{"searchJob": "digits"}]}, "Generative"),
    ],
)
def test_architectures_are_written_by_a_network_where_it_can_learn(
    changes: dict[str, Any], name: str
) -> None:
    nas = {**search(RATE), "space": CELLS["spec"]["space"], **changes}
    spec = spec_of(nas)

    assert choose_algorithm(spec, parse_space(spec.space)).name == name


def test_what_it_takes_can_search_the_space() -> None:
    spec = spec_of(search(WIDTH, choice("activation", "relu", "gelu")))
    job = SearchJob.model_validate(
        {"spec": spec, "status": {"algorithm": choose_algorithm(spec, parse_space(spec.space))}}
    )

    assert check_spec(spec) == []
    assert as_chosen(job).spec.algorithm.name is AlgorithmName.GRID


def test_a_choice_once_made_is_not_made_again() -> None:
    """A budget that was edited since would have taken a Grid."""
    spec = spec_of(search(WIDTH, WORD))
    job = SearchJob.model_validate(
        {"spec": spec, "status": {"algorithm": {"name": "TPE", "reason": "23 trials"}}}
    )

    assert as_chosen(job).spec.algorithm.name is AlgorithmName.TPE
    assert as_chosen(as_chosen(job)) == as_chosen(job)


def test_only_auto_is_replaced() -> None:
    job = SearchJob.model_validate(
        {"spec": spec_of(), "status": {"algorithm": {"name": "TPE", "reason": "edited by hand"}}}
    )

    assert as_chosen(job) == job


def test_an_engine_of_auto_is_that_of_its_choice() -> None:
    spec = spec_of(search(RATE, WORD))

    assert isinstance(make_engine(spec, parse_space(spec.space)), TpeEngine)
