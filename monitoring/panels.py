"""What a dashboard is made of, without Grafana's own format (`grafana`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

FULL, HALF, THIRD, QUARTER = 24, 12, 8, 6
"""Widths, of the 24 columns that Grafana has."""


class Kind(StrEnum):
    """How a panel shows its series: over time, or as they are now."""

    LINES = "lines"
    FIGURE = "figure"
    WORD = "word"
    """What the series are called: a state."""
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class Query:
    """A question to Prometheus, and what its series are called: `{{label}}` is a label's value."""

    expression: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture."""

    title: str
    queries: tuple[Query, ...]
    words: str
    """What it shows and when to worry, for the panel's tooltip."""
    kind: Kind = Kind.LINES
    unit: str = "short"
    """As Grafana names it: `s`, `reqps`, `percentunit`, `bytes`, `dateTimeFromNow`."""
    width: int = HALF


@dataclass(frozen=True, slots=True)
class Variable:
    """A choice above the panels, from the values of a label."""

    name: str
    title: str
    series: str
    """Selector of the series that have the label."""
    label: str
    only_last: bool = False
    """Whether only series count that are there at the end of the time shown."""


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A page of panels."""

    identity: str
    """Part of its address in Grafana, and the name of its file."""
    title: str
    words: str
    panels: tuple[Panel, ...]
    variables: tuple[Variable, ...] = field(default=())
