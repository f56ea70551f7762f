"""Figures beside the ranges that are expected of them; what decides a benchmark's exit code. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Verdict:
    """A figure beside the range that it is expected in."""

    name: str
    value: float | None
    least: float | None
    most: float | None

    @property
    def holds(self) -> bool:
        """Whether the figure was measured and lies within."""
        if self.value is None:
            return False
        above = self.least is None or self.value >= self.least
        return above and (self.most is None or self.value <= self.most)

    def text(self) -> str:
        """A line of the report."""
        given = "not measured" if self.value is None else f"{self.value:.3f}"
        parts = [
            f"at least {self.least:g}" if self.least is not None else "",
            f"at most {self.most:g}" if self.most is not None else "",
        ]
        word = "ok  " if self.holds else "FAIL"
        return f"{word} {self.name:32} {given:>12}  {' and '.join(filter(None, parts))}"


def check(made: Mapping[str, float], ranges: Mapping[str, Mapping[str, Any]]) -> list[Verdict]:
    """Each expected range with its figure; one that was not measured does not hold."""
    return [
        Verdict(name, made.get(name), bounds.get("min"), bounds.get("max"))
        for name, bounds in ranges.items()
    ]
