"""Two objectives against each other, with the trials that no other beats."""

from __future__ import annotations

from itertools import combinations

from winnow_measure.report.drawing import Frame, Shape, drawing, left_axis, lower_axis, mark
from winnow_measure.report.markup import Markup, element
from winnow_measure.report.scales import Scale, fit_scale
from winnow_measure.search_report.content import Goal, SearchContent, TrialEntry

__all__ = ["front_numbers", "front_plot", "pairs_of"]

WIDTH, HEIGHT = 860.0, 440.0
AREA, LARGE = 30.0, 70.0


def pairs_of(content: SearchContent) -> list[tuple[int, int]]:
    """Which objectives are drawn against each other: all pairs."""
    return list(combinations(range(len(content.goals)), 2))


def front_numbers(content: SearchContent) -> set[int]:
    """Numbers of the trials that no other beats in all objectives."""
    able = [t for t in content.valued if t.can_win]
    scored = [
        (t.number, tuple(g.sign() * v for g, v in zip(content.goals, t.values, strict=True)))
        for t in able
    ]
    # By the first objective, so that whatever beats a trial comes before it.
    kept: list[tuple[int, tuple[float, ...]]] = []
    for number, scores in sorted(scored, key=lambda pair: pair[1]):
        beaten = any(
            other != scores and all(a <= b for a, b in zip(other, scores, strict=True))
            for _, other in kept
        )
        if not beaten:
            kept.append((number, scores))
    return {number for number, _ in kept}


def front_plot(content: SearchContent, pair: tuple[int, int]) -> Markup:
    """One pair of objectives, or a sentence where no trial has both."""
    first, second = pair
    across_goal, upward_goal = content.goals[first], content.goals[second]
    if not content.valued:
        return element("p", "No trial has values for all objectives.")
    frame = Frame(WIDTH, HEIGHT, left=90, right=WIDTH - 30, top=40, bottom=HEIGHT - 60)
    across = _scale(content, first, frame.left + 10, frame.right - 10)
    upward = _scale(content, second, frame.bottom - 10, frame.top + 10)
    front, winner = front_numbers(content), content.winner.get("trial")
    ordered = sorted(content.valued, key=lambda t: (t.number in front, t.name == winner, t.number))
    return drawing(
        frame,
        lower_axis(across, frame, across_goal.metric, _words(across_goal)),
        left_axis(upward, frame, upward_goal.metric, _words(upward_goal)),
        *(
            _mark(t, pair, (across, upward), _role(t, front, winner), content.goals)
            for t in ordered
        ),
        identity=f"front-{first}-{second}",
        title=f"{upward_goal.metric} against {across_goal.metric}",
        description=f"{len(front)} of {len(content.valued)} trials are beaten by no other.",
    )


def _scale(content: SearchContent, objective: int, start: float, end: float) -> Scale:
    values = [trial.values[objective] for trial in content.valued]
    return fit_scale(values, start, end, may_be_logarithmic=min(values) > 0)


def _words(goal: Goal) -> str:
    return f"{goal.metric} ({'higher' if goal.maximize else 'lower'} is better)"


def _role(trial: TrialEntry, front: set[int], winner: object) -> str:
    if trial.name == winner:
        return "selected"
    if not trial.can_win:
        return "missed"
    return "front" if trial.number in front else "other"


_SHAPES = {"selected": Shape.SQUARE, "missed": Shape.RHOMBUS}


def _mark(
    trial: TrialEntry,
    pair: tuple[int, int],
    scales: tuple[Scale, Scale],
    role: str,
    goals: tuple[Goal, ...],
) -> Markup:
    x, y = (scale.at(trial.values[place]) for scale, place in zip(scales, pair, strict=True))
    area = LARGE if role in {"selected", "front"} else AREA
    figures = ", ".join(
        f"{goal.metric} {value:.6g}" for goal, value in zip(goals, trial.values, strict=True)
    )
    shape = _SHAPES.get(role, Shape.CIRCLE)
    return element(
        "g", element("title", f"{trial.name}: {figures}"), mark(x, y, area, shape, f"mark {role}")
    )
