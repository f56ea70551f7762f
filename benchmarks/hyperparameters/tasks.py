"""What is searched: functions of a point, each with a space, and one function for each seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from winnow_operator.domain.spaces.space import Value

Point = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Objective:
    """What a search minimises."""

    value: Callable[[Point], float]
    """Of a point; NaN where it has none, because its training failed."""
    optimum: float | None
    """The least value that there is; None if nobody knows."""


class Task(Protocol):
    """One kind of function."""

    @property
    def name(self) -> str:
        """In tables and rows."""
        ...

    @property
    def suite(self) -> str:
        """The tasks that it belongs to."""
        ...

    @property
    def trials(self) -> tuple[int, ...]:
        """Of its searches, each of which is made for itself."""
        ...

    @property
    def space(self) -> Mapping[str, Any]:
        """What is searched, as a SearchJob has it."""
        ...

    def objective(self, seed: int) -> AbstractContextManager[Objective]:
        """The function of all searches with a seed."""
        ...
