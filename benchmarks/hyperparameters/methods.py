"""What is compared: Winnow's algorithms through their engines, and what users would take instead."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial

import hyperopt

from benchmarks.hyperparameters.peers import (
    OPTUNA_GRID,
    Best,
    Search,
    hyperopt_search,
    optuna_search,
    sklearn_grid,
    sklearn_random,
)
from benchmarks.hyperparameters.tasks import Objective
from tests.support.replayed_search import ReplayedSearch
from winnow_operator.api.searchjob import SearchJobSpec
from winnow_operator.api.trial import Outcome
from winnow_operator.domain.spaces.space import Listed, Space
from winnow_operator.engines import choose_algorithm, make_engine
from winnow_operator.engines.nsgaii import POPULATION

PEERS: Mapping[str, Search] = {
    "Optuna Grid": OPTUNA_GRID,
    "Optuna Random": optuna_search("Random"),
    "Optuna QMC": optuna_search("QMC"),
    "Optuna TPE": optuna_search("TPE"),
    "Optuna CMAES": optuna_search("CMAES"),
    "Optuna NSGAII": optuna_search("NSGAII"),
    "hyperopt random": hyperopt_search(hyperopt.rand.suggest),
    "hyperopt TPE": hyperopt_search(hyperopt.tpe.suggest),
    "scikit-learn random": sklearn_random,
    "scikit-learn grid": sklearn_grid,
}


def spec_of(algorithm: str, space: Mapping[str, object], trials: int, seed: int) -> SearchJobSpec:
    """A search as a user writes it, with one trial at a time."""
    return SearchJobSpec.model_validate(
        {
            "trial": {"image": "none"},
            "objectives": [{"metric": "value", "goal": "Minimize"}],
            "space": space,
            "algorithm": {"name": algorithm, "seed": seed},
            "budget": {"maxTrials": trials, "parallelism": 1},
        }
    )


def takes_part(method: str, space: Space, trials: int) -> bool:
    """Whether an algorithm, Winnow's or Optuna's, is more there than Random.

    CMAES takes numbers alone, and NSGAII draws its whole first generation at random.
    """
    match method.removeprefix("Optuna "):
        case "CMAES":
            return not _has_words(space)
        case "NSGAII":
            return trials >= POPULATION
        case _:
            return True


def _has_words(space: Space) -> bool:
    return any(isinstance(d, Listed) and isinstance(d.at(0), str) for d in space.dimensions)


def chosen_by_auto(space: Space, spec: SearchJobSpec) -> str:
    """The algorithm whose searches are those of Auto: it makes the same engine with the same seed."""
    return str(choose_algorithm(spec, space).name)


def own_search(spec: SearchJobSpec, space: Space, objective: Objective, trials: int) -> float:
    """A search by an engine of the operator, driven as the operator drives it."""
    best, value = Best(objective), math.nan
    search = ReplayedSearch(partial(make_engine, spec, space), lambda _: value)
    for number in range(1, trials + 1):
        (point,) = search.suggest()
        if point is None:
            break
        value = best(point)
        search.end(number, Outcome.FAILED if math.isnan(value) else Outcome.SUCCEEDED)
    return best.least
