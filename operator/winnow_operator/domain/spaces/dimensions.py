"""The dimensions of a search space: listed values, whole numbers, real numbers.

Steps are counted in decimal arithmetic, so that 0.1 + 2 * 0.1 is 0.3. Nothing here grows with
the number of values that a dimension has.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from winnow_operator.domain.spaces.values import Value, rounded, value_text
from winnow_operator.errors import InvalidSpecError


class Dimension(Protocol):
    """One parameter of the space."""

    @property
    def name(self) -> str:
        """Name of the parameter."""
        ...

    @property
    def size(self) -> int | None:
        """Number of different values; None where there is no end of them."""
        ...

    def at(self, index: int) -> Value:
        """The value with this index; only where `size` is known."""
        ...

    def from_unit(self, unit: float) -> Value:
        """The value at a position in [0, 1), even in the dimension's scale."""
        ...

    def to_unit(self, value: Value) -> float:
        """The position that `from_unit` gives this value at."""
        ...

    def has(self, value: Value) -> bool:
        """Whether a parsed value is one of the dimension's."""
        ...

    def grid_axis(self) -> Dimension:
        """The dimension of the values that a grid goes through; its size is known.

        Raises:
            InvalidSpecError: if there is no end of them.
        """
        ...

    def parse(self, text: str) -> Value:
        """The value of a recorded text.

        Raises:
            InvalidSpecError: if it is no value of the dimension.
        """
        ...


@dataclass(frozen=True, slots=True)
class Listed:
    """One of the listed values, all equally likely."""

    name: str
    values: tuple[Value, ...]
    _by_text: Mapping[str, Value] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_text", {value_text(v): v for v in self.values})

    @property
    def size(self) -> int | None:
        """Number of listed values."""
        return len(self.values)

    def at(self, index: int) -> Value:
        """The value with this index."""
        return self.values[index]

    def from_unit(self, unit: float) -> Value:
        """The value at a position in [0, 1)."""
        return self.values[min(int(unit * len(self.values)), len(self.values) - 1)]

    def to_unit(self, value: Value) -> float:
        """The position of a value in (0, 1), in the middle of those that give it."""
        return (self.values.index(value) + 0.5) / len(self.values)

    def has(self, value: Value) -> bool:
        """Whether it is listed."""
        return value in self.values

    def grid_axis(self) -> Dimension:
        """The listed values."""
        return self

    def parse(self, text: str) -> Value:
        """The listed value with this text.

        Raises:
            InvalidSpecError: if there is none.
        """
        if text in self._by_text:
            return self._by_text[text]
        allowed = ", ".join(list(self._by_text)[:20])
        raise InvalidSpecError(f"{text!r} is no value of parameter {self.name}: {allowed}")


@dataclass(frozen=True, slots=True)
class IntSpan:
    """Whole numbers `low + k * step` up to `high`."""

    name: str
    low: int
    high: int
    step: int = 1
    log: bool = False
    points: int | None = None

    @property
    def size(self) -> int | None:
        """Number of values."""
        return self._count

    @property
    def _count(self) -> int:
        return (self.high - self.low) // self.step + 1

    @property
    def top(self) -> int:
        """The highest value: `high`, or the last step below it."""
        return self.at(self._count - 1)

    def at(self, index: int) -> int:
        """The value with this index."""
        return self.low + index * self.step

    def from_unit(self, unit: float) -> Value:
        """The value at a position in [0, 1)."""
        if self.log:
            # Half a unit beyond both ends, so that the ends are as likely as their neighbours.
            low, high = math.log(self.low - 0.5), math.log(self.high + 0.5)
            return min(self.high, max(self.low, round(math.exp(low + unit * (high - low)))))
        return self.at(min(int(unit * self._count), self._count - 1))

    def to_unit(self, value: Value) -> float:
        """The position of a value in (0, 1), in the middle of those that give it."""
        if self.log:
            low, high = math.log(self.low - 0.5), math.log(self.high + 0.5)
            return (math.log(float(value)) - low) / (high - low)
        return ((float(value) - self.low) / self.step + 0.5) / self._count

    def has(self, value: Value) -> bool:
        """Whether it is within the range, and on a step."""
        number = int(value)
        return self.low <= number <= self.high and (number - self.low) % self.step == 0

    def grid_axis(self) -> Dimension:
        """All values, or `points` of them spread evenly in the scale.

        Raises:
            InvalidSpecError: if the scale is Log and no `points` are given.
        """
        if self.points is not None:
            spread = _spread(float(self.low), float(self.top), self.points, log=self.log)
            return Listed(self.name, tuple(dict.fromkeys(self._nearest(x) for x in spread)))
        if self.log:
            raise InvalidSpecError(_needs_points(self.name, "a Log range"))
        return self

    def _nearest(self, x: float) -> int:
        index = round((x - self.low) / self.step)
        return self.at(min(max(index, 0), self._count - 1))

    def parse(self, text: str) -> Value:
        """The whole number of this text.

        Raises:
            InvalidSpecError: if it is none.
        """
        try:
            return int(text)
        except ValueError as error:
            words = f"{text!r} is no whole number, as parameter {self.name} needs"
            raise InvalidSpecError(words) from error


