"""Random: independent draws, each from (seed, number); no point twice in a finite space."""

from __future__ import annotations

import random
from collections.abc import Mapping

from winnow_operator.domain.space import Space, Value
from winnow_operator.engines.base import Record
from winnow_operator.engines.seeds import generator
from winnow_operator.engines.unseen import Seen


def sample(space: Space, source: random.Random) -> dict[str, Value]:
    """One point, every dimension even in its scale."""
    return {d.name: d.from_unit(source.random()) for d in space.dimensions}


class RandomEngine:
    """Suggestion n depends on the space, the seed and n alone.

    In a finite space it must also not repeat suggestions 1 to n - 1; those depend on nothing
    else either, and are made again where they are needed.
    """

    adaptive = False

    def __init__(self, space: Space, seed: int) -> None:
        self._space = space
        self._seed = seed
        self._seen = Seen(space, seed)
        self._points: list[tuple[Value, ...]] = []

    def observe(self, record: Record) -> None:
        """Nothing to learn: the sequence does not depend on results."""

    def suggest(self, number: int) -> Mapping[str, Value] | None:
        """The point with this number, or None when every point was suggested."""
        size = self._space.size
        if size is None:
            return self._draw(generator(self._seed, "random", number))
        if number > size:
            return None
        while len(self._points) < number:
            self._add_next()
        names = (d.name for d in self._space.dimensions)
        return dict(zip(names, self._points[number - 1], strict=True))

    def _add_next(self) -> None:
        source = generator(self._seed, "random", len(self._points) + 1)
        point = self._seen.draw(source, self._draw)
        assert point is not None  # noqa: S101 -- fewer points than the space has were drawn
        self._seen.add(point)
        self._points.append(tuple(point.values()))

    def _draw(self, source: random.Random) -> dict[str, Value]:
        return sample(self._space, source)
