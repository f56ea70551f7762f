"""What engines have in common that learn from whole generations of trials.

A trial belongs to the generation that was current when it was suggested. Once a generation has
enough trials with a value, the model is told of them and the next generation begins. Which ones
were known at a suggestion stands in each Trial (its history), so an engine that is rebuilt goes
through the trials in the order of their numbers, tells its model the same, and is the same.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, TypeVar

from winnow_operator.api.trial import Outcome
from winnow_operator.domain.intervals import contains, read_spans
from winnow_operator.domain.space import Space, Value
from winnow_operator.engines.base import Record
from winnow_operator.engines.sampling import left_over
from winnow_operator.engines.unseen import Seen

Model = TypeVar("Model")
Known = Callable[[int], bool]
"""Whether the outcome of a trial was known."""


@dataclass(slots=True)
class _Line(Generic[Model]):
    """A model as it was after the suggestion of trial `last`."""

    model: Model
    members: list[int] = field(default_factory=list)
    """Trials of the current generation, ascending."""
    last: int = 0


class GenerationEngine(ABC, Generic[Model]):
    """Tells a model of each generation, and asks it for points."""

    adaptive = True

    def __init__(self, space: Space, seed: int, population: int) -> None:
        self._space = space
        self._seed = seed
        self._population = population
        self._records: dict[int, Record] = {}
        self._seen = Seen(space, seed)
        self._line: _Line[Model] | None = None

    @abstractmethod
    def _new_model(self) -> Model:
        """A model that was told nothing."""

    @abstractmethod
    def _told(self, model: Model, generation: Sequence[Record]) -> Model:
        """The model after a generation; it may be another one."""

    @abstractmethod
    def _points(self, model: Model, number: int) -> Iterator[Mapping[str, Value]]:
        """What the model suggests for a trial, in the order in which it is to be considered."""

    def observe(self, record: Record) -> None:
        """Take note of a trial."""
        old = self._records.get(record.number)
        if old is None and self._line is not None and record.number <= self._line.last:
            self._line = None  # made anew in the right order at the next suggestion
        if old is None or old.outcome is Outcome.ACTIVE:
            self._records[record.number] = record
            self._seen.add(record.assignment)

    def suggest(self, number: int) -> Mapping[str, Value] | None:
        """The next point to try, or None when every point was suggested."""
        if number in self._records:
            self._forget(number)
        if self._seen.exhausted:
            return None
        line = self._line_for(number)
        self._advance(line, self._has_ended)
        point = next(filter(self._seen.is_new, self._points(line.model, number)), None)
        if point is None:
            point = left_over(self._space, self._seed, number, self._seen)
        if point is not None:
            self._records[number] = Record(number, point, Outcome.ACTIVE)
            self._seen.add(point)
            self._join(line, number)
        return point

    def _forget(self, number: int) -> None:
        """A suggestion that is asked for again was never recorded."""
        del self._records[number]
        self._line = None
        self._seen.restart(record.assignment for record in self._records.values())

    def _line_for(self, number: int) -> _Line[Model]:
        """The model as it was before this number; what came later depends on it."""
        line = self._line
        if line is None or line.last >= number:
            line = _Line(self._new_model())
        for earlier in range(line.last + 1, number):
            record = self._records.get(earlier)
            if record is not None:
                self._advance(line, partial(contains, read_spans(record.history)))
                self._join(line, earlier)
        self._line = None if any(n > number for n in self._records) else line
        return line

    def _join(self, line: _Line[Model], number: int) -> None:
        line.members.append(number)
        line.last = number

    def _advance(self, line: _Line[Model], known: Known) -> None:
        """Tell the model of the current generation if enough of it is known."""
        records = (self._records[n] for n in line.members if known(n))
        valued = [record for record in records if record.results]
        if len(valued) >= self._population:
            line.model = self._told(line.model, valued[: self._population])
            line.members = []

    def _has_ended(self, number: int) -> bool:
        return self._records[number].outcome is not Outcome.ACTIVE
