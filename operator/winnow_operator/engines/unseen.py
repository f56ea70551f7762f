"""What has been suggested already, and points that have not."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping

from winnow_operator.domain.spaces.limits import MAX_SIFTED
from winnow_operator.domain.spaces.space import Space, Value
from winnow_operator.engines.permutations import permuted
from winnow_operator.errors import InvalidSpecError

REDRAWS = 64
"""Draws that may repeat a point before one of those that are left is looked up."""
CONSTRAINED_REDRAWS = 10_000
"""The same where constraints may forbid most points."""
NOTHING_ALLOWED = "no point of the space keeps spec.space.constraints"
NOTHING_DRAWN = (
    f"none of {CONSTRAINED_REDRAWS} random points keeps spec.space.constraints: narrow the ranges to "
    "where they can be kept"
)


class Seen:
    """The canonical texts of all suggestions, where the space is finite.

    Memory grows with the suggestions, never with the space.
    """

    def __init__(self, space: Space, seed: int) -> None:
        self._space = space
        self._seed = seed
        self._size = space.size
        self._texts: set[str] = set()
        self._is_empty = True
        self._left: Iterator[Mapping[str, Value]] | None = None

    def add(self, assignment: Mapping[str, Value]) -> None:
        """Remember a suggestion."""
        self._is_empty = False
        if self._size is not None:
            self._texts.add(self._space.canonical(assignment))

    def restart(self, assignments: Iterable[Mapping[str, Value]]) -> None:
        """Remember these, and nothing else."""
        self._texts.clear()
        self._is_empty, self._left = True, None
        for assignment in assignments:
            self.add(assignment)

    def is_new(self, assignment: Mapping[str, Value]) -> bool:
        """Whether it may be suggested: it is allowed, and was not before where points have an end."""
        if not self._space.allows(assignment):
            return False
        return self._size is None or self._space.canonical(assignment) not in self._texts

    @property
    def exhausted(self) -> bool:
        """Whether every point of the space was suggested."""
        return self._size is not None and len(self._texts) >= self._size

    def draw(
        self, source: random.Random, sample: Callable[[random.Random], Mapping[str, Value]]
    ) -> Mapping[str, Value] | None:
        """A new point by redrawing, else the first that is left; None if none is found.

        Raises:
            InvalidSpecError: if none is found, and none was suggested before.
        """
        if self.exhausted:
            return None
        for _ in range(CONSTRAINED_REDRAWS if self._space.limits else REDRAWS):
            point = sample(source)
            if self.is_new(point):
                return point
        left = None if self._size is None else self._leftover(self._size)
        if left is None and self._is_empty:
            raise InvalidSpecError(NOTHING_ALLOWED if self._size is not None else NOTHING_DRAWN)
        return left

    def _leftover(self, size: int) -> Mapping[str, Value] | None:
        """The first new point in a random order of the space.

        What was passed stays seen, so all calls together take no more steps than there are
        suggestions, or where there are constraints, than may be taken at all.
        """
        if self._left is None:
            self._left = self._in_random_order(size)
        return next(filter(self.is_new, self._left), None)

    def _in_random_order(self, size: int) -> Iterator[Mapping[str, Value]]:
        if not self._space.limits:
            return (self._space.at(permuted(index, size, self._seed)) for index in range(size))
        # numpy takes 20 MB and a moment: only searches that need it pay.
        from winnow_operator.engines.sifting import allowed_places

        places = allowed_places(self._space, min(size, MAX_SIFTED), self._seed)
        return map(self._space.at, places)
