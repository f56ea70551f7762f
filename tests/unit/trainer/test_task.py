"""The task of an assignment file: what is the job's fault, and what a single trial's."""

from __future__ import annotations

from typing import Any

import pytest

from winnow_contract.assignments import Assignments, JobIdentity, ObjectiveSpec, TrialAssignment
from winnow_contract.uris import BuiltinUri
from winnow_trainer.errors import JobError, TrialError
from winnow_trainer.task import DataKind, Task, read_task

JOB = JobIdentity("SearchJob", "team", "digits", "uid")


def task(
    settings: dict[str, Any] | None = None, searched: dict[str, Any] | None = None, **changes: Any
) -> Task:
    document: dict[str, Any] = {
        "model": {"family": "MLP", "settings": settings or {}},
        "data": {"uri": "builtin://digits"},
        "evaluation": {"test": "0.2", "validation": "0.25", "seed": 3},
        **changes,
    }
    return read_task(assignments(document, searched or {}))


def assignments(document: dict[str, Any] | None, searched: dict[str, Any]) -> Assignments:
    trials = (TrialAssignment("t1", 1, 1, searched),)
    return Assignments(JOB, (ObjectiveSpec("accuracy", "Maximize"),), trials, task=document)


def test_a_task_is_read() -> None:
    read = task({"epochs": "5"})

    assert (read.family, read.data.location) == ("MLP", BuiltinUri("digits"))
    assert read.data.kind is DataKind.AUTO
    assert (read.evaluation.test, read.evaluation.validation) == (0.2, 0.25)
    assert read.evaluation.seed == 3


def test_a_searched_parameter_goes_before_a_fixed_setting_and_the_default() -> None:
    searched: dict[str, Any] = {"width": 32, "activation": "gelu"}
    trial = TrialAssignment("t1", 1, 1, searched)

    settings = task({"epochs": "5", "width": "8"}, searched).settings_for(trial)

    assert (settings["width"], settings["activation"], settings["epochs"]) == (32, "gelu", 5)
    assert settings["optimizer"] == "adamw"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"settings": {"epoch": "5"}}, "family MLP has no setting 'epoch', allowed: depth, width"),
        ({"settings": {"kernel": "3"}}, "family MLP has no setting 'kernel'"),
        ({"settings": {"epochs": "0"}}, "epochs is '0', allowed: whole numbers from 1 to 1e+06"),
        ({"settings": {"dropout": "nan"}}, "setting dropout is 'nan', allowed: numbers from 0"),
        ({"searched": {"momentum_": 0.1}}, "family MLP has no setting 'momentum_'"),
        ({"model": {"family": "RNN"}}, "family is 'RNN', allowed: MLP, CNN, ResNet, Transformer"),
        ({"model": {}}, "family is 'None', allowed: MLP, CNN, ResNet, Transformer"),
        ({"model": []}, "'model' of the task must be an object"),
        ({"data": {"uri": "s3://x"}}, "data.uri: 's3://x' is not known: allowed are builtin://"),
        ({"data": {"uri": "builtin://iris"}}, "'builtin://iris' is not known: allowed are"),
        ({"data": {"uri": "pvc://c/../x.csv"}}, "leaves the claim"),
        ({"data": {"uri": "builtin://wine", "kind": "Text"}}, "data.kind is 'Text', allowed: Auto"),
        ({"evaluation": {"test": "0"}}, "evaluation.test is '0', allowed are numbers between"),
        ({"evaluation": {"test": "nan"}}, "evaluation.test is 'nan'"),
        ({"evaluation": {"test": "0.6", "validation": "0.4"}}, "leave nothing to train on"),
        ({"evaluation": {"seed": "x"}}, "evaluation.seed is 'x', allowed are whole numbers"),
        ({"evaluation": None}, "'evaluation' of the task must be an object"),
    ],
)
def test_what_no_trial_can_change_is_the_fault_of_the_job(
    changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(JobError) as refusal:
        task(**changes)

    assert words in str(refusal.value)


def test_a_file_for_images_of_ones_own_is_refused() -> None:
    with pytest.raises(JobError, match="has no task: this image trains tasks only"):
        read_task(assignments(None, {}))


@pytest.mark.parametrize(
    ("searched", "words"),
    [
        ({"learning_rate": -1.0}, "setting learning_rate is '-1.0', allowed: numbers above 0"),
        ({"width": 2.5}, "setting width is '2.5', allowed: whole numbers from 1 to 16384"),
        ({"activation": "sine"}, "setting activation is 'sine', allowed: relu, gelu"),
        ({"norm": "batch", "batch_size": 1}, "with norm batch it must be at least 2"),
    ],
)
def test_what_a_search_suggested_is_the_fault_of_the_trial(
    searched: dict[str, Any], words: str
) -> None:
    read = task(searched=searched)

    with pytest.raises(TrialError) as refusal:
        read.settings_for(TrialAssignment("t1", 1, 1, searched))

    assert words in str(refusal.value)
    assert refusal.value.cause == "BadParameters"
