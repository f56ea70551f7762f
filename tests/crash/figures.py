"""Figures of the crash tests, shown at the end of a run: how much was killed, how long it took."""

from __future__ import annotations

LINES: list[str] = []


def note(line: str) -> None:
    """Show a line at the end of the run."""
    LINES.append(line)
