"""Whether the shared trainer can do a task: settings, data, split and metric."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import PurePosixPath

from winnow_contract.models.settings import (
    DEPENDENT,
    IMAGE_FAMILIES,
    SETTINGS,
    Kind,
    SettingError,
    check_settings,
    resolve_settings,
    settings_of,
)
from winnow_contract.uris import BuiltinUri, UriError, parse_uri
from winnow_operator.api.searchjob import DataKind, Evaluation, Family, SearchJobSpec, Task
from winnow_operator.api.task import DEFAULT_VALIDATION
from winnow_operator.domain.checks.spaces import readable_dimensions
from winnow_operator.domain.checks.trainer_facts import BUILTIN, DATA_SUFFIXES, DataSet, metrics_of
from winnow_operator.domain.spaces.space import Dimension, DoubleSpan, IntSpan, Listed, Value

MAX_WORDS = 1000
"""So many values of a range are looked at one by one, where a setting takes words."""
SHAPE = "shape"


def check_task(spec: SearchJobSpec) -> Iterator[str]:
    """All about `spec.task`; nothing for an image of the user's own."""
    if spec.task is None:
        return
    dimensions = tuple(readable_dimensions(spec))
    yield from _check_names(spec.task, dimensions)
    yield from _check_values(spec.task, dimensions)
    yield from _check_data(spec.task)
    yield from _check_evaluation(spec.task.evaluation)
    for place, objective in enumerate(spec.objectives):
        yield from _check_metric(spec.task, f"objectives[{place}]", objective.metric)
    for place, constraint in enumerate(spec.constraints):
        yield from _check_metric(spec.task, f"constraints[{place}]", constraint.metric)
    yield from _check_shape(spec.task, dimensions)


def check_fixed_task(task: Task) -> Iterator[str]:
    """All about a task of which nothing is searched."""
    yield from _check_names(task, ())
    yield from _check_values(task, ())
    yield from _check_data(task)
    yield from _check_evaluation(task.evaluation)
    yield from _check_shape(task, ())


def _check_names(task: Task, dimensions: Sequence[Dimension]) -> Iterator[str]:
    names = [setting.name for setting in task.model.settings]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"spec.task.model.settings names {name} more than once: keep one"
    for dimension in dimensions:
        if dimension.name in names:
            yield (
                f"parameter {dimension.name} is searched, and spec.task.model.settings sets it "
                "for all trials: keep one of the two"
            )


def _check_values(task: Task, dimensions: Sequence[Dimension]) -> Iterator[str]:
    fixed = {setting.name: setting.value for setting in task.model.settings}
    searched = {dimension.name: ends_of(dimension) for dimension in dimensions}
    family = str(task.model.family)
    of_fixed = check_settings(family, fixed, {})
    of_searched = check_settings(family, {}, searched)
    yield from (f"spec.task.model.settings: {fault}" for fault in of_fixed)
    yield from (f"spec.space.parameters: {fault}" for fault in of_searched)
    for dimension in dimensions:
        yield from _check_type(dimension)
    if not of_fixed and not set(DEPENDENT) & set(searched):
        try:
            resolve_settings(family, fixed)
        except SettingError as error:
            yield f"spec.task.model.settings: {error}"


def ends_of(dimension: Dimension) -> tuple[Value, ...]:
    """The values of a dimension that decide whether all of them are allowed."""
    if isinstance(dimension, IntSpan):
        is_short = dimension.size is not None and dimension.size <= MAX_WORDS
        takes_words = dimension.name in SETTINGS and SETTINGS[dimension.name].kind is Kind.WORD
        if takes_words and is_short:
            return tuple(range(dimension.low, dimension.high + 1, dimension.step))
        return dimension.low, dimension.high
    if isinstance(dimension, DoubleSpan):
        return float(dimension.low), float(dimension.high)
    return dimension.values if isinstance(dimension, Listed) else ()


def _check_type(dimension: Dimension) -> Iterator[str]:
    setting = SETTINGS.get(dimension.name)
    if setting is None or not isinstance(dimension, DoubleSpan) or setting.kind is Kind.DOUBLE:
        return
    instead = "int" if setting.kind is Kind.INT else "choice"
    yield (
        f"parameter {dimension.name} is a double range, the setting takes {setting.allowed}: "
        f"use {instead}"
    )


def _check_data(task: Task) -> Iterator[str]:
    data = task.data
    try:
        uri = parse_uri(data.uri)
    except UriError as error:
        yield f"spec.task.data.uri: {error}"
        return
    if isinstance(uri, BuiltinUri):
        if data.target:
            yield (
                f"spec.task.data.target is {data.target!r}, it must be left out: {data.uri} has "
                "its own"
            )
        return
    suffix = PurePosixPath(uri.path).suffix.lower()
    if suffix not in DATA_SUFFIXES:
        yield (
            f"spec.task.data.uri is {data.uri!r}, it must name a file that ends with "
            f"{' or '.join(DATA_SUFFIXES)}"
        )
    if suffix == ".csv" and not data.target:
        yield (
            f"spec.task.data.target is empty, {data.uri} needs the name of the column to predict"
        )


