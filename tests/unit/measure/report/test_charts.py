"""Whatever was measured, a drawing stays inside of its frame and shows every candidate."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.examples import examples
from tests.support.html_pages import Node, read_page
from tests.support.measured_models import BASELINE, entry_of, report_of
from winnow_contract.choosing.pareto import Candidate
from winnow_contract.choosing.selection import of_baseline
from winnow_measure.report.bars import latency_bars, size_bars
from winnow_measure.report.content import ReportInput
from winnow_measure.report.pareto_plot import LARGEST_AREA, SMALLEST_AREA, pareto_plot
from winnow_measure.report.scales import Scale, binary_unit, fit_scale

LATENCY = "latency_p95_seconds@1"


def boxes(svg: Node) -> Iterator[tuple[str, float, float, float, float]]:
    """Name, left, top, right and bottom of everything that is drawn (of words their anchor)."""
    for e in svg.everything():
        a = {key: float(v) for key, v in e.attributes.items() if re.fullmatch(r"-?[\d.]+", v)}
        if e.name == "circle":
            yield e.name, a["cx"] - a["r"], a["cy"] - a["r"], a["cx"] + a["r"], a["cy"] + a["r"]
        elif e.name == "rect":
            yield e.name, a["x"], a["y"], a["x"] + a["width"], a["y"] + a["height"]
        elif e.name == "line":
            yield (
                e.name,
                min(a["x1"], a["x2"]),
                min(a["y1"], a["y2"]),
                max(a["x1"], a["x2"]),
                max(a["y1"], a["y2"]),
            )
        elif e.name in {"polygon", "polyline"}:
            xs, ys = zip(
                *(map(float, pair.split(",")) for pair in e.attributes["points"].split()),
                strict=True,
            )
            yield e.name, min(xs), min(ys), max(xs), max(ys)
        elif e.name == "text":
            yield e.name, a["x"], a["y"], a["x"], a["y"]


def assert_inside(svg: Node) -> None:
    left, top, width, height = map(float, svg.attributes["viewbox"].split())
    for name, x1, y1, x2, y2 in boxes(svg):
        assert left <= x1 <= x2 <= left + width, (name, x1, x2)
        assert top <= y1 <= y2 <= top + height, (name, y1, y2)


_POSITIVE = st.one_of(
    st.floats(1e-9, 1e12), st.sampled_from((1e-9, 1.0, 1.0 + 1e-15, 1e12)), st.integers(1, 10**12)
)
_QUALITY = st.one_of(st.floats(-1e6, 1e6), st.sampled_from((0.0, 0.5, 1.0, 5e-324)))
_ERROR = st.one_of(st.none(), st.floats(0, 1e6))


@st.composite
def _contents(draw: st.DrawFn) -> ReportInput:
    def values() -> dict[str, tuple[float, float | None]]:
        return {
            "accuracy": (draw(_QUALITY), draw(_ERROR)),
            "size_bytes": (float(draw(_POSITIVE)), None),
            **{
                f"latency_p{p}_seconds@1": (float(draw(_POSITIVE)), draw(_ERROR))
                for p in (50, 95, 99)
            },
        }

    base = of_baseline(1, "baseline", values())
    others = tuple(
        Candidate(number, draw(st.text(max_size=50)) or "x", values(), base.values)
        for number in range(2, draw(st.integers(2, 12)))
    )
    content = report_of((), others)
    return replace(content, entries=tuple(map(entry_of, (base, *others))), batch_sizes=(1,))


@given(_contents())
@settings(max_examples=examples(1.5))
def test_every_place_lies_inside_of_the_view_box(content: ReportInput) -> None:
    for markup in (pareto_plot(content, LATENCY), size_bars(content), latency_bars(content, 1)):
        assert_inside(read_page(markup).all("svg")[0])


@given(_contents())
@settings(max_examples=examples(1.5))
def test_every_candidate_has_a_mark_and_a_bar(content: ReportInput) -> None:
    plot = read_page(pareto_plot(content, LATENCY))
    bars = read_page(size_bars(content))

    classes = [e.attributes.get("class", "") for e in plot.everything()]
    assert sum(c.startswith("mark ") for c in classes) == len(content.entries)
    classes = [e.attributes.get("class", "") for e in bars.all("rect")]
    assert sum(c.startswith("bar ") for c in classes) == len(content.entries)


def test_the_area_of_a_mark_is_the_share_of_the_largest_file() -> None:
    root = read_page(pareto_plot(report_of(), LATENCY))

    areas = {
        group.all("title")[0].text.partition(":")[0]: _area(group)
        for group in root.all("g")
        if group.attributes.get("class") != "axis" and group.all("title")
    }
    assert areas["baseline"] == pytest.approx(LARGEST_AREA, rel=1e-2)
    assert areas["int8"] == pytest.approx(LARGEST_AREA * 11_333 / 44_761, rel=1e-2)
    assert areas["student-int8"] == pytest.approx(SMALLEST_AREA, rel=1e-2)


def _area(group: Node) -> float:
    for e in group.everything():
        a = e.attributes
        if not a.get("class", "").startswith("mark "):
            continue
        if e.name == "circle":
            return math.pi * float(a["r"]) ** 2
        if e.name == "rect":
            return float(a["width"]) * float(a["height"])
        xs = [float(pair.split(",")[0]) for pair in a["points"].split()]
        return (max(xs) - min(xs)) ** 2 / 2
    raise AssertionError("no mark")


def test_bars_grow_with_their_figure_and_whiskers_with_its_error() -> None:
    exact = {**BASELINE.values, LATENCY: (2e-3, None)}
    others = tuple(
        Candidate(n, f"c{n}", {**exact, LATENCY: (value, error)}, exact)
        for n, value, error in ((2, 1e-3, 1e-4), (3, 1e-3, 2e-4))
    )
    content = report_of((), others)
    base = of_baseline(1, "baseline", exact)

    root = read_page(
        latency_bars(replace(content, entries=tuple(map(entry_of, (base, *others)))), 1)
    )

    widths = [float(e.attributes["width"]) for e in root.all("rect")]
    assert widths[0] == pytest.approx(2 * widths[1], rel=1e-3)
    reaches = [
        float(e.attributes["x2"]) - float(e.attributes["x1"])
        for e in root.all("line")
        if e.attributes["class"] == "whisker" and e.attributes["x2"] != e.attributes["x1"]
    ]
    assert len(reaches) == 2
    assert reaches[1] == pytest.approx(2 * reaches[0], rel=1e-2)


@given(
    st.lists(st.floats(-1e15, 1e15), min_size=1, max_size=8),
    st.booleans(),
)
def test_a_scale_keeps_the_order_and_names_round_values_on_it(
    values: list[float],
    is_wide: bool,  # noqa: FBT001 - drawn
) -> None:
    scale = fit_scale(values, 10.0, 110.0, may_be_logarithmic=is_wide)

    places = [scale.at(value) for value in sorted(values)]
    assert places == sorted(places)
    assert all(10 <= place <= 110 for place in places)
    ticks = scale.ticks()
    assert 1 <= len(ticks) <= 10
    assert all(scale.low <= tick <= scale.high for tick in ticks)
    assert list(ticks) == sorted(set(ticks))


def test_a_wide_range_is_drawn_in_powers() -> None:
    scale = fit_scale([1e-4, 1e-2], 0.0, 100.0, may_be_logarithmic=True)

    assert scale.at(1e-3) == pytest.approx(50)
    assert scale.ticks() == pytest.approx((1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2))


def test_sizes_have_round_values_in_binary_units() -> None:
    assert Scale(0.0, 45e6, 0.0, 100.0, unit=binary_unit(45e6)).ticks() == tuple(
        n * 10 * 1024**2 for n in range(5)
    )
    assert [binary_unit(size) for size in (0.0, 1.0, 1023.0, 1025.0, 5e9)] == [
        1.0,
        1.0,
        1.0,
        1024.0,
        1024.0**3,
    ]


def test_the_axes_of_the_plot_say_which_way_is_better() -> None:
    content = report_of()
    errors = {"rmse": (3.0, None), LATENCY: (1e-3, None)}
    regression = replace(
        content, quality="rmse", entries=tuple(replace(e, values=errors) for e in content.entries)
    )

    words = read_page(pareto_plot(content, LATENCY)).text
    others = read_page(pareto_plot(regression, LATENCY)).text

    assert "accuracy (further up is better)" in words
    assert "latency_p95_seconds at batch size 1 (further left is better)" in words
    assert "rmse (further down is better)" in others
