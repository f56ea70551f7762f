"""One setting of a model family: what it is called, which values it takes, how a value is read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from winnow_contract.assignments import Value
from winnow_contract.errors import SettingError
from winnow_contract.models.families import CNN, FAMILIES, IMAGE_FAMILIES, MLP, RESNET, TRANSFORMER
from winnow_contract.models.nets import FORMS, read_net

__all__ = [
    "CNN",
    "FAMILIES",
    "IMAGE_FAMILIES",
    "MLP",
    "RESNET",
    "TRANSFORMER",
    "Kind",
    "Setting",
    "SettingValue",
]

SettingValue = int | float | str | tuple[int, ...]


class Kind(StrEnum):
    """What values a setting takes."""

    INT = "whole number"
    DOUBLE = "number"
    WORD = "word"
    SIZES = "sizes joined by '-'"
    NET = "net"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting."""

    name: str
    kind: Kind
    default: str
    """Empty: none."""
    doc: str
    """A sentence for people."""
    minimum: float = 0
    maximum: float = math.inf
    excludes_minimum: bool = False
    """The value must be above the minimum."""
    words: tuple[str, ...] = ()
    families: tuple[str, ...] = FAMILIES
    separator: str = "-"
    family_defaults: Mapping[str, str] = field(default_factory=dict)
    """Where a family has another default."""

    def default_of(self, family: str) -> str:
        """The default that a family has; empty: none."""
        return self.family_defaults.get(family, self.default)

    @property
    def allowed(self) -> str:
        """The allowed values in words."""
        if self.kind is Kind.WORD:
            return ", ".join(self.words)
        if self.kind is Kind.NET:
            return f"a net, as {FORMS}"
        low, high = f"{self.minimum:g}", f"{self.maximum:g}"
        if self.kind is Kind.SIZES:
            example = "28x28x1" if self.separator == "x" else "64-32"
            return f"whole numbers from {low} to {high} joined by '{self.separator}', as {example}"
        start = f"above {low}" if self.excludes_minimum else f"from {low}"
        return f"{self.kind}s {start} to {high}"

    def parse(self, value: Value) -> SettingValue:
        """The value in its own type.

        Raises:
            SettingError: naming the setting, the value and what is allowed.
        """
        try:
            return self._parsed(value)
        except SettingError as error:
            raise SettingError(f"setting {self.name}: {error}") from None
        except (ValueError, OverflowError):
            message = f"setting {self.name} is {str(value)[:40]!r}, allowed: {self.allowed}"
            raise SettingError(message) from None

    def _parsed(self, value: Value) -> SettingValue:
        if self.kind is Kind.WORD:
            return self.words[self.words.index(str(value))]
        if self.kind is Kind.NET:
            return read_net(str(value)).text if value != "" else ""
        if self.kind is Kind.SIZES:
            sizes = [size for size in str(value).split(self.separator) if value != ""]
            return tuple(int(self._in_range(_whole(size))) for size in sizes)
        if self.kind is Kind.INT:
            return int(self._in_range(_whole(value)))
        return self._in_range(float(value))

    def _in_range(self, number: float) -> float:
        if not self.minimum <= number <= self.maximum:  # NaN is in no range
            raise ValueError(number)
        if self.excludes_minimum and number == self.minimum:
            raise ValueError(number)
        return number


def _whole(value: Value) -> int:
    number = int(value)
    if isinstance(value, float) and number != value:
        raise ValueError(value)
    return number
