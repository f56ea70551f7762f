"""Draws answered panels as one HTML page, for who has no Grafana at hand."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from monitoring.answers import Answered, Series, Span
from winnow_measure.report.markup import Markup, element, join
from winnow_measure.report.scales import Scale, fit_scale

WIDTH, HEIGHT = 520.0, 200.0
LEFT, RIGHT, TOP, BOTTOM = 70.0, 510.0, 10.0, 175.0
MOST_NAMES = 8
"""Series that a legend names; of more it says how many."""
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#666666", "#a3306b")
_FACTORS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
_STYLE = """
body { font: 14px/1.4 system-ui, sans-serif; margin: 1.5rem; color: #1b1f24; background: #fff; }
.panels { display: grid; grid-template-columns: repeat(auto-fill, minmax(32rem, 1fr)); gap: 1rem; }
section { border: 1px solid #d0d7de; border-radius: .4rem; padding: .6rem 1rem; overflow: hidden; }
h3 { margin: 0; font-size: 1rem; } p { margin: .1rem 0 .4rem; color: #59636e; }
svg { width: 100%; height: auto; } svg text { font: 12px system-ui, sans-serif; fill: #59636e; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 0 1rem; margin: 0; padding: 0; }
.figures b { font-size: 1.5rem; } td, th { text-align: left; padding: 0 1rem 0 0; }
.empty { color: #a3306b; }
"""


def page(title: str, dashboards: Iterable[tuple[str, Sequence[Answered]]], span: Span) -> str:
    """The page; each dashboard is its title and its panels."""
    parts = [
        join(
            (
                element("h2", name),
                element("div", *(_panel(p, span) for p in panels), class_="panels"),
            )
        )
        for name, panels in dashboards
    ]
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("title", title),
        element("style", Markup(_STYLE)),
    )
    body = element("body", element("h1", title), *parts)
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def _panel(panel: Answered, span: Span) -> Markup:
    series = [one for answer in panel.answers for one in answer.series]
    if not series:
        shown = element("p", "no data", class_="empty")
    elif panel.kind == "timeseries":
        shown = _lines(series, panel.unit, span)
    elif panel.kind == "table":
        shown = _table(series)
    elif panel.kind == "name":
        shown = element("p", *(element("b", one.name) for one in series), class_="legend figures")
    else:
        shown = _figures(series, panel.unit)
    return element("section", element("h3", panel.title), element("p", panel.words), shown)


def _lines(series: Sequence[Series], unit: str, span: Span) -> Markup:
    across = Scale(span.start, span.end, LEFT, RIGHT)
    upward = fit_scale([v for one in series for _, v in one.points], BOTTOM, TOP)
    grid = [
        join(
            (
                element(
                    "line", x1=LEFT, x2=RIGHT, y1=upward.at(t), y2=upward.at(t), stroke="#d0d7de"
                ),
                element("text", amount(t, unit), x=LEFT - 6, y=upward.at(t) + 4, text_anchor="end"),
            )
        )
        for t in upward.ticks()
    ]
    lines = [_line(one, across, upward, _colour(i)) for i, one in enumerate(series)]
    times = [
        element(
            "text",
            time.strftime("%H:%M:%S", time.gmtime(t)),
            x=across.at(t),
            y=BOTTOM + 18,
            text_anchor=a,
        )
        for t, a in ((span.start, "start"), (span.end, "end"))
    ]
    drawing = element("svg", *grid, *lines, *times, viewBox=f"0 0 {WIDTH:g} {HEIGHT:g}", role="img")
    return join((drawing, _legend(series)))


def _line(one: Series, across: Scale, upward: Scale, colour: str) -> Markup:
    places = [(across.at(t), upward.at(v)) for t, v in one.points]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    (x, y) = places[-1]
    return join(
        (
            element("polyline", points=points, fill="none", stroke=colour, stroke_width=1.6),
            element("circle", cx=x, cy=y, r=2.4, fill=colour),  # one point alone is no line
        )
    )


def _legend(series: Sequence[Series]) -> Markup:
    names = [
        element("li", element("span", "■ ", style=f"color:{_colour(i)}"), one.name)
        for i, one in enumerate(series[:MOST_NAMES])
    ]
    more = len(series) - MOST_NAMES
    return element(
        "ul", *names, element("li", f"and {more} more") if more > 0 else "", class_="legend"
    )


def _figures(series: Sequence[Series], unit: str) -> Markup:
    shown = [
        element("li", element("b", amount(one.points[-1][1], unit)), f" {one.name}")
        for one in series
    ]
    return element("ul", *shown, class_="legend figures")


def _table(series: Sequence[Series]) -> Markup:
    names = sorted({name for one in series for name in one.labels})
    head = element("tr", *(element("th", name) for name in names))
    rows = [element("tr", *(element("td", one.labels.get(n, "")) for n in names)) for one in series]
    return element("table", head, *rows)


def _colour(index: int) -> str:
    return _COLOURS[index % len(_COLOURS)]


def amount(value: float, unit: str) -> str:
    """A value as Grafana would show it, roughly."""
    if unit == "percentunit":
        return f"{value * 100:.3g} %"
    if unit == "s" and 0 < abs(value) < 1:
        return f"{value * 1000:.3g} ms"
    factor, letter = next(((f, u) for f, u in _FACTORS if abs(value) >= f), (1.0, ""))
    ending = {"s": " s", "bytes": "B", "reqps": " /s", "wps": " /s", "ops": " /s"}.get(unit, "")
    return f"{value / factor:.4g}{' ' if letter else ''}{letter}{ending}"
