"""Random: independent draws, each from (seed, number); no point twice in a finite space."""

from __future__ import annotations

import random
from collections.abc import Mapping

from typing_extensions import override

from winnow_operator.domain.spaces.space import Space, Value
from winnow_operator.engines.seeds import generator
from winnow_operator.engines.sequences import SequenceEngine
from winnow_operator.engines.unseen import Seen


def sample(space: Space, source: random.Random) -> dict[str, Value]:
    """One point, every dimension even in its scale."""
    return space.belonging({d.name: d.from_unit(source.random()) for d in space.dimensions})


def left_over(space: Space, seed: int, number: int, seen: Seen) -> Mapping[str, Value] | None:
    """A random new point for a trial whose engine finds none itself; None if there is none."""
    return seen.draw(generator(seed, "leftover", number), lambda source: sample(space, source))


class RandomEngine(SequenceEngine):
    """Suggestion n depends on the space, the seed and n alone."""

    @override
    def _at(self, number: int) -> Mapping[str, Value]:
        return self._draw(generator(self._seed, "random", number))

    @override
    def _draw(self, source: random.Random) -> Mapping[str, Value]:
        return sample(self._space, source)