def _check_evaluation(evaluation: Evaluation) -> Iterator[str]:
    if evaluation.folds is not None and evaluation.validation is not None:
        yield (
            f"spec.task.evaluation: folds is {evaluation.folds} and validation is "
            f"{evaluation.validation}: keep one, for each fold is the validation split once"
        )
    spread = evaluation.folds_per_pod
    if spread is not None and (evaluation.folds is None or spread >= evaluation.folds):
        yield (
            f"spec.task.evaluation: foldsPerPod is {spread} and folds is "
            f"{evaluation.folds or 'missing'}: it must be less, or left out"
        )
    level = evaluation.paired_test
    if level is not None and not 0 < float(level) <= 0.5:  # noqa: PLR2004 -- a coin is as good
        yield (
            f"spec.task.evaluation: pairedTest is {level}, allowed are levels above 0 and up to 0.5"
        )
    if level is not None and ((evaluation.folds or 0) < 3 or spread):  # noqa: PLR2004 -- 2 have no rest
        yield (
            "spec.task.evaluation: pairedTest needs at least 3 folds, all in one pod: folds is "
            f"{evaluation.folds or 'missing'}, foldsPerPod is {spread or 'left out'}"
        )
    shares = {"test": Decimal(evaluation.test)}
    if evaluation.folds is None:
        shares["validation"] = Decimal(evaluation.validation or DEFAULT_VALIDATION)
    for name, share in shares.items():
        if not 0 < share < 1:
            yield (
                f"spec.task.evaluation.{name} is {share}, allowed are shares between 0 and 1, "
                "such as 0.2"
            )
    if evaluation.folds is None and sum(shares.values()) >= 1:
        yield (
            f"spec.task.evaluation: test is {evaluation.test} and validation is "
            f"{shares['validation']}, together they must be below 1: the rest is what is "
            "trained on"
        )


def _data_set(task: Task) -> DataSet | None:
    return BUILTIN.get(task.data.uri.removeprefix("builtin://"))


def _check_metric(task: Task, field: str, metric: str) -> Iterator[str]:
    builtin = _data_set(task)
    kind = task.data.kind
    if kind is DataKind.AUTO and builtin is not None:
        kind = builtin.kind
    allowed = metrics_of(kind)
    if metric not in allowed:
        what = "a task" if kind is DataKind.AUTO else f"{kind.lower()} on {task.data.uri}"
        yield (
            f"spec.{field}.metric is {metric}, which is not measured for {what}, allowed: "
            f"{', '.join(allowed)}"
        )


def _check_shape(task: Task, dimensions: Sequence[Dimension]) -> Iterator[str]:
    """Convolutions need rows that are images, or to be told what image a row holds."""
    family = task.model.family
    given = [setting.value for setting in task.model.settings if setting.name == SHAPE]
    given += [str(value) for d in dimensions if d.name == SHAPE for value in ends_of(d)]
    builtin = _data_set(task)
    is_table = task.data.uri.lower().endswith(".csv") or (builtin is not None and not builtin.image)
    if family in IMAGE_FAMILIES and is_table and not any(given):
        yield (
            f"spec.task.model.family is {family}, {task.data.uri} is a table: use family MLP, or say "
            "in the setting shape (as 28x28x1) what image a row holds"
        )
    for text in filter(None, given if SHAPE in _names_of(family) else ()):
        yield from _check_given_shape(text, task, builtin)


def _names_of(family: Family) -> set[str]:
    return {setting.name for setting in settings_of(str(family))}


def _check_given_shape(text: str, task: Task, builtin: DataSet | None) -> Iterator[str]:
    sizes = text.split("x")
    if not all(size.isascii() and size.isdigit() for size in sizes):
        return  # check_settings says so
    if len(sizes) != len(("height", "width", "channels")):
        yield f"setting shape is {text}, allowed: HEIGHTxWIDTHxCHANNELS, as 28x28x1"
    elif builtin is not None and builtin.image:
        if text != builtin.image:
            yield f"setting shape is {text}, {task.data.uri} has images of {builtin.image}"
    elif builtin is not None and math.prod(map(int, sizes)) != builtin.row_size:
        yield (
            f"setting shape is {text} ({math.prod(map(int, sizes))} numbers), {task.data.uri} has "
            f"rows of {builtin.row_size} numbers"
        )
