"""What a CompressionJob is refused for, and what is known of its source."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.compressions import COMPRESSION
from winnow_contract.choosing.goals import Bound, Goal
from winnow_operator.api.compressionjob import CompressionJobSpec
from winnow_operator.api.task import Task
from winnow_operator.domain.checks.compressions import (
    check_choice,
    check_compression,
    kind_of_task,
)
from winnow_operator.domain.compressions.chains import (
    goals_of,
    prefer_of,
    read_steps,
    step_documents,
    step_texts,
)


def spec(**changes: Any) -> CompressionJobSpec:
    return CompressionJobSpec.model_validate({**COMPRESSION["spec"], **changes})


def convolutions(**more: Any) -> CompressionJobSpec:
    step = {"quantize": {"layers": ["Convolution"]}}
    return spec(candidates=[{"name": "int8", "steps": [step]}], **more)


def test_a_family_is_held_against_the_steps_as_soon_as_it_is_known() -> None:
    assert check_compression(convolutions()) == []
    assert check_compression(convolutions(), family="CNN") == []
    (sentence,) = check_compression(convolutions(), family="MLP")
    assert sentence.startswith("candidate int8: steps[0]: quantize.layers is Convolution")


def test_the_task_of_the_spec_says_the_family_and_the_kind_where_the_source_does_not() -> None:
    task = {"model": {"family": "MLP"}, "data": {"uri": "builtin://diabetes"}}

    sentences = check_compression(convolutions(task=task))

    assert ["family MLP has no such layers" in s for s in sentences] == [True, False]
    assert "goals names accuracy, which is not measured for regression" in sentences[1]


def test_goals_and_prefer_are_checked_alone_when_they_are_edited() -> None:
    edited = convolutions(goals=[{"metric": "f1", "min": "2"}], prefer=["mae"])

    sentences = check_choice(edited, kind="Classification")

    assert [s.split(":")[0].split(",")[0] for s in sentences] == [
        "spec.goals[0]",
        "spec.prefer names mae",
    ]
    assert check_choice(spec(), kind="Classification") == []


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ({"uri": "builtin://digits"}, "Classification"),
        ({"uri": "builtin://diabetes"}, "Regression"),
        ({"uri": "pvc://a/b.csv", "target": "y"}, ""),
        ({"uri": "pvc://a/b.csv", "target": "y", "kind": "Regression"}, "Regression"),
    ],
)
def test_the_kind_of_a_task_is_known_before_its_data_is_read_or_not_at_all(
    data: dict[str, str], kind: str
) -> None:
    task = Task.model_validate({"model": {"family": "MLP"}, "data": data})

    assert kind_of_task(task) == kind


@pytest.mark.parametrize("amount", ["1", "1.0", "1500m", "2Gi"])
def test_a_limit_that_has_a_processor_for_the_thread_is_taken(amount: str) -> None:
    resources = {"limits": {"cpu": amount}}

    assert check_compression(spec(measurement={"batchSizes": [8], "resources": resources})) == []


def test_a_name_that_is_given_twice_is_named_once() -> None:
    twice = [{"name": "int8", "steps": [{"quantize": {}}]}] * 3

    (sentence,) = check_compression(spec(candidates=twice))

    assert sentence == ("spec.candidates names int8 more than once: give each a name of its own")


def test_goals_and_preferences_are_parsed_with_their_batch_sizes() -> None:
    assert goals_of(spec()) == (
        Goal("accuracy", Bound.MAX_DROP, 0.01),
        Goal("latency_p95_seconds", Bound.MIN_SPEEDUP, 1.5, 8),
    )
    assert prefer_of(spec()) == ("latency_p95_seconds@1", "size_bytes")


def test_steps_are_recorded_resolved_with_the_drop_that_the_goals_allow() -> None:
    int8 = spec().candidates[0]

    texts = step_texts(step_documents(int8), goals_of(spec()), "accuracy")

    (text,) = texts
    assert text == (
        '{"quantize":{"calibrationRows":256,"layers":["Linear","Convolution"],"maxDrop":0.01,'
        '"mode":"PostTraining"}}'
    )
    assert read_steps(texts)[0]["quantize"]["maxDrop"] == 0.01
    assert '"maxDrop":null' in step_texts(step_documents(int8), goals_of(spec()), "f1")[0]
