"""What engines have in common whose model learns in steps, so that its past matters.

Which trials were known at a suggestion stands in each Trial (its history). An engine that is rebuilt
goes through the trials in the order of their numbers, tells its model the same at the same
places, and is the same.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, TypeVar

from winnow_operator.api.trial import Outcome
from winnow_operator.domain.intervals import contains, read_spans
from winnow_operator.domain.spaces.space import Value
from winnow_operator.engines.base import Record

Model = TypeVar("Model")
Known = Callable[[int], bool]
"""Whether the outcome of a trial was known."""


@dataclass(slots=True)
class Line(Generic[Model]):
    """A model as it was after the suggestion of trial `last`."""

    model: Model
    members: list[int] = field(default_factory=list)
    """Trials that the model was not told of, ascending."""
    last: int = 0


class ReplayedEngine(ABC, Generic[Model]):
    """Tells a model of trials as they become known, and asks it for points."""

    adaptive = True

    def __init__(self) -> None:
        self._records: dict[int, Record] = {}
        self._line: Line[Model] | None = None

    @abstractmethod
    def _new_model(self) -> Model:
        """A model that was told nothing."""

    @abstractmethod
    def _advance(self, line: Line[Model], known: Known) -> None:
        """Tell the model of members that are known, if they are enough."""

    @abstractmethod
    def _point(self, model: Model, number: int) -> Mapping[str, Value] | None:
        """What the model suggests for a trial; None if every point was suggested."""

    @abstractmethod
    def _add_point(self, point: Mapping[str, Value]) -> None:
        """Remember that a point was suggested."""

    @abstractmethod
    def _restart_points(self) -> None:
        """Remember those of the records, and no others."""

    def observe(self, record: Record) -> None:
        """Take note of a trial."""
        old = self._records.get(record.number)
        if old is None and self._line is not None and record.number <= self._line.last:
            self._line = None  # made anew in the right order at the next suggestion
        if old is None or old.outcome is Outcome.ACTIVE:
            self._records[record.number] = record
            self._add_point(record.assignment)

    def suggest(self, number: int) -> Mapping[str, Value] | None:
        """The next point to try, or None when every point was suggested."""
        if number in self._records:
            self._forget(number)
        line = self._line_for(number)
        self._advance(line, self._has_ended)
        point = self._point(line.model, number)
        if point is not None:
            self._records[number] = Record(number, point, Outcome.ACTIVE)
            self._add_point(point)
            _join(line, number)
        return point

    def _forget(self, number: int) -> None:
        """A suggestion that is asked for again was never recorded."""
        del self._records[number]
        self._line = None
        self._restart_points()

    def _line_for(self, number: int) -> Line[Model]:
        """The model as it was before this number; what came later depends on it."""
        line = self._line
        if line is None or line.last >= number:
            line = Line(self._new_model())
        for earlier in range(line.last + 1, number):
            record = self._records.get(earlier)
            if record is not None:
                self._advance(line, partial(contains, read_spans(record.history)))
                _join(line, earlier)
        self._line = None if any(n > number for n in self._records) else line
        return line

    def _has_ended(self, number: int) -> bool:
        return self._records[number].outcome is not Outcome.ACTIVE


def _join(line: Line[Model], number: int) -> None:
    line.members.append(number)
    line.last = number
