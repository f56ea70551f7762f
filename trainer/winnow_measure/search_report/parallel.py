"""Parallel coordinates: a line for each trial through its values, the best ones in front."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from winnow_measure.report.drawing import Frame, drawing, label, line
from winnow_measure.report.labels import CHARACTER
from winnow_measure.report.markup import Markup, element
from winnow_measure.search_report.content import Axis, SearchContent, TrialEntry

__all__ = ["parallel_coordinates"]

WIDTH, HEIGHT = 860.0, 420.0
MOST_AXES = 10
"""The most important ones, if importances are known."""
MOST_LINES = 400
BEST_SHARE = 0.1
"""Of the trials are in front."""
MOST_WORDS = 12
"""Values of a choice that are written beside its axis."""


@dataclass(frozen=True, slots=True)
class _Column:
    """One axis of the drawing."""

    axis: Axis
    x: float
    low: float
    high: float
    frame: Frame
    place: int
    gap: float
    """To the next axis."""

    @property
    def name(self) -> str:
        """Its name as it has room: names stand at two heights in turn."""
        room = max(3, int(2 * self.gap / CHARACTER) - 1)
        name = self.axis.name
        return name if len(name) <= room else f"{name[: room - 1]}…"

    def at(self, text: str) -> float | None:
        """The place of a value, from the top; None if the trial has none."""
        position = self.axis.position(text)
        if position is None:
            return None
        low, high = self.low, self.high
        if self.axis.logarithmic and low > 0:
            low, high, position = math.log(low), math.log(high), math.log(max(position, low))
        share = (position - low) / (high - low) if high > low else 0.5
        return self.frame.bottom - share * (self.frame.bottom - self.frame.top)


def parallel_coordinates(content: SearchContent) -> Markup:
    """All trials with a value, or a sentence where there are none."""
    trials = [t for t in content.valued if t.outcome == "Succeeded"]
    if not trials:
        return element("p", "No trial has succeeded.")
    frame = Frame(WIDTH, HEIGHT, left=60, right=WIDTH - 60, top=66, bottom=HEIGHT - 30)
    axes = [*_shown_axes(content), Axis(content.goals[0].metric)]
    gap = (frame.right - frame.left) / max(1, len(axes) - 1)
    columns = [
        _Column(axis, frame.left + place * gap, *_span(axis, trials, content), frame, place, gap)
        for place, axis in enumerate(axes)
    ]
    ranked = _ranked(trials, content)
    best = max(1, round(len(ranked) * BEST_SHARE))
    shown = _shown_trials(ranked, best)
    return drawing(
        frame,
        *(_axis(column) for column in columns),
        *(
            _line(trial, columns, content, "front" if rank < best else "other")
            for rank, trial in reversed(shown)
        ),
        identity="parallel",
        title="Values of all trials",
        description=(
            f"{len(shown)} of {len(trials)} trials over {len(axes) - 1} parameters; the best "
            f"{best} are in front."
        ),
    )


def _shown_axes(content: SearchContent) -> list[Axis]:
    if not content.importances:
        return list(content.axes[:MOST_AXES])
    order = {name: place for place, (name, _) in enumerate(content.importances)}
    ranked = sorted(content.axes, key=lambda axis: order.get(axis.name, len(order)))
    kept = {axis.name for axis in ranked[:MOST_AXES]}
    return [axis for axis in content.axes if axis.name in kept]


def _ranked(trials: Sequence[TrialEntry], content: SearchContent) -> list[TrialEntry]:
    sign = content.goals[0].sign()
    return sorted(trials, key=lambda t: (t.violation, sign * t.values[0], t.number))


def _shown_trials(ranked: Sequence[TrialEntry], best: int) -> list[tuple[int, TrialEntry]]:
    """The best ones, and of the others some of all ranks."""
    numbered = list(enumerate(ranked))
    if len(numbered) <= MOST_LINES:
        return numbered
    first = numbered[: min(best, MOST_LINES // 2)]
    rest, room = numbered[len(first) :], MOST_LINES - len(first)
    return [*first, *(rest[place * (len(rest) - 1) // (room - 1)] for place in range(room))]


def _text_of(trial: TrialEntry, axis: Axis, content: SearchContent) -> str:
    is_value = axis.name == content.goals[0].metric and axis.name not in trial.parameters
    return repr(trial.values[0]) if is_value else trial.parameters.get(axis.name, "")


def _span(axis: Axis, trials: Sequence[TrialEntry], content: SearchContent) -> tuple[float, float]:
    """Lowest and highest position on an axis."""
    if axis.words:
        return 0.0, float(len(axis.words) - 1)
    found = [axis.position(_text_of(trial, axis, content)) for trial in trials]
    known = [position for position in found if position is not None] or [0.0]
    return min(known), max(known)


def _axis(column: _Column) -> Markup:
    frame, axis = column.frame, column.axis
    parts = [
        element("title", axis.name),
        line(column.x, frame.top, column.x, frame.bottom, "grid"),
        label(column.x, frame.top - 28 - 18 * (column.place % 2), column.name, anchor="middle"),
    ]
    if axis.words and len(axis.words) <= MOST_WORDS:
        parts += [
            label(column.x + 4, (column.at(word) or 0) + 4, word, class_="note")
            for word in axis.words
        ]
    elif not axis.words:
        parts += [
            label(column.x, frame.bottom + 18, f"{column.low:.4g}", anchor="middle", class_="note"),
            label(column.x, frame.top - 8, f"{column.high:.4g}", anchor="middle", class_="note"),
        ]
    return element("g", *parts)


def _line(
    trial: TrialEntry, columns: Sequence[_Column], content: SearchContent, role: str
) -> Markup:
    places = [(c.x, c.at(_text_of(trial, c.axis, content))) for c in columns]
    points = " ".join(f"{x:.2f},{y:.2f}" for x, y in places if y is not None)
    words = ", ".join(f"{name} {value}" for name, value in trial.parameters.items())
    title = element(
        "title", f"{trial.name}: {words}; {content.goals[0].metric} {trial.values[0]:.6g}"
    )
    return element("polyline", title, points=points, class_=f"way {role}")
