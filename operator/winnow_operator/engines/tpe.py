"""TPE: the tree-structured Parzen estimator of Optuna 5, as it ships it.

Bergstra et al., "Algorithms for Hyper-Parameter Optimization", NeurIPS 2011; multivariate and
with constant liar for active trials, which are Optuna 5's defaults.

A suggestion depends on the spec, its number, and the trials known when it was made: those with an
outcome, and as active those with a lower number. So an engine that lived through a search and one
that is rebuilt from its records suggest the same:

- the sampler is made anew for each suggestion, with a seed from (seed, number);
- the sampler reads finished and running trials in the order of the study. The study holds our
  trials in the order of our numbers, each as it is recorded;
- what Optuna itself asks for is told as failed at once, and failed trials are never read.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import TPESampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial
from typing_extensions import override

from winnow_operator.api.trial import Outcome
from winnow_operator.domain.spaces.space import Space, Value
from winnow_operator.engines.base import Record
from winnow_operator.engines.distributions import (
    Distributions,
    constraints_of,
    distributions_for,
    distributions_of,
    several_valued,
    suggested,
    to_study,
)
from winnow_operator.engines.quick_normal import speed_up
from winnow_operator.engines.sampling import left_over
from winnow_operator.engines.seeds import derived
from winnow_operator.engines.unseen import Seen

speed_up()

REDRAWS = 8
"""Suggestions of TPE that may be duplicates before a random new point is taken."""


class TpeEngine:
    """Optuna's TPE over the recorded trials."""

    adaptive = True

    def __init__(
        self, space: Space, seed: int, objectives: int = 1, known: Sequence[Record] = ()
    ) -> None:
        self._known = known
        self._space = space
        self._seed = seed
        self._objectives = objectives
        self._records: dict[int, Record] = {}
        self._seen = Seen(space, seed)
        self._study: _OrderedStudy | None = None

    def observe(self, record: Record) -> None:
        """Take note of a trial."""
        old = self._records.get(record.number)
        if old is not None and old.outcome is not Outcome.ACTIVE:
            return
        self._records[record.number] = record
        self._seen.add(record.assignment)
        if self._study is not None and not self._study.take(record):
            self._study = None  # made anew in the right order at the next suggestion

    def suggest(self, number: int) -> Mapping[str, Value] | None:
        """The next point to try, or None when every point was suggested."""
        if number in self._records:
            self._forget(number)
        if self._seen.exhausted:
            return None
        point = self._modelled(number)
        if point is None:
            point = left_over(self._space, self._seed, number, self._seen)
        if point is not None:
            self.observe(Record(number, point, Outcome.ACTIVE))
        return point

    def _forget(self, number: int) -> None:
        """A suggestion that is asked for again was never recorded."""
        del self._records[number]
        self._study = None
        self._seen.restart(record.assignment for record in self._records.values())

    def _modelled(self, number: int) -> Mapping[str, Value] | None:
        study = self._study_for(number)
        for redraw in range(REDRAWS):
            point = study.ask(derived(self._seed, "tpe", number, redraw) % 2**32)
            if self._seen.is_new(point):
                return point
        return None

    def _study_for(self, number: int) -> _OrderedStudy:
        later = [r.number for r in self._records.values() if r.number > number and _is_active(r)]
        if later:  # what was suggested for them depends on this number, not the other way round
            earlier = (r for r in self._records.values() if r.number not in later)
            return self._study_of(earlier)
        if self._study is None:
            self._study = self._study_of(self._records.values())
        return self._study

    def _study_of(self, records: Iterable[Record]) -> _OrderedStudy:
        return _OrderedStudy.of(self._space, self._objectives, (*self._known, *records))


@dataclass(slots=True)
class _OrderedStudy:
    """An Optuna study that holds records in the order of their numbers."""

    space: Space
    distributions: Distributions
    study: optuna.Study
    positions: dict[int, int] = field(default_factory=dict)
    """Optuna's number of each record."""
    length: int = 0
    last: float = -math.inf

    @classmethod
    def of(cls, space: Space, objectives: int, records: Iterable[Record]) -> _OrderedStudy:
        """A study of these records."""
        made = cls(
            space,
            distributions_of(space),
            optuna.create_study(
                directions=[StudyDirection.MINIMIZE] * objectives, study_name="winnow"
            ),
        )
        for record in sorted(records, key=lambda r: r.number):
            made.take(record)
        return made

    def take(self, record: Record) -> bool:
        """Add a record, or what became of it; False if it comes out of order."""
        state, values = _state(record)
        if record.number in self.positions:
            if state is not TrialState.RUNNING:
                self._note_rest(record)
                self.study.tell(self.positions[record.number], values, state=state)
            return True
        if record.number < self.last:
            return False
        self.study.add_trial(
            create_trial(
                state=state,
                values=values,
                params=to_study(self.space, record.assignment),
                constraints=constraints_of(record),
                intermediate_values=_intermediate(record),
                distributions=distributions_for(self.space, self.distributions, record.assignment),
            )
        )
        self.positions[record.number] = self.length
        self.length += 1
        self.last = record.number
        return True

    def _note_rest(self, record: Record) -> None:
        """What is told of a trial before how it ended."""
        if not record.violation and not record.stopped_at:
            return
        trials = self.study.get_trials(deepcopy=False)
        identity = trials[self.positions[record.number]]._trial_id  # noqa: SLF001 -- no other way
        trial = optuna.Trial(self.study, identity)
        for name, value in constraints_of(record).items():
            trial.set_constraint(name, value)
        for rung, score in _intermediate(record).items():
            trial.report(score, rung)

    def ask(self, seed: int) -> dict[str, Value]:
        """What TPE suggests; the study stays as it is."""
        common = {n: d for n, d in self.distributions.items() if n not in self.space.conditions}
        self.study.sampler = _Sampler(common, seed)
        trial = self.study.ask(common)
        point = suggested(self.space, trial)
        self.study.tell(trial, state=TrialState.FAIL)
        self.length += 1
        return point


class _Sampler(TPESampler):
    """TPE over what all trials have, so that it need not be looked for.

    What only some have is asked for one by one, and modelled from the trials that have it.
    """

    def __init__(self, distributions: Distributions, seed: int) -> None:
        super().__init__(seed=seed)
        self._all = several_valued(distributions)

    @override
    def infer_relative_search_space(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
    ) -> dict[str, BaseDistribution]:
        """All parameters that have more than one value."""
        return dict(self._all)


def _is_active(record: Record) -> bool:
    return record.outcome is Outcome.ACTIVE


def _state(record: Record) -> tuple[TrialState, list[float] | None]:
    if _is_active(record):
        return TrialState.RUNNING, None
    if not record.results:
        return TrialState.FAIL, None
    if record.stopped_at:
        return TrialState.PRUNED, None
    return TrialState.COMPLETE, list(record.results)


def _intermediate(record: Record) -> dict[int, float]:
    """Of a stopped trial: its score at the rung, by which TPE ranks it behind all that ran on."""
    return {record.stopped_at: record.results[0]} if record.stopped_at and record.results else {}
