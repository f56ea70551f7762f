"""The plot of what was traded for what: quality against latency, size as area, the front marked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from winnow_contract.measuring.amounts import amount_text, key_words
from winnow_contract.measuring.metrics import is_higher_better
from winnow_measure.report.content import Entry, ReportInput
from winnow_measure.report.drawing import (
    Frame,
    Shape,
    clipped,
    drawing,
    label,
    left_axis,
    lower_axis,
    mark,
    whisker,
)
from winnow_measure.report.labels import Box, place_label
from winnow_measure.report.markup import Markup, element, join
from winnow_measure.report.roles import ROLE_WORDS, Role, measured, role_of
from winnow_measure.report.scales import Scale, fit_scale

__all__ = ["pareto_plot"]

WIDTH, HEIGHT = 860.0, 500.0
LARGEST_AREA, SMALLEST_AREA = 2000.0, 40.0
"""In square units of the drawing; the smallest can still be seen, so it may be larger than true."""
REACH = math.sqrt(LARGEST_AREA / 2) + 4
"""Room that the largest mark with its halo needs around its place."""
HALO = 4.0


@dataclass(frozen=True, slots=True)
class Point:
    """One candidate on the plot."""

    entry: Entry
    role: Role
    latency: float
    quality: float
    error: float
    size: float
    is_baseline: bool


def pareto_plot(content: ReportInput, latency_key: str) -> Markup:
    """The plot with its legend, or a sentence where there is nothing to plot."""
    points = _points(content, latency_key)
    if not points:
        return element("p", f"No candidate has both {content.quality} and {latency_key}.")
    frame = Frame(WIDTH, HEIGHT, left=80, right=WIDTH - 30, top=40, bottom=HEIGHT - 60)
    across = fit_scale(
        [p.latency for p in points],
        frame.left + REACH,
        frame.right - REACH,
        may_be_logarithmic=True,
    )
    reach = [p.quality + side * p.error for p in points for side in (-1, 0, 1)]
    better = "further up" if is_higher_better(content.quality) else "further down"
    upward = fit_scale(reach, frame.bottom - REACH, frame.top + REACH)
    return drawing(
        frame,
        lower_axis(
            across, frame, latency_key, f"{key_words(latency_key)} (further left is better)"
        ),
        left_axis(upward, frame, content.quality, f"{content.quality} ({better} is better)"),
        _front_line(points, across, upward),
        *(_mark(point, points, across, upward) for point in points),
        *_labels(points, across, upward, frame),
        identity="pareto",
        title=f"{content.quality} against {key_words(latency_key)}",
        description=_description(points, content.quality, latency_key),
    )


def _points(content: ReportInput, latency_key: str) -> tuple[Point, ...]:
    found = []
    for entry in measured(content):
        latency, _ = entry.values.get(latency_key, (0.0, None))
        quality, error = entry.values.get(content.quality, (math.nan, None))
        size, _ = entry.values.get("size_bytes", (0.0, None))
        if latency > 0 and math.isfinite(quality):
            role, is_baseline = role_of(entry, content), entry.number == content.baseline
            found.append(Point(entry, role, latency, quality, error or 0.0, size, is_baseline))
    # The largest first, so that no mark hides a smaller one.
    return tuple(sorted(found, key=lambda p: (-p.size, p.entry.number)))


def _area(point: Point, points: Sequence[Point]) -> float:
    largest = max(p.size for p in points) or 1.0
    return max(SMALLEST_AREA, LARGEST_AREA * point.size / largest)


def _mark(point: Point, points: Sequence[Point], across: Scale, upward: Scale) -> Markup:
    x, y, area = across.at(point.latency), upward.at(point.quality), _area(point, points)
    class_ = f"mark {point.role}"
    parts = [element("title", _tooltip(point))]
    if point.error:
        low, high = upward.at(point.quality - point.error), upward.at(point.quality + point.error)
        parts.append(whisker(at=x, low=low, high=high, upright=True))
    parts.append(mark(x, y, area, _shape(point), class_))
    if point.role is Role.SELECTED:
        radius = math.sqrt(area / 2) + HALO
        parts.append(element("circle", cx=x, cy=y, r=radius, class_="halo"))
    return element("g", *parts)


def _shape(point: Point) -> Shape:
    if point.is_baseline:
        return Shape.SQUARE
    return Shape.RHOMBUS if point.role is Role.MISSED else Shape.CIRCLE


def _tooltip(point: Point) -> str:
    return (
        f"{point.entry.name}: {ROLE_WORDS[point.role]}; quality {point.quality:.4f}, "
        f"{amount_text('latency_seconds', point.latency)}, "
        f"{amount_text('size_bytes', point.size)}"
    )


def _front_line(points: Sequence[Point], across: Scale, upward: Scale) -> Markup:
    """From mark to mark of the front, by latency; a step line would claim what was not measured."""
    kept = [p for p in points if p.role in {Role.FRONT, Role.SELECTED}]
    places = sorted((across.at(p.latency), upward.at(p.quality)) for p in kept)
    if len(places) < 2:  # noqa: PLR2004 -- a line has two ends
        return join(())
    return element(
        "polyline", points=" ".join(f"{x:.2f},{y:.2f}" for x, y in places), class_="stroke"
    )


def _labels(points: Sequence[Point], across: Scale, upward: Scale, frame: Frame) -> list[Markup]:
    """Names beside the marks, where they lie on no mark and on no other name if that can be."""
    marks = [_place(point, points, across, upward) for point in points]
    taken, written = list(marks), []
    for point, own in zip(points, marks, strict=True):
        name = clipped(point.entry.name)
        x, anchor, box = place_label(own, name, taken=taken, frame=frame)
        taken.append(box)
        written.append(label(x, box.bottom - 3, name, anchor=anchor))
    return written


def _place(point: Point, points: Sequence[Point], across: Scale, upward: Scale) -> Box:
    """What a mark covers; the corners of a rhombus reach furthest, so of others a little more."""
    halo = HALO if point.role is Role.SELECTED else 0.0
    reach = math.sqrt(_area(point, points) / 2) + halo
    x, y = across.at(point.latency), upward.at(point.quality)
    return Box(x - reach, y - reach, x + reach, y + reach)


def _description(points: Sequence[Point], quality: str, latency_key: str) -> str:
    ordered = sorted(points, key=lambda p: p.entry.number)
    return "; ".join(
        f"{p.entry.name}: {quality} {p.quality:.4f}, {amount_text(latency_key, p.latency)}, "
        f"{amount_text('size_bytes', p.size)}, {ROLE_WORDS[p.role]}"
        for p in ordered
    )
