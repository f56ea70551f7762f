"""Points of the user's own that come first; an engine that learns goes on from what they give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from winnow_operator.api.trial import Outcome
from winnow_operator.domain.spaces.space import Value
from winnow_operator.engines.base import Record, SearchEngine


class StartedEngine:
    """Suggests given points as the first trials, then asks another engine."""

    adaptive = True

    def __init__(self, points: Sequence[Mapping[str, Value]], engine: SearchEngine) -> None:
        self._points = points
        self._engine = engine

    def observe(self, record: Record) -> None:
        """Take note of a trial, of a given point too."""
        self._engine.observe(record)

    def suggest(self, number: int) -> Mapping[str, Value] | None:
        """The given point with this number, or what the engine suggests after them."""
        if number > len(self._points):
            return self._engine.suggest(number)
        point = self._points[number - 1]
        self._engine.observe(Record(number, point, Outcome.ACTIVE))
        return point
