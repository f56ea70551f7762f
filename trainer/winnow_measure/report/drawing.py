"""Parts that every drawing is made of: the frame with its description, axes, marks, whiskers.

Pure functions from places to SVG. Every place lies inside of the view box: callers leave room for
the size of what they draw.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from winnow_contract.measuring.amounts import amount_text
from winnow_measure.report.markup import Markup, element, join
from winnow_measure.report.scales import Scale

__all__ = [
    "Frame",
    "Shape",
    "clipped",
    "drawing",
    "label",
    "left_axis",
    "line",
    "lower_axis",
    "mark",
    "whisker",
]

LONGEST_LABEL = 22
"""Characters of a name on a drawing; the whole name is in its tooltip and in the table."""
CAP = 4.0
"""Half the width of a whisker's end."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Where the inner part of a drawing lies."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    """Places of the inner edges, from the upper left corner."""


def drawing(frame: Frame, *children: object, identity: str, title: str, description: str) -> Markup:
    """An SVG with a title and a description for those who do not see it."""
    names = f"{identity}-title {identity}-desc"
    return element(
        "svg",
        element("title", title, id=f"{identity}-title"),
        element("desc", description, id=f"{identity}-desc"),
        *children,
        viewBox=f"0 0 {frame.width:g} {frame.height:g}",
        role="img",
        aria_labelledby=names,
    )


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """A straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def label(
    x: float, y: float, words: str, *, anchor: str = "start", class_: str | None = None
) -> Markup:
    """Words on a drawing, cut where they are long."""
    return element("text", clipped(words), x=x, y=y, text_anchor=anchor, class_=class_)


def clipped(words: str) -> str:
    """A name that fits."""
    return words if len(words) <= LONGEST_LABEL else f"{words[: LONGEST_LABEL - 1]}…"


class Shape(StrEnum):
    """Shapes that can be told apart in any colour."""

    CIRCLE = "circle"
    SQUARE = "square"
    RHOMBUS = "rhombus"


def mark(x: float, y: float, area: float, shape: Shape, class_: str) -> Markup:
    """A mark of this area in square units of the drawing, whatever its shape."""
    if shape is Shape.CIRCLE:
        return element("circle", cx=x, cy=y, r=math.sqrt(area / math.pi), class_=class_)
    half = math.sqrt(area) / 2
    if shape is Shape.SQUARE:
        return element(
            "rect", x=x - half, y=y - half, width=2 * half, height=2 * half, class_=class_
        )
    reach = half * math.sqrt(2)
    corners = ((x, y - reach), (x + reach, y), (x, y + reach), (x - reach, y))
    points = " ".join(f"{cx:.2f},{cy:.2f}" for cx, cy in corners)
    return element("polygon", points=points, class_=class_)


def whisker(*, at: float, low: float, high: float, upright: bool) -> Markup:
    """A line from low to high with a cap at either end."""
    ends = ((at, low), (at, high)) if upright else ((low, at), (high, at))
    (x1, y1), (x2, y2) = ends
    dx, dy = (CAP, 0.0) if upright else (0.0, CAP)
    return element(
        "g",
        line(x1, y1, x2, y2, "whisker"),
        line(x1 - dx, y1 - dy, x1 + dx, y1 + dy, "whisker"),
        line(x2 - dx, y2 - dy, x2 + dx, y2 + dy, "whisker"),
    )


def tick_text(key: str, value: float) -> str:
    """A round value on an axis, without the zeros that say how exact a measurement is."""
    number, space, unit = amount_text(key, value).partition(" ")
    if "." in number and number[-1].isdigit():
        number = number.rstrip("0").rstrip(".")
    return f"{number}{space}{unit}"


def lower_axis(scale: Scale, frame: Frame, key: str, words: str) -> Markup:
    """Grid, ticks and name of the axis below a drawing."""
    parts = [
        join(
            (
                line(scale.at(tick), frame.top, scale.at(tick), frame.bottom, "grid"),
                label(scale.at(tick), frame.bottom + 18, tick_text(key, tick), anchor="middle"),
            )
        )
        for tick in scale.ticks()
    ]
    name = _name((frame.left + frame.right) / 2, frame.bottom + 40, words)
    return element("g", *parts, name, class_="axis")


def left_axis(scale: Scale, frame: Frame, key: str, words: str) -> Markup:
    """Grid, ticks and name of the axis left of a drawing."""
    parts = [
        join(
            (
                line(frame.left, scale.at(tick), frame.right, scale.at(tick), "grid"),
                label(frame.left - 8, scale.at(tick) + 4, tick_text(key, tick), anchor="end"),
            )
        )
        for tick in scale.ticks()
    ]
    return element("g", *parts, _name(frame.left, frame.top - 10, words, "start"), class_="axis")


def _name(x: float, y: float, words: str, anchor: str = "middle") -> Markup:
    return element("text", words, x=x, y=y, text_anchor=anchor)
