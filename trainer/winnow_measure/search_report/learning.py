"""How the network of Generative has learnt: what it wrote, its entropy, its loss, batch by batch."""

from __future__ import annotations

from collections.abc import Sequence

from winnow_measure.report.drawing import Frame, Shape, drawing, left_axis, lower_axis, mark
from winnow_measure.report.markup import Markup, element
from winnow_measure.report.scales import Scale, fit_scale
from winnow_measure.search_report.content import LearnedEntry, SearchContent

__all__ = ["learning_curves"]

WIDTH, HEIGHT = 860.0, 240.0
AREA = 20.0


def learning_curves(content: SearchContent) -> list[Markup]:
    """One drawing per figure, over the trials that the network knew; none without batches."""
    if not content.learning:
        return []
    metric = content.goals[0].metric
    written = [(b.known, b.mean_value) for b in content.learning if b.mean_value is not None]
    return [
        *(
            [_curve(written, f"mean {metric}", "of the nets written", "learning-0")]
            if written
            else []
        ),
        _curve(_pairs(content.learning, "entropy"), "entropy", "nats per net", "learning-1"),
        _curve(_pairs(content.learning, "loss"), "loss", "of the network", "learning-2"),
    ]


def _pairs(batches: Sequence[LearnedEntry], name: str) -> list[tuple[int, float]]:
    return [(batch.known, float(getattr(batch, name))) for batch in batches]


def _curve(pairs: Sequence[tuple[int, float]], figure: str, words: str, identity: str) -> Markup:
    frame = Frame(WIDTH, HEIGHT, left=80, right=WIDTH - 20, top=40, bottom=HEIGHT - 60)
    across = Scale(0.0, pairs[-1][0] + 1.0, frame.left, frame.right)
    upward = fit_scale([value for _, value in pairs], frame.bottom, frame.top)
    places = [(across.at(float(known)), upward.at(value)) for known, value in pairs]
    points = " ".join(f"{x:.2f},{y:.2f}" for x, y in places)
    marks = (
        element(
            "g",
            element("title", f"{known} trials known: {value:.6g}"),
            mark(x, y, AREA, Shape.CIRCLE, "mark front"),
        )
        for (known, value), (x, y) in zip(pairs, places, strict=True)
    )
    return drawing(
        frame,
        lower_axis(across, frame, "", "trials whose outcome the network knew"),
        left_axis(upward, frame, figure, f"{figure} ({words})"),
        element("polyline", points=points, class_="best"),
        *marks,
        identity=identity,
        title=f"The network: {figure}",
        description=f"{figure} went from {pairs[0][1]:.6g} to {pairs[-1][1]:.6g}.",
    )
