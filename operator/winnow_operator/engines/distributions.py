"""A search space as Optuna has it, and values on the way there and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from winnow_operator.domain.space import Dimension, DoubleSpan, IntSpan, Listed, Space, Value
from winnow_operator.domain.values import rounded
from winnow_operator.engines.base import Record

optuna.logging.set_verbosity(optuna.logging.ERROR)

Distributions = Mapping[str, BaseDistribution]


def distributions_of(space: Space) -> dict[str, BaseDistribution]:
    """The distribution of each dimension, by name."""
    return {d.name: _distribution(d) for d in space.dimensions}


def several_valued(distributions: Distributions) -> dict[str, BaseDistribution]:
    """Those that have more than one value."""
    return {name: d for name, d in distributions.items() if not d.single()}


def to_study(space: Space, assignment: Mapping[str, Value]) -> dict[str, Any]:
    """An assignment as a study holds it."""
    return {
        d.name: _to_study(d, assignment[d.name]) for d in space.dimensions if d.name in assignment
    }


def constraints_of(record: Record) -> dict[str, float]:
    """What a study knows of constraints: one number that is above 0 where they are missed."""
    return {"violation": record.violation} if record.violation else {}


def suggested(space: Space, trial: optuna.Trial) -> dict[str, Value]:
    """What a study suggests; dimensions with a condition are asked for where they belong."""
    found: dict[str, Value] = {}
    for dimension in space.dimensions:
        if space.belongs(dimension, found):
            found[dimension.name] = _clean(dimension, _suggest(trial, dimension))
    return found


def _suggest(trial: optuna.Trial, dimension: Dimension) -> Any:
    match _distribution(dimension):
        case IntDistribution(low=low, high=high, step=step, log=log):
            return trial.suggest_int(dimension.name, low, high, step=step, log=log)
        case FloatDistribution(low=low, high=high, log=log):
            return trial.suggest_float(dimension.name, low, high, log=log)
        case CategoricalDistribution(choices=choices):
            return trial.suggest_categorical(dimension.name, choices)
        case other:
            raise TypeError(f"a distribution of type {type(other).__name__} cannot be asked for")


def _distribution(dimension: Dimension) -> BaseDistribution:
    match dimension:
        case IntSpan():
            return IntDistribution(
                dimension.low, dimension.top, log=dimension.log, step=dimension.step
            )
        case DoubleSpan(step=None):
            low, high = float(dimension.low), float(dimension.high)
            return FloatDistribution(low, high, log=dimension.log)
        case DoubleSpan():
            return IntDistribution(0, (dimension.size or 1) - 1)
        case Listed():
            return CategoricalDistribution(dimension.values)
        case _:
            name = type(dimension).__name__
            raise TypeError(f"a dimension of type {name} has no distribution")


def _to_study(dimension: Dimension, value: Value) -> Any:
    if isinstance(dimension, DoubleSpan) and dimension.step is not None:
        return dimension.index_of(value)
    return value


def _clean(dimension: Dimension, value: Any) -> Value:
    match dimension:
        case DoubleSpan(step=None):
            return rounded(float(value), float(dimension.low), float(dimension.high))
        case DoubleSpan():
            return dimension.at(int(value))
        case IntSpan():
            return int(value)
        case _:
            return value  # type: ignore[no-any-return]
