"""Sifts the points of a finite space for those that keep its constraints, thousands at one time.

Going through a million points one by one in Python takes 20 seconds and holds the interpreter, which
the operator's other jobs need too. So blocks of places are sifted by numpy, which is quick and lets
go of the interpreter, and only what passes is looked at one by one, when it is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from winnow_operator.domain.spaces.limits import Limit
from winnow_operator.domain.spaces.space import Dimension, DoubleSpan, IntSpan, Listed, Space
from winnow_operator.engines.permutations import ROUNDS, half_bits, permuted, scrambled

BLOCK = 8192
"""Places that are sifted at one time: a millisecond."""
SLACK = 1e-12
"""Relative to the largest values; more than `Limit` allows, so that it alone decides at the edge."""
TABLE_BITS = 16
"""Half blocks of a cipher for which a table of each round is worth its while."""

Places = npt.NDArray[Any]
"""(n,), whole numbers; Python's own where 64 bits do not hold them."""
Floats = npt.NDArray[np.float64]


def allowed_places(space: Space, most: int, seed: int | None) -> Iterator[int]:
    """Places (`Space.at`) of points that keep all limits.

    Args:
        space: finite.
        most: how many places are looked at.
        seed: of the random order in which they come; None: in the order of the space.
    """
    axes = _axes(space)
    sieves = [_Sieve(limit, axes) for limit in space.limits if axes.keys() >= {*limit.names}]
    order = _Order(space.size or 0, seed)
    for start in range(0, min(order.size, most), BLOCK):
        places = order.block(start, min(order.size, most, start + BLOCK))
        for sieve in sieves:
            places = places[sieve.may_hold(places)]
        yield from (place for place in map(int, places) if space.allows(space.at(place)))


@dataclass(slots=True)
class _Order:
    """The places of a space in their own order, or in that of `permuted`."""

    size: int
    seed: int | None
    _turns: list[Places] = field(init=False)

    def __post_init__(self) -> None:
        half, seed = half_bits(self.size), self.seed
        self._turns = []
        if seed is not None and half <= TABLE_BITS:
            self._turns = [
                np.array([scrambled(seed, turn, right, half) for right in range(1 << half)])
                for turn in range(ROUNDS)
            ]

    def block(self, start: int, end: int) -> Places:
        """The places with these indices."""
        if self.seed is None:
            dtype = np.int64 if self.size < 1 << 62 else np.object_
            return np.array(range(start, end), dtype=dtype)
        if not self._turns:
            places = [permuted(index, self.size, self.seed) for index in range(start, end)]
            return np.array(places, dtype=np.object_)
        return self._permuted(np.arange(start, end, dtype=np.int64))

    def _permuted(self, places: Places) -> Places:
        half, outside = half_bits(self.size), np.ones(len(places), dtype=np.bool_)
        while outside.any():  # cycle walking
            left, right = places[outside] >> half, places[outside] & ((1 << half) - 1)
            for turn in self._turns:
                left, right = right, left ^ turn[right]
            places[outside] = left << half | right
            outside = places >= self.size
        return places


@dataclass(frozen=True, slots=True)
class _Axis:
    """A dimension of numbers that all points have."""

    dimension: Dimension
    stride: int
    """Places from one of its values to the next."""

    def at(self, places: Places) -> Floats:
        """Its values at these places, as far as 64 bits hold them."""
        steps = ((places // self.stride) % (self.dimension.size or 1)).astype(np.float64)
        match self.dimension:
            case IntSpan(low=low, step=step):
                return low + steps * step
            case DoubleSpan(low=start, step=size):
                return float(start) + steps * float(size or 0)
            case _:
                return self._listed()[steps.astype(np.int64)]

    def _listed(self) -> Floats:
        count = self.dimension.size or 0
        return np.array([float(self.dimension.at(place)) for place in range(count)])

    @property
    def largest(self) -> float:
        """The size of its largest value, whatever its sign."""
        ends = (0, (self.dimension.size or 1) - 1)
        if isinstance(self.dimension, Listed):
            return float(np.abs(self._listed()).max())
        return max(abs(float(self.dimension.at(place))) for place in ends)


def _axes(space: Space) -> dict[str, _Axis]:
    """By name; a dimension with a condition has none, and what is limited of it is sifted singly."""
    stride, axes = 1, dict[str, _Axis]()
    for root, size in reversed(space.tree_sizes()):
        if root.size == size and not isinstance(root.at(0), str):
            axes[root.name] = _Axis(root, stride)
        stride *= size
    return axes


@dataclass(frozen=True, slots=True)
class _Sieve:
    """One limit over many places."""

    limit: Limit
    axes: Mapping[str, _Axis]

    def may_hold(self, places: Places) -> npt.NDArray[np.bool_]:
        """False where a point surely breaks the limit."""
        columns = [self.axes[name].at(places) for name in self.limit.names]
        largest = [self.axes[name].largest for name in self.limit.names]
        if self.limit.factors:
            total = np.asarray(self.limit.factors) @ np.stack(columns)
            scale = sum(abs(f) * x for f, x in zip(self.limit.factors, largest, strict=True))
        else:
            total, scale = np.prod(columns, axis=0), math.prod(largest)
        slack = SLACK * scale
        found: npt.NDArray[np.bool_] = (total >= self.limit.low - slack) & (
            total <= self.limit.high + slack
        )
        return found