@dataclass(frozen=True, slots=True)
class DoubleSpan:
    """Real numbers from `low` to `high`, all of them or every `step`."""

    name: str
    low: Decimal
    high: Decimal
    step: Decimal | None = None
    log: bool = False
    points: int | None = None

    @property
    def size(self) -> int | None:
        """Number of values, with a step."""
        return None if self.step is None else int((self.high - self.low) // self.step) + 1

    def at(self, index: int) -> Value:
        """The value with this index."""
        if self.step is None:
            raise InvalidSpecError(_needs_points(self.name, "a range without step"))
        return float(self.low + index * self.step) + 0.0  # no minus before a zero

    def index_of(self, value: Value) -> int:
        """The index of a value, with a step.

        Raises:
            InvalidSpecError: if there is no step.
        """
        if self.step is None:
            raise InvalidSpecError(_needs_points(self.name, "a range without step"))
        return round((Decimal(repr(float(value))) - self.low) / self.step)

    def from_unit(self, unit: float) -> Value:
        """The value at a position in [0, 1)."""
        if self.size is not None:
            return self.at(min(int(unit * self.size), self.size - 1))
        low, high = float(self.low), float(self.high)
        if self.log:
            x = math.exp(math.log(low) + unit * (math.log(high) - math.log(low)))
        else:
            x = low + unit * (high - low)
        return rounded(x, low, high)

    def to_unit(self, value: Value) -> float:
        """The position of a value in [0, 1]; of a stepped range the middle of those that give it."""
        if self.size is not None:
            return (self.index_of(value) + 0.5) / self.size
        low, high, x = float(self.low), float(self.high), float(value)
        if self.log:
            return math.log(x / low) / math.log(high / low)
        return (x - low) / (high - low)

    def has(self, value: Value) -> bool:
        """Whether it is within the range, and on a step if there are any."""
        if not float(self.low) <= float(value) <= float(self.high):
            return False
        return self.step is None or self.at(self.index_of(value)) == value

    def grid_axis(self) -> Dimension:
        """Every step, or `points` values spread evenly in the scale.

        Raises:
            InvalidSpecError: if there is neither a step nor `points`.
        """
        if self.points is not None:
            return Listed(self.name, tuple(dict.fromkeys(self._points(self.points))))
        if self.size is None:
            raise InvalidSpecError(_needs_points(self.name, "a range without step"))
        return self

    def _points(self, points: int) -> list[Value]:
        low, high = float(self.low), float(self.high)
        if self.size is not None:
            last = self.size - 1
            return [self.at(round(i * last / (points - 1))) for i in range(points)]
        first, *inner, last_point = _spread(low, high, points, log=self.log)
        return [first + 0.0, *(rounded(x, low, high) for x in inner), last_point + 0.0]

    def parse(self, text: str) -> Value:
        """The number of this text.

        Raises:
            InvalidSpecError: if it is none.
        """
        try:
            return float(text)
        except ValueError as error:
            words = f"{text!r} is no number, as parameter {self.name} needs"
            raise InvalidSpecError(words) from error


def _spread(low: float, high: float, points: int, *, log: bool) -> list[float]:
    if log:
        inner = _spread(math.log(low), math.log(high), points, log=False)
        return [low, *(math.exp(x) for x in inner[1:-1]), high]
    step = (high - low) / (points - 1)
    return [low, *(low + i * step for i in range(1, points - 1)), high]


def _needs_points(name: str, what: str) -> str:
    return (
        f"parameter {name} is {what}, which has no end of values for a Grid: "
        "say how many to take with points, or list values"
    )
