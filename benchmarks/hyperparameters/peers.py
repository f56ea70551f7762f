"""Optuna, hyperopt and scikit-learn as their own guides use them, one trial after the other."""

from __future__ import annotations

import contextlib
import math
import random
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import hyperopt
import numpy as np
import optuna
from hyperopt import hp
from scipy import stats
from sklearn.model_selection import ParameterGrid, ParameterSampler

from benchmarks.hyperparameters.tasks import Objective, Point
from winnow_operator.domain.spaces.space import Dimension, DoubleSpan, IntSpan, Space
from winnow_operator.engines.quick_normal import as_it_comes

Search = Callable[[Space, Objective, int, int], float]
"""The least value that a search of so many trials with a seed has found."""
SAMPLERS: Mapping[str, Callable[[int], optuna.samplers.BaseSampler]] = {
    "Random": lambda seed: optuna.samplers.RandomSampler(seed=seed),
    # Unless it is scrambled, the sequence is the same for all seeds.
    "QMC": lambda seed: optuna.samplers.QMCSampler(scramble=True, seed=seed),
    "TPE": lambda seed: optuna.samplers.TPESampler(seed=seed),
    "CMAES": lambda seed: optuna.samplers.CmaEsSampler(seed=seed),
    "NSGAII": lambda seed: optuna.samplers.NSGAIISampler(seed=seed),
}
"""By the name of the algorithm in Winnow; their defaults, but for the seed."""


class Best:
    """An objective that keeps the least value it has given."""

    def __init__(self, objective: Objective) -> None:
        self._objective = objective
        self.least = math.inf

    def __call__(self, point: Point) -> float:
        """The value of a point; NaN where it has none."""
        value = self._objective.value(point)
        self.least = min(self.least, value)  # NaN is less than nothing
        return value


@dataclass(frozen=True, slots=True)
class Study:
    """A search by `Study.optimize`."""

    sampler: Callable[[Space, int], optuna.samplers.BaseSampler]
    """Of a space and a seed."""
    ask: Callable[[optuna.Trial, Dimension], Any]
    """The value of a trial in a dimension."""

    def __call__(self, space: Space, objective: Objective, trials: int, seed: int) -> float:
        """The least value that it finds."""
        best = Best(objective)
        with as_it_comes(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that some samplers are experimental
            study = optuna.create_study(study_name="peer", sampler=self.sampler(space, seed))
            study.optimize(
                lambda trial: best({d.name: self.ask(trial, d) for d in space.dimensions}),
                n_trials=trials,
            )
        return best.least


def optuna_search(name: str) -> Search:
    """One of the samplers."""
    return Study(lambda _, seed: SAMPLERS[name](seed), _asked)


OPTUNA_GRID: Search = Study(
    lambda space, seed: optuna.samplers.GridSampler(_axes(space), seed=seed),
    lambda trial, dimension: trial.suggest_categorical(dimension.name, _axis(dimension)),
)
"""A grid of the values that Winnow's has, in a random order, as Optuna takes it."""


def _asked(trial: optuna.Trial, dimension: Dimension) -> Any:
    match dimension:
        case IntSpan():
            return trial.suggest_int(
                dimension.name, dimension.low, dimension.high, log=dimension.log
            )
        case DoubleSpan():
            low, high = float(dimension.low), float(dimension.high)
            return trial.suggest_float(dimension.name, low, high, log=dimension.log)
        case _:
            return trial.suggest_categorical(dimension.name, _values(dimension))


def hyperopt_search(suggest: Any) -> Search:
    """`fmin` with one of hyperopt's algorithms."""
    return partial(_fmin, suggest)


def _fmin(suggest: Any, space: Space, objective: Objective, trials: int, seed: int) -> float:
    best = Best(objective)

    def run(drawn: Mapping[str, Any]) -> Mapping[str, Any]:
        value = best({d.name: _plain(d, drawn[d.name]) for d in space.dimensions})
        if math.isnan(value):
            return {"status": hyperopt.STATUS_FAIL}
        return {"status": hyperopt.STATUS_OK, "loss": value}

    with contextlib.suppress(hyperopt.exceptions.AllTrialsFailed):
        hyperopt.fmin(
            run,
            {d.name: _hyperopt_range(d) for d in space.dimensions},
            algo=suggest,
            max_evals=trials,
            rstate=np.random.default_rng(seed),
            show_progressbar=False,
            verbose=False,
        )
    return best.least


def _hyperopt_range(dimension: Dimension) -> Any:
    match dimension:
        case IntSpan(low=low, high=high, log=True):
            return hp.qloguniform(dimension.name, math.log(low), math.log(high), 1)
        case IntSpan(low=low, high=high):
            return hp.uniformint(dimension.name, low, high)
        case DoubleSpan(low=low, high=high, log=True):
            return hp.loguniform(dimension.name, math.log(low), math.log(high))
        case DoubleSpan(low=low, high=high):
            return hp.uniform(dimension.name, float(low), float(high))
        case _:
            return hp.choice(dimension.name, _values(dimension))


def sklearn_random(space: Space, objective: Objective, trials: int, seed: int) -> float:
    """What `RandomizedSearchCV` tries."""
    ranges = {d.name: _scipy_range(d) for d in space.dimensions}
    return _tried(space, objective, ParameterSampler(ranges, trials, random_state=seed))


def _scipy_range(dimension: Dimension) -> Any:
    match dimension:
        case IntSpan(low=low, high=high, log=True) | DoubleSpan(low=low, high=high, log=True):
            return stats.loguniform(float(low), float(high))
        case IntSpan(low=low, high=high):
            return stats.randint(low, high + 1)
        case DoubleSpan(low=low, high=high):
            return stats.uniform(float(low), float(high - low))
        case _:
            return _values(dimension)


def sklearn_grid(space: Space, objective: Objective, trials: int, seed: int) -> float:
    """What `GridSearchCV` tries, in a random order, as not all of it is tried."""
    grid = ParameterGrid(_axes(space))
    order = random.Random(seed).sample(range(len(grid)), min(trials, len(grid)))  # noqa: S311 -- a search, not a secret
    return _tried(space, objective, (grid[place] for place in order))


def _tried(space: Space, objective: Objective, points: Iterable[Mapping[str, Any]]) -> float:
    best = Best(objective)
    for point in points:
        best({d.name: _plain(d, point[d.name]) for d in space.dimensions})
    return best.least


def _axes(space: Space) -> dict[str, Sequence[Any]]:
    return {d.name: _axis(d) for d in space.dimensions}


def _axis(dimension: Dimension) -> list[Any]:
    return _values(dimension.grid_axis())


def _values(dimension: Dimension) -> list[Any]:
    """All of a dimension that has an end of them."""
    return [dimension.at(place) for place in range(dimension.size or 0)]


def _plain(dimension: Dimension, value: Any) -> Any:
    """A drawn value as a trial gets it: whole where it must be, and within the range."""
    match dimension:
        case IntSpan(low=low, high=high):
            return min(max(round(value), low), high)
        case DoubleSpan(low=low, high=high):
            return min(max(float(value), float(low)), float(high))
        case _:
            return (
                value
                if isinstance(value, str)
                else value.item()
                if hasattr(value, "item")
                else value
            )
