"""From values to places on a drawing, and the round values that an axis names."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Scale", "binary_unit", "fit_scale"]

WIDE = 4.0
"""From this factor between largest and smallest value on, an axis is logarithmic."""
MARGIN = 0.06
"""Room on either side, as a share of what is drawn."""
SAME = 1e-9
"""Values closer than this share of themselves are drawn as one."""
TINY = 1e-100
"""What is below it is drawn as 0."""
TICKS = 5
MOST_TICKS = 9


@dataclass(frozen=True, slots=True)
class Scale:
    """A straight or logarithmic axis from `start` to `end` on the drawing."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False
    unit: float = 1.0
    """What round values are multiples of: 1024 ** n where sizes are shown in binary units."""

    def at(self, value: float) -> float:
        """Place of a value; what lies outside of the axis is put at its end."""
        inside = min(max(value, self.low), self.high)
        if self.logarithmic:
            share = math.log(inside / self.low) / math.log(self.high / self.low)
        else:
            share = (inside - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> tuple[float, ...]:
        """Round values on the axis, ascending."""
        if self.logarithmic:
            found = _log_ticks(self.low, self.high)
            if len(found) > 1:
                return found
        ticks = _straight_ticks(self.low / self.unit, self.high / self.unit)
        return tuple(tick * self.unit for tick in ticks)


def binary_unit(value: float) -> float:
    """The largest power of 1024 that is not above a size."""
    return 1024.0 ** max(0, math.floor(math.log(value, 1024))) if value > 0 else 1.0


def fit_scale(
    values: Sequence[float], start: float, end: float, *, may_be_logarithmic: bool = False
) -> Scale:
    """An axis on which all values have room.

    Args:
        values: finite numbers, at least one; above 0 where the axis may be logarithmic.
        start: place of the lowest value on the drawing.
        end: place of the highest.
        may_be_logarithmic: whether a wide range makes it so.
    """
    low, high = min(values), max(values)
    if may_be_logarithmic and low > 0 and high / low > WIDE:
        room = (high / low) ** MARGIN
        return Scale(low / room, high * room, start, end, logarithmic=True)
    return _straight(low, high, start, end)


def _straight(low: float, high: float, start: float, end: float) -> Scale:
    largest = max(abs(low), abs(high))
    spread = high - low if high - low > largest * SAME else largest
    room = spread * MARGIN if largest > TINY else 1.0
    return Scale(low - room, high + room, start, end)


def _straight_ticks(low: float, high: float) -> tuple[float, ...]:
    step = _round_step((high - low) / TICKS)
    first = math.ceil(low / step)
    count = min(MOST_TICKS, math.floor(high / step) - first + 1)
    return tuple((first + i) * step for i in range(count))


def _round_step(step: float) -> float:
    """1, 2 or 5 times a power of ten, not below the step."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= step)


def _log_ticks(low: float, high: float) -> tuple[float, ...]:
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1, 2, 5), (1, 3), (1,)):
        ticks = tuple(f * 10.0**p for p in powers for f in factors if low <= f * 10.0**p <= high)
        if len(ticks) <= MOST_TICKS:
            return ticks
    return ticks[:: math.ceil(len(ticks) / MOST_TICKS)]
