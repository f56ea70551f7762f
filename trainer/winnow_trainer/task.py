"""What the trials of a job are about, parsed once from the assignment file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from winnow_contract.assignments import Assignments, TrialAssignment, Value
from winnow_contract.models.settings import (
    SETTINGS,
    SettingError,
    SettingValue,
    resolve_settings,
    settings_of,
)
from winnow_contract.uris import BuiltinUri, ClaimUri, UriError, parse_uri
from winnow_trainer.errors import DataError, TaskError, TrialError

MAX_FOLDS = 20
MAX_REPEATS = 10


class DataKind(StrEnum):
    """What the target holds."""

    AUTO = "Auto"
    CLASSIFICATION = "Classification"
    REGRESSION = "Regression"


@dataclass(frozen=True, slots=True)
class DataSource:
    """Where the data is and how it is read."""

    uri: str
    location: BuiltinUri | ClaimUri
    target: str = ""
    """Column of a CSV file, or array of an NPZ file."""
    kind: DataKind = DataKind.AUTO


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How the data is split."""

    test: float = 0.2
    validation: float = 0.2
    """Share of the data, where there are no folds."""
    seed: int = 0
    folds: int = 0
    """Parts of what is not test data, each of which is validation data once; 0: no folds."""
    folds_per_pod: int = 0
    """Folds of a trial that one pod trains, where they are spread over pods; 0: all."""
    paired_test: float | None = None
    """Level of the test by which a trial is stopped after some of its folds; None: it never is."""
    repeats: int = 1
    """Trainings of a trial, each with a seed of its own; with folds, of each fold."""


@dataclass(frozen=True, slots=True)
class Task:
    """Model family, fixed settings, data and split of a job."""

    family: str
    fixed: Mapping[str, Value]
    data: DataSource
    evaluation: Evaluation

    def settings_for(self, trial: TrialAssignment) -> dict[str, SettingValue]:
        """All settings of one trial: a searched parameter goes before a fixed setting.

        Raises:
            TrialError: if a parameter's value is not allowed.
        """
        try:
            return resolve_settings(self.family, {**self.fixed, **trial.parameters})
        except SettingError as error:
            raise TrialError("BadParameters", str(error)) from error


def read_task(assignments: Assignments) -> Task:
    """The task of a batch, with everything checked that is the same for all its trials.

    Raises:
        TaskError: naming the field, its value and what is allowed.
        DataError: if the data's URI is not one.
    """
    document = assignments.task
    if document is None:
        raise TaskError("the assignment file has no task: this image trains tasks only")
    model, data = _section(document, "model"), _section(document, "data")
    task = Task(
        family=str(model.get("family")),
        fixed=_section(model, "settings") if "settings" in model else {},
        data=_source(data),
        evaluation=_evaluation(_section(document, "evaluation")),
    )
    _check_settings(task, assignments.trials)
    return task


def _section(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    section = document.get(key)
    if not isinstance(section, dict):
        raise TaskError(f"'{key}' of the task must be an object")
    return section


def _source(data: Mapping[str, Any]) -> DataSource:
    uri, kind = str(data.get("uri", "")), str(data.get("kind") or DataKind.AUTO)
    if kind not in set(DataKind):
        raise TaskError(f"data.kind is {kind!r}, allowed: {', '.join(DataKind)}")
    try:
        location = parse_uri(uri)
    except UriError as error:
        raise DataError(f"data.uri: {error}") from error
    return DataSource(uri, location, str(data.get("target") or ""), DataKind(kind))


def _evaluation(section: Mapping[str, Any]) -> Evaluation:
    test, folds = _share(section, "test"), _folds(section)
    validation = 0.0 if folds else _share(section, "validation")
    if test + validation >= 1:
        raise TaskError(
            f"evaluation.test {test:g} and evaluation.validation {validation:g} leave nothing to "
            "train on: together they must be below 1"
        )
    seed = section.get("seed", 0)
    if type(seed) is not int or seed < 0:
        raise TaskError(f"evaluation.seed is {seed!r}, allowed are whole numbers from 0")
    return Evaluation(
        test=test,
        validation=validation,
        seed=seed,
        folds=folds,
        folds_per_pod=_folds_per_pod(section, folds),
        paired_test=_share(section, "pairedTest") if "pairedTest" in section else None,
        repeats=_repeats(section),
    )


def _folds(section: Mapping[str, Any]) -> int:
    folds = section.get("folds", 0)
    if type(folds) is not int or folds == 1 or not 0 <= folds <= MAX_FOLDS:
        raise TaskError(
            f"evaluation.folds is {folds!r}, allowed are whole numbers from 2 to {MAX_FOLDS}"
        )
    return folds


def _folds_per_pod(section: Mapping[str, Any], folds: int) -> int:
    count = section.get("foldsPerPod", 0)
    if type(count) is not int or not 0 <= count <= folds:
        raise TaskError(
            f"evaluation.foldsPerPod is {count!r}, allowed are whole numbers up to folds, {folds}"
        )
    return count


def _repeats(section: Mapping[str, Any]) -> int:
    repeats = section.get("repeats", 1)
    if type(repeats) is not int or not 1 <= repeats <= MAX_REPEATS:
        raise TaskError(
            f"evaluation.repeats is {repeats!r}, allowed are whole numbers from 1 to {MAX_REPEATS}"
        )
    return repeats


def _share(section: Mapping[str, Any], key: str) -> float:
    text = str(section.get(key, "0.2"))
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 < share < 1:
        raise TaskError(f"evaluation.{key} is {text!r}, allowed are numbers between 0 and 1")
    return share


def _check_settings(task: Task, trials: tuple[TrialAssignment, ...]) -> None:
    searched = {name for trial in trials for name in trial.parameters}
    fixed = {name: value for name, value in task.fixed.items() if name not in searched}
    try:
        known = {setting.name for setting in settings_of(task.family)}
        for name in [*fixed, *sorted(searched - known)]:
            _known(name, task.family, known).parse(fixed.get(name, ""))
    except SettingError as error:
        raise TaskError(str(error)) from error


def _known(name: str, family: str, known: set[str]) -> Any:
    if name not in known:
        allowed = ", ".join(setting.name for setting in settings_of(family))
        raise TaskError(f"family {family} has no setting {name!r}, allowed: {allowed}")
    return SETTINGS[name]
