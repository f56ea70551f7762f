"""NSGAII: the elitist genetic algorithm of Optuna 5 over generations of trials.

Deb et al., "A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II", 2002, with Optuna's
settings: generations of 50, uniform crossover, a parameter mutates with probability 1 / number of
parameters. The selection of parents and the making of children are Optuna's; which generation a
trial belongs to follows from the histories of the Trials (`generations`), because Optuna keeps it
in attributes of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import NSGAIISampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial
from typing_extensions import override

from winnow_operator.domain.spaces.space import Space, Value
from winnow_operator.engines.base import Record
from winnow_operator.engines.distributions import (
    Distributions,
    constraints_of,
    distributions_of,
    several_valued,
    suggested,
    to_study,
)
from winnow_operator.engines.generations import GenerationEngine
from winnow_operator.engines.sampling import sample
from winnow_operator.engines.seeds import derived, generator

POPULATION = 50
REDRAWS = 16
"""Suggestions that may be duplicates before a random new point is taken."""


@dataclass(frozen=True, slots=True)
class Parents:
    """What the next generation is made from."""

    records: tuple[Record, ...] = ()
    study: optuna.Study | None = None
    """Holds them, in this order; None before the first generation is known."""


class NsgaiiEngine(GenerationEngine[Parents]):
    """NSGA-II over the recorded trials."""

    def __init__(
        self,
        space: Space,
        seed: int,
        objectives: int = 1,
        population: int = POPULATION,
        known: Sequence[Record] = (),
    ) -> None:
        super().__init__(space, seed, population, known)
        self._distributions = distributions_of(space)
        self._objectives = objectives

    @override
    def _new_model(self) -> Parents:
        return self._told(Parents(), self._known) if len(self._known) > 1 else Parents()

    @override
    def _told(self, model: Parents, generation: Sequence[Record]) -> Parents:
        pool = (*generation, *model.records)
        chosen = self._sampler(0).select_parent(self._study(pool), 1)
        records = tuple(pool[trial.number] for trial in chosen)
        return Parents(records, self._study(records))

    @override
    def _points(self, model: Parents, number: int) -> Iterator[Mapping[str, Value]]:
        for redraw in range(REDRAWS):
            if model.study is None:
                yield sample(self._space, generator(self._seed, "nsgaii", number, redraw))
            else:
                seed = derived(self._seed, "nsgaii", number, redraw) % 2**32
                yield self._child(model.study, seed)

    def _child(self, study: optuna.Study, seed: int) -> Mapping[str, Value]:
        study.sampler = self._sampler(seed)
        trial = study.ask(self._distributions)
        point = suggested(self._space, trial)
        study.tell(trial, state=TrialState.FAIL)  # never read again
        return point

    def _sampler(self, seed: int) -> _Sampler:
        return _Sampler(self._distributions, seed, self._population)

    def _study(self, records: Iterable[Record]) -> optuna.Study:
        directions = [StudyDirection.MINIMIZE] * self._objectives
        study = optuna.create_study(directions=directions, study_name="winnow")
        for record in records:
            study.add_trial(
                create_trial(
                    values=list(record.results),
                    params=to_study(self._space, record.assignment),
                    constraints=constraints_of(record),
                    distributions=self._distributions,
                )
            )
        return study


class _Sampler(NSGAIISampler):
    """NSGA-II over a study whose finished trials are the parents, all of them."""

    def __init__(self, distributions: Distributions, seed: int, population: int) -> None:
        super().__init__(population_size=population, seed=seed)
        self._all = several_valued(distributions)

    @override
    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """All parameters that have more than one value."""
        return dict(self._all)

    @override
    def get_trial_generation(self, study: optuna.Study, trial: FrozenTrial) -> int:
        """The one after the parents."""
        return 1

    @override
    def get_population(self, study: optuna.Study, generation: int) -> list[FrozenTrial]:
        """All trials that ended."""
        return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))

    @override
    def get_parent_population(self, study: optuna.Study, generation: int) -> list[FrozenTrial]:
        """The same for the generation to be made; those before it had none."""
        return self.get_population(study, generation) if generation else []
