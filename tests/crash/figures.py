"""Figures of long tests, shown at the end of a run: what was killed, what failed, how long it took."""

from __future__ import annotations

from typing import Any

LINES: list[str] = []


def note(line: str) -> None:
    """Show a line at the end of the run."""
    LINES.append(line)


def show(reporter: Any) -> None:
    """Show all of them once; for a conftest's `pytest_terminal_summary`."""
    if LINES:
        reporter.section("figures")
        for line in LINES:
            reporter.write_line(line)
        LINES.clear()
