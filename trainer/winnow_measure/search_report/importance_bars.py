"""How much of the difference between good and other trials each parameter explains."""

from __future__ import annotations

from winnow_measure.report.drawing import Frame, drawing, label
from winnow_measure.report.markup import Markup, element
from winnow_measure.search_report.content import SearchContent

__all__ = ["importance_bars"]

WIDTH, ROW, BAR = 860.0, 26.0, 16.0
LEFT, RIGHT = 190.0, 90.0


def importance_bars(content: SearchContent, objective: int) -> Markup:
    """Bars of one objective, the longest first, or a sentence where they are not known."""
    goal = content.goals[objective]
    pairs = [(name, shares[objective]) for name, shares in content.importances if shares]
    if not pairs:
        return element(
            "p",
            "Importances are computed when a search ends, from at least 10 trials with a value "
            "over two or more parameters.",
        )
    pairs.sort(key=lambda pair: (-pair[1], pair[0]))
    height = ROW * len(pairs) + 10
    frame = Frame(WIDTH, height, left=LEFT, right=WIDTH - RIGHT, top=5, bottom=height - 5)
    first, share = pairs[0]
    return drawing(
        frame,
        *(_bar(frame, place, name, value) for place, (name, value) in enumerate(pairs)),
        identity=f"importances-{objective}",
        title=f"Importance of each parameter for {goal.metric}",
        description=f"{first} is the most important, with {share:.0%}.",
    )


def _bar(frame: Frame, place: int, name: str, value: float) -> Markup:
    top = frame.top + place * ROW
    width = max(1.0, (frame.right - frame.left) * value)
    middle = top + BAR / 2 + 5
    bar = element("rect", x=frame.left, y=top, width=width, height=BAR, class_="bar front")
    return element(
        "g",
        element("title", f"{name}: {value:.1%}"),
        label(frame.left - 8, middle, name, anchor="end"),
        bar,
        label(frame.left + width + 6, middle, f"{value:.1%}", class_="note"),
    )
