"""The best value so far, over the trials in the order in which they ended."""

from __future__ import annotations

from collections.abc import Sequence

from winnow_measure.report.drawing import (
    Frame,
    Shape,
    drawing,
    label,
    left_axis,
    line,
    lower_axis,
    mark,
)
from winnow_measure.report.markup import Markup, element
from winnow_measure.report.scales import Scale, fit_scale
from winnow_measure.search_report.content import SearchContent, TrialEntry

__all__ = ["best_so_far", "curve"]

WIDTH, HEIGHT = 860.0, 380.0
AREA = 26.0
MOST_MARKS = 2000
"""Trials that have a mark; of more, some evenly, for the line needs none."""


def best_so_far(trials: Sequence[TrialEntry], objective: int, sign: int) -> list[float | None]:
    """After each trial the best value of those that can win; None while there is none.

    Args:
        trials: in the order in which they ended.
        objective: which of the values.
        sign: 1 where lower is better, else -1.
    """
    best: float | None = None
    found: list[float | None] = []
    for trial in trials:
        if trial.can_win:
            value = sign * trial.values[objective]
            best = value if best is None else min(best, value)
        found.append(None if best is None else sign * best)
    return found


def curve(content: SearchContent, objective: int) -> Markup:
    """The curve of one objective, or a sentence where no trial has a value."""
    goal, trials = content.goals[objective], content.valued
    if not trials:
        return element("p", f"No trial has a value for {goal.metric}.")
    frame = Frame(WIDTH, HEIGHT, left=80, right=WIDTH - 20, top=40, bottom=HEIGHT - 60)
    values = [trial.values[objective] for trial in trials]
    if goal.target is not None:
        values.append(goal.target)
    across = Scale(0.0, len(trials) + 1.0, frame.left, frame.right)
    upward = fit_scale(values, frame.bottom, frame.top)
    best = best_so_far(trials, objective, goal.sign())
    better = "higher" if goal.maximize else "lower"
    return drawing(
        frame,
        lower_axis(across, frame, "", "trials that have ended, in that order"),
        left_axis(upward, frame, goal.metric, f"{goal.metric} ({better} is better)"),
        *_target(goal.target, upward, frame),
        *(_mark(trials, place, objective, across, upward) for place in _shown(len(trials))),
        _line(best, across, upward),
        identity=f"curve-{objective}",
        title=f"Best {goal.metric} so far",
        description=_description(best, goal.metric),
    )


def _shown(count: int) -> list[int]:
    if count <= MOST_MARKS:
        return list(range(count))
    return [place * (count - 1) // (MOST_MARKS - 1) for place in range(MOST_MARKS)]


def _mark(
    trials: Sequence[TrialEntry], place: int, objective: int, across: Scale, upward: Scale
) -> Markup:
    trial = trials[place]
    x, y = across.at(place + 1.0), upward.at(trial.values[objective])
    role = "other" if trial.can_win else "missed"
    shape = Shape.CIRCLE if trial.can_win else Shape.RHOMBUS
    words = f"{trial.name}: {trial.values[objective]:.6g}, {trial.outcome}"
    return element("g", element("title", words), mark(x, y, AREA, shape, f"mark {role}"))


def _line(best: Sequence[float | None], across: Scale, upward: Scale) -> Markup:
    places: list[tuple[float, float]] = []
    for number, value in enumerate(best, 1):
        if value is None:
            continue
        x, y = across.at(float(number)), upward.at(value)
        if places and places[-1][1] != y:
            places.append((x, places[-1][1]))
        places.append((x, y))
    points = " ".join(f"{x:.2f},{y:.2f}" for x, y in places)
    return element("polyline", points=points, class_="best")


def _target(target: float | None, upward: Scale, frame: Frame) -> list[Markup]:
    if target is None:
        return []
    y = upward.at(target)
    return [
        line(frame.left, y, frame.right, y, "stroke"),
        label(frame.right, y - 6, f"target {target:g}", anchor="end", class_="note"),
    ]


def _description(best: Sequence[float | None], metric: str) -> str:
    last = best[-1]
    if last is None:
        return f"{len(best)} trials have a value for {metric}, none of them can win."
    first = next(number for number, value in enumerate(best, 1) if value == last)
    return f"The best {metric} of {len(best)} trials is {last:.6g}, reached after {first} of them."
