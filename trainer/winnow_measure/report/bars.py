"""Bars of one metric: a row per candidate, with what the figure's uncertainty is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from winnow_contract.measuring.amounts import amount_text, key_words, ratio_text, seconds_text
from winnow_measure.report.content import Entry, ReportInput
from winnow_measure.report.drawing import Frame, drawing, label, line, lower_axis, whisker
from winnow_measure.report.markup import Markup, element
from winnow_measure.report.roles import ROLE_WORDS, Role, measured, role_of
from winnow_measure.report.scales import MARGIN, Scale, binary_unit

__all__ = ["latency_bars", "size_bars"]

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 860.0, 180.0, 590.0, 12.0, 56.0
ROW, BAR = 30.0, 16.0
SPREAD = 2.0
"""Whiskers reach this many standard errors to either side."""


@dataclass(frozen=True, slots=True)
class Row:
    """One bar."""

    entry: Entry
    role: Role
    value: float
    error: float
    marks: tuple[float, ...]
    """Further values on the same axis: the other percentiles."""
    words: str


def size_bars(content: ReportInput) -> Markup:
    """Size of model.onnx by candidate."""
    return _bars(content, "size_bytes", identity="size", words=_size_words)


def latency_bars(content: ReportInput, batch_size: int) -> Markup:
    """95th percentile by candidate, with the median and the 99th as strokes."""
    return _bars(
        content,
        f"latency_p95_seconds@{batch_size}",
        identity=f"latency-{batch_size}",
        words=_latency_words(batch_size),
        others=(f"latency_p50_seconds@{batch_size}", f"latency_p99_seconds@{batch_size}"),
    )


def _size_words(entry: Entry) -> str:
    return amount_text("size_bytes", entry.values["size_bytes"][0])


def _latency_words(batch_size: int) -> Callable[[Entry], str]:
    def words(entry: Entry) -> str:
        parts = [entry.values.get(f"latency_p{p}_seconds@{batch_size}") for p in (50, 95, 99)]
        return " / ".join("-" if part is None else seconds_text(part[0]) for part in parts)

    return words


def _bars(
    content: ReportInput,
    key: str,
    *,
    identity: str,
    words: Callable[[Entry], str],
    others: tuple[str, ...] = (),
) -> Markup:
    rows = _rows(content, key, words, others)
    if not rows:
        return element("p", f"No candidate has {key_words(key)}.")
    height = TOP + ROW * len(rows) + BOTTOM
    frame = Frame(WIDTH, height, LEFT, RIGHT, TOP, height - BOTTOM)
    highest = max(max(r.value + SPREAD * r.error, *r.marks, r.value) for r in rows) or 1.0
    unit = binary_unit(highest) if key.endswith("_bytes") else 1.0
    scale = Scale(0.0, highest * (1 + MARGIN), LEFT, RIGHT, unit=unit)
    return drawing(
        frame,
        lower_axis(scale, frame, key, key_words(key)),
        *(_row(row, TOP + ROW * (index + 0.5), scale) for index, row in enumerate(rows)),
        identity=identity,
        title=f"{key_words(key)} of each candidate",
        description="; ".join(f"{row.entry.name}: {row.words}" for row in rows),
    )


def _rows(
    content: ReportInput, key: str, words: Callable[[Entry], str], others: tuple[str, ...]
) -> tuple[Row, ...]:
    return tuple(
        Row(
            entry,
            role_of(entry, content),
            entry.values[key][0],
            entry.values[key][1] or 0.0,
            tuple(entry.values[other][0] for other in others if other in entry.values),
            _share(entry, key, words(entry), content),
        )
        for entry in measured(content)
        if key in entry.values
    )


def _share(entry: Entry, key: str, words: str, content: ReportInput) -> str:
    base, _ = entry.baseline.get(key, (0.0, None))
    if entry.number == content.baseline or base <= 0:
        return words
    return f"{words} ({ratio_text(entry.values[key][0] / base)})"


def _row(row: Row, middle: float, scale: Scale) -> Markup:
    end, half = scale.at(row.value), BAR / 2
    parts = [
        element("title", f"{row.entry.name}: {row.words}; {ROLE_WORDS[row.role]}"),
        label(LEFT - 10, middle + 4, row.entry.name, anchor="end"),
        element(
            "rect",
            x=LEFT,
            y=middle - half,
            width=end - LEFT,
            height=BAR,
            class_=f"bar {row.role}",
        ),
    ]
    parts += [
        line(scale.at(m), middle - half, scale.at(m), middle + half, "tick") for m in row.marks
    ]
    if row.error:
        low = scale.at(row.value - SPREAD * row.error)
        high = scale.at(row.value + SPREAD * row.error)
        parts.append(whisker(at=middle, low=low, high=high, upright=False))
    parts.append(element("text", row.words, x=RIGHT + 8, y=middle + 4, class_="note"))
    return element("g", *parts)
