"""What a search takes from other searches: trials that are points of its own space, and no others."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.facts import spec_of
from winnow_operator.api.conditions import Reason
from winnow_operator.api.searchjob import SearchJob, SearchJobSpec, WarmStart
from winnow_operator.domain.pods import Blockage
from winnow_operator.domain.searches.warm_starts import (
    Taken,
    check_source,
    ended_source,
    lost_sources,
    take,
)
from winnow_operator.domain.spaces.space import parse_space
from winnow_operator.errors import InvalidSpecError

WIDTH = {"name": "width", "int": {"min": 16, "max": 64}}
WORD = {"name": "word", "choice": {"values": ["relu", "gelu"]}}
OPTIMIZER = {"name": "word", "choice": {"values": ["relu", "gelu", "tanh"]}}
SOURCE = WarmStart(search_job="digits")


def search(*parameters: dict[str, Any], **changes: Any) -> SearchJobSpec:
    space = {"parameters": list(parameters or (WIDTH, WORD)), **changes.pop("space", {})}
    return spec_of({"space": space, "algorithm": {"name": "TPE"}, **changes})


def trial(number: int, width: str, word: str = "relu", value: str = "0.9", **status: Any) -> Any:
    values = [{"metric": "accuracy", "value": value}, {"metric": "f1", "value": "0.5"}]
    parameters = [{"name": "width", "value": width}, {"name": "word", "value": word}]
    return {
        "spec": {"number": number, "seed": 1, "parameters": parameters},
        "status": {"outcome": "Succeeded", "values": values, **status},
    }


def taken(spec: SearchJobSpec, *bodies: Any, source: WarmStart = SOURCE) -> Taken:
    return take(spec, parse_space(spec.space), (source, "uid-1"), bodies)


def test_a_trial_is_told_with_its_values_so_that_lower_is_better() -> None:
    found = taken(search(), trial(1, "32"), trial(2, "64", "gelu", "0.8"))

    assert [t.assignment for t in found.trials] == [
        {"width": 32, "word": "relu"},
        {"width": 64, "word": "gelu"},
    ]
    assert [t.scores for t in found.trials] == [(-0.9,), (-0.8,)]
    assert (found.source.trials, found.source.left_out) == (2, 0)


@pytest.mark.parametrize(
    "odd",
    [
        trial(2, "128"),
        trial(2, "32", "tanh"),
        trial(2, "thirty"),
        trial(2, "32", outcome="Stopped"),
        trial(2, "32", values=[]),
        {"spec": {"number": 2, "seed": 1, "parameters": []}, "status": {"outcome": "Succeeded"}},
        {**trial(2, "32"), "spec": {**trial(2, "32")["spec"], "finalOf": 1}},
    ],
    ids=["range", "word", "no number", "stopped", "no values", "no parameters", "final"],
)
def test_what_is_no_point_of_the_space_with_a_value_is_left_out(odd: Any) -> None:
    found = taken(search(), trial(1, "32"), odd)

    assert (found.source.trials, found.source.left_out) == (1, 1)


def test_constraints_are_those_of_this_search() -> None:
    limited = search(
        space={"constraints": [{"sum": [{"parameter": "width"}], "max": "40"}]},
        constraints=[{"metric": "f1", "min": "1"}],
    )
    found = taken(limited, trial(1, "32"), trial(2, "64"))

    assert [t.violation for t in found.trials] == [0.5]


def test_several_objectives_are_told_each() -> None:
    both = [{"metric": "accuracy", "goal": "Maximize"}, {"metric": "f1", "goal": "Minimize"}]

    (only,) = taken(search(objectives=both), trial(1, "32")).trials

    assert only.scores == (-0.9, 0.5)


def test_of_many_trials_all_ranks_are_taken_the_best_and_the_worst_too() -> None:
    bodies = [trial(n, "32", value=f"0.{n}") for n in range(1, 10)]
    found = taken(search(), *bodies, source=WarmStart(search_job="digits", max_trials=3))

    assert [t.scores[0] for t in found.trials] == [-0.1, -0.5, -0.9]


def test_a_restart_knows_whether_it_finds_the_same() -> None:
    first = taken(search(), trial(1, "32"), trial(2, "64")).source

    assert lost_sources([first], [taken(search(), trial(1, "32"), trial(2, "64")).source]) is None
    lost = lost_sources([first], [taken(search(), trial(1, "32")).source])
    assert lost is not None
    assert lost.reason is Reason.WARM_START_LOST
    assert "digits" in lost.message


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (search(WIDTH), ("parameter word (choice)", "is missing there", "width (int)")),
        (
            search({"name": "width", "double": {"min": "1", "max": "2"}}, WORD),
            ("parameter width (int)", "is double there"),
        ),
        (
            search(WIDTH, WORD, {"name": "depth", "int": {"min": 1, "max": 2}}),
            ("also searches depth",),
        ),
        (
            search(objectives=[{"metric": "f1", "goal": "Maximize"}]),
            ("Maximize f1", "Maximize accuracy", "same objectives"),
        ),
        (
            search(objectives=[{"metric": "accuracy", "goal": "Minimize"}]),
            ("Minimize accuracy", "Maximize accuracy"),
        ),
    ],
)
def test_a_search_of_something_else_is_refused_with_a_sentence(
    source: SearchJobSpec, words: tuple[str, ...]
) -> None:
    with pytest.raises(InvalidSpecError) as refused:
        check_source(search(), "digits", source)

    sentence = str(refused.value)
    assert [word for word in ("spec.warmStart", "digits", *words) if word not in sentence] == []


def test_other_ranges_of_the_same_parameters_are_the_same_space() -> None:
    check_source(search(), "digits", search({**WIDTH, "int": {"min": 1, "max": 9}}, OPTIMIZER))


def job(*conditions: str, **metadata: Any) -> dict[str, Any]:
    now = "2026-01-01T00:00:00Z"
    listed = [
        {"type": c, "status": "True", "reason": "Finished", "lastTransitionTime": now}
        for c in conditions
    ]
    spec = search().model_dump(by_alias=True, exclude_none=True, mode="json")
    return {"metadata": metadata, "spec": spec, "status": {"conditions": listed}}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (None, "there is no SearchJob of that name"),
        (job("Complete", deletionTimestamp="2026-01-01T00:00:00Z"), "there is no SearchJob"),
        (job("Reconciling"), "has not ended yet"),
    ],
)
def test_a_search_that_has_not_ended_is_waited_for(body: Any, words: str) -> None:
    found = ended_source("digits", body)

    assert isinstance(found, Blockage)
    assert found.reason is Reason.WAITING_FOR_SOURCE
    assert words in found.message


@pytest.mark.parametrize("end", ["Complete", "Failed"])
def test_a_search_that_has_ended_is_learned_from_even_if_it_failed(end: str) -> None:
    assert isinstance(ended_source("digits", job(end)), SearchJob)
