"""The table of what engines cost, and the figures that have a goal. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """An engine that knows some trials."""

    engine: str
    trials: int
    ask_ms: float
    """CPU milliseconds of a suggestion, median."""
    tell_ms: float
    """CPU milliseconds to take note of an outcome, median."""
    bare_ms: float | None
    """CPU milliseconds of a suggestion by Optuna itself; of TPE alone."""
    rebuild_ms: float
    """CPU milliseconds to make it from its records, with a first suggestion."""
    memory_mib: float
    """What the process has grown by, with the records and what an engine imports."""


def report(rows: Sequence[Row]) -> str:
    """Markdown, a line for each."""
    lines = [
        "| engine | trials | ask, ms | tell, ms | bare Optuna's ask, ms | rebuild, ms | memory, MiB |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in sorted(rows, key=lambda row: row.trials):
        bare = "-" if row.bare_ms is None else f"{row.bare_ms:.2f}"
        lines.append(
            f"| {row.engine} | {row.trials} | {row.ask_ms:.2f} | {row.tell_ms:.3f} | {bare} | "
            f"{row.rebuild_ms:.0f} | {row.memory_mib:.0f} |"
        )
    return "\n".join(lines)


def figures(rows: Sequence[Row]) -> Mapping[str, float]:
    """By name, as the ranges name them."""
    return {
        f"{row.engine}_{name}_{row.trials}": value
        for row in rows
        for name, value in (("ask_ms", row.ask_ms), ("rebuild_ms", row.rebuild_ms))
    }
