"""The tables of a comparison of techniques as text. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.pairs import FEWEST_PAIRS, median_interval

POINTS = 100


@dataclass(frozen=True, slots=True)
class Row:
    """One contest with one seed."""

    contest: str
    seed: int
    values: Mapping[str, float]
    """Accuracy on the test split by side, the control last."""
    starts: Mapping[str, float | None]
    """Accuracy on the validation split before training, by side."""
    source: float
    """Accuracy of the source on the test split."""


def report(machine: Mapping[str, Any], about: Mapping[str, str], rows: Sequence[Row]) -> str:
    """What was measured on, then a table for each contest."""
    facts = ", ".join(f"{name} {value}" for name, value in machine.items())
    tables = (_table(name, words, rows) for name, words in about.items())
    return "\n\n".join([facts, *("\n".join(table) for table in tables)])


def _table(name: str, about: str, rows: Sequence[Row]) -> Iterator[str]:
    own = sorted((row for row in rows if row.contest == name), key=lambda row: row.seed)
    yield f"{name}: {about}"
    if not own:
        yield "  not measured"
        return
    sides, count = list(own[0].values), len(own)
    source = statistics.median(row.source for row in own)
    yield f"  {'':14} {'start':>6}  {'after':>6}   points beyond {sides[-1]}, median [interval]"
    yield f"  {'source':14} {'':>6}  {source * POINTS:6.2f}   ({count} seeds)"
    for side in sides:
        after = statistics.median(row.values[side] for row in own)
        line = f"  {side:14} {_start(own, side):>6}  {after * POINTS:6.2f}"
        yield f"{line}   {_beyond(own, side)}" if side != sides[-1] else f"{line}   control"


def _start(rows: Sequence[Row], side: str) -> str:
    starts = [start for row in rows if (start := row.starts[side]) is not None]
    return f"{statistics.median(starts) * POINTS:.1f}" if starts else "-"


def _beyond(rows: Sequence[Row], side: str) -> str:
    pairs = differences(rows, side)
    each = " ".join(f"{pair:+.1f}" for pair in pairs)
    if len(pairs) < FEWEST_PAIRS:
        return f"{statistics.median(pairs):+.2f}, too few seeds for an interval: {each}"
    found = median_interval(pairs)
    word = "better" if found.low > 0 else "worse" if found.high < 0 else "no difference seen"
    return f"{found.text(2)} at {found.coverage:.0%}, {word}: {each}"


def differences(rows: Sequence[Row], side: str) -> list[float]:
    """Points by which a side is better than the control, seed by seed."""
    return [
        (row.values[side] - list(row.values.values())[-1]) * POINTS
        for row in sorted(rows, key=lambda row: row.seed)
    ]
