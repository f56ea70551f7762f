"""Sets of non-negative integers as interval text: `1-8,12`, as Jobs write their indexes.

Old API servers may let intervals overlap or come unsorted (Kueue, job_controller.go); reading
accepts both, writing never makes them.
"""

from __future__ import annotations

from collections.abc import Iterable

MAX_NUMBER = 1_000_000
"""Far above the numbers of trials and indexes: a text must not make the operator run out of memory."""


def parse_intervals(text: str) -> list[int]:
    """Numbers of an interval text, sorted, without repeats.

    Raises:
        ValueError: if a part is neither a number nor `first-last` with first <= last, or if a
            number is over a million.
    """
    numbers: set[int] = set()
    for part in filter(None, text.split(",")):
        first, dash, last = part.strip().partition("-")
        start, end = int(first), int(last) if dash else int(first)
        if end < start:
            raise ValueError(f"interval {part!r} runs backwards")
        if end > MAX_NUMBER:
            raise ValueError(f"interval {part!r} has numbers over {MAX_NUMBER}")
        numbers.update(range(start, end + 1))
    return sorted(numbers)


def format_intervals(numbers: Iterable[int]) -> str:
    """Shortest interval text of a set of numbers."""
    parts: list[str] = []
    start = end = None
    for number in sorted(set(numbers)):
        if end is not None and number == end + 1:
            end = number
            continue
        if start is not None and end is not None:
            parts.append(_part(start, end))
        start = end = number
    if start is not None and end is not None:
        parts.append(_part(start, end))
    return ",".join(parts)


def _part(start: int, end: int) -> str:
    return str(start) if start == end else f"{start}-{end}"
