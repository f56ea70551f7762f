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
        ValueError: as `read_spans`.
    """
    numbers: set[int] = set()
    for first, last in read_spans(text):
        numbers.update(range(first, last + 1))
    return sorted(numbers)


def read_spans(text: str) -> list[tuple[int, int]]:
    """First and last number of each interval, as they stand in the text.

    Raises:
        ValueError: if a part is neither a number nor `first-last` with first <= last, or if a
            number is over a million.
    """
    return [_span(part) for part in filter(None, text.split(","))]


def _span(part: str) -> tuple[int, int]:
    first, dash, last = part.strip().partition("-")
    start, end = int(first), int(last) if dash else int(first)
    if end < start:
        raise ValueError(f"interval {part!r} runs backwards")
    if end > MAX_NUMBER:
        raise ValueError(f"interval {part!r} has numbers over {MAX_NUMBER}")
    return start, end


def contains(spans: Iterable[tuple[int, int]], number: int) -> bool:
    """Whether one of the intervals holds a number."""
    return any(first <= number <= last for first, last in spans)


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
