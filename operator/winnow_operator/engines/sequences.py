"""Sequences of points that depend on the space, the seed and the trial's number alone.

What a sequence is made of its subclasses say; here stands that no point of a finite space comes
twice, and none that constraints forbid. For that suggestions 1 to n - 1 must be known; they depend
on nothing else either, and are made again where they are needed.
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Mapping

from winnow_operator.domain.spaces.space import Space, Value
from winnow_operator.engines.base import Record
from winnow_operator.engines.seeds import generator
from winnow_operator.engines.unseen import Seen


class SequenceEngine(ABC):
    """Suggests the points of a sequence, each once."""

    adaptive = False

    def __init__(self, space: Space, seed: int) -> None:
        self._space = space
        self._seed = seed
        self._seen = Seen(space, seed)
        self._points: list[tuple[Value | None, ...]] = []

    @abstractmethod
    def _at(self, number: int) -> Mapping[str, Value]:
        """The point with this number, from 1; where there is no end of points, all allowed."""

    @abstractmethod
    def _draw(self, source: random.Random) -> Mapping[str, Value]:
        """The next point, which may be one that was suggested before or is not allowed."""

    def observe(self, record: Record) -> None:  # noqa: B027 -- all sequences are alike in this
        """Nothing to learn: the sequence does not depend on results."""

    def suggest(self, number: int) -> Mapping[str, Value] | None:
        """The point with this number, or None when every point was suggested."""
        size = self._space.size
        if size is None and not self._space.limits:
            return self._at(number)
        while len(self._points) < number:
            if not self._add_next():
                return None
        names = (d.name for d in self._space.dimensions)
        values = zip(names, self._points[number - 1], strict=True)
        return {name: value for name, value in values if value is not None}

    def _add_next(self) -> bool:
        """Make the next point; False if every allowed one was suggested."""
        source = generator(self._seed, "random", len(self._points) + 1)
        point = self._seen.draw(source, self._draw)
        if point is None:
            return False
        self._seen.add(point)
        self._points.append(tuple(point.get(d.name) for d in self._space.dimensions))
        return True
