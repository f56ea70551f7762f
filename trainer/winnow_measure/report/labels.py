"""Finding a place for a name beside a mark, where it covers nothing.

How wide a text will be is the browser's affair; an estimate is enough to keep names apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from winnow_measure.report.drawing import Frame

__all__ = ["Box", "place_label"]

CHARACTER, LINE = 7.2, 15.0
"""Width of a character and height of a line of 13 px text, the widest usual fonts in mind."""
GAP = 4.0
MOST_LINES = 6
"""Lines up or down that a name may stand away from its mark; beyond it would look like another's."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a drawing."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Box) -> bool:
        """Whether the two have a common area."""
        is_beside = self.right <= other.left or other.right <= self.left
        return not (is_beside or self.bottom <= other.top or other.bottom <= self.top)


def place_label(
    mark: Box, name: str, *, taken: Sequence[Box], frame: Frame
) -> tuple[float, str, Box]:
    """Where a name goes: the place of its anchor, which end that is, and what it covers.

    Args:
        mark: what the name belongs to.
        name: as it is written.
        taken: what must not be covered.
        frame: what must not be left.
    """
    options = [
        (anchor, _box(mark, len(name), lines, anchor))
        for lines in sorted(range(-MOST_LINES, MOST_LINES + 1), key=abs)
        for anchor in ("start", "end")
    ]
    inside = [(anchor, box) for anchor, box in options if _is_inside(box, frame)] or options
    free = [o for o in inside if not any(o[1].overlaps(other) for other in taken)]
    anchor, box = (free or inside)[0]
    return (box.left if anchor == "start" else box.right), anchor, box


def _box(mark: Box, characters: int, lines: int, anchor: str) -> Box:
    width, top = characters * CHARACTER, (mark.top + mark.bottom - LINE) / 2 + lines * LINE
    left = mark.right + GAP if anchor == "start" else mark.left - GAP - width
    return Box(left, top, left + width, top + LINE)


def _is_inside(box: Box, frame: Frame) -> bool:
    is_between = frame.left <= box.left and box.right <= frame.width
    return is_between and frame.top <= box.top and box.bottom <= frame.bottom
