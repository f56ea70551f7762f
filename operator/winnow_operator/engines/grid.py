"""Grid: every point once, enumerated lazily; with a seed in a random order.

Optuna's GridSampler is not used: through ask and tell it repeats points and its cost grows with
the square of the trials (reference: Optuna's own documentation of `GridSampler`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from winnow_operator.domain.spaces.space import Space, Value
from winnow_operator.engines.base import Record
from winnow_operator.engines.permutations import permuted
from winnow_operator.engines.unseen import NOTHING_ALLOWED
from winnow_operator.errors import InvalidSpecError


class GridEngine:
    """Point `number - 1` of the grid, the last parameter changing fastest."""

    adaptive = False

    def __init__(self, space: Space, seed: int | None) -> None:
        self._grid = space.grid()
        self._seed = seed
        self.size = self._grid.size or 0
        self._allowed: list[int] = []
        """Where there are constraints: places of the allowed points, as far as was looked."""
        self._further: Iterator[int] | None = None

    def observe(self, record: Record) -> None:
        """Nothing to learn: a grid does not depend on results."""

    def suggest(self, number: int) -> Mapping[str, Value] | None:
        """The allowed point with this number, or None past the last one.

        Raises:
            InvalidSpecError: if no point is allowed.
        """
        if not self._grid.limits:
            return self._grid.at(self._place(number - 1)) if number <= self.size else None
        if self._further is None:
            # numpy takes 20 MB and a moment: only a Grid with constraints pays.
            from winnow_operator.engines.sifting import allowed_places

            self._further = allowed_places(self._grid, self.size, self._seed)
        self._allowed += islice(self._further, max(0, number - len(self._allowed)))
        if not self._allowed:
            raise InvalidSpecError(NOTHING_ALLOWED)
        return self._grid.at(self._allowed[number - 1]) if number <= len(self._allowed) else None

    def _place(self, index: int) -> int:
        return index if self._seed is None else permuted(index, self.size, self._seed)
