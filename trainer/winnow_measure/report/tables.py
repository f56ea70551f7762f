"""The tables of a report: goals and verdicts, all candidates, lineage."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from winnow_contract.choosing.goals import Goal
from winnow_contract.measuring.amounts import (
    amount_text,
    count_text,
    key_words,
    limit_text,
    measured_text,
    ratio_text,
)
from winnow_contract.measuring.metrics import Bound
from winnow_measure.report.content import Entry, ReportInput
from winnow_measure.report.markup import Markup, element, join
from winnow_measure.report.roles import ROLE_WORDS, ordered, role_of
from winnow_measure.report.steps import chain_words

__all__ = ["candidates_table", "goals_table", "lineage_table", "table", "wide"]

NOTHING = "-"


def table(caption: str, head: Sequence[str], rows: Sequence[Markup]) -> Markup:
    """A table with its caption, wide ones scroll by themselves."""
    header = element("tr", *(element("th", name, scope="col") for name in head))
    parts = (element("caption", caption), element("thead", header), element("tbody", *rows))
    return wide(element("table", *parts))


def wide(content: Markup) -> Markup:
    """Something that may be wider than the page, so it can be reached by keyboard too."""
    return element("div", content, class_="wide", tabindex="0", role="group")


def row(name: object, *cells: Markup, class_: str | None = None) -> Markup:
    """A row with its name as header."""
    return element("tr", element("th", name, scope="row"), *cells, class_=class_)


def figure(words: str, note: str = "") -> Markup:
    """A cell with a figure, and what belongs to it below."""
    below = element("small", note) if note else ""
    return element("td", words, below, class_="figure")


def goals_table(content: ReportInput) -> Markup:
    """A row for each candidate, a column for each goal."""
    if not content.goals:
        return element("p", "The job has no goals: every candidate that was measured will do.")
    rows = [
        row(
            entry.name,
            *(
                element("td", _mark(verdict.met), " ", verdict.sentence, class_="words")
                for verdict in content.choice.verdicts[entry.number]
            ),
            class_=_class(entry, content),
        )
        for entry in ordered(content)
        if entry.number in content.choice.verdicts
    ]
    return table(
        "Each candidate's verdict about each goal, against the baseline measured beside it",
        ["candidate", *map(goal_words, content.goals)],
        rows,
    )


def goal_words(goal: Goal) -> str:
    """A goal in short: `accuracy: at most 0.01 worse`."""
    words, amount = key_words(goal.key), limit_text(goal.key, goal.limit)
    match goal.bound:
        case Bound.MAX_DROP:
            return f"{words}: at most {amount} worse"
        case Bound.MIN_SPEEDUP:
            return f"{words}: at least {goal.limit:g}x as fast"
        case Bound.MAX_RATIO:
            return f"{words}: at most {goal.limit:g} of the baseline's"
        case Bound.MIN:
            return f"{words}: at least {amount}"
        case Bound.MAX:
            return f"{words}: at most {amount}"


def _mark(met: bool) -> Markup:  # noqa: FBT001 -- a verdict is what it is about
    word, sign = ("met", "✓") if met else ("missed", "✗")
    return element("span", f"{sign} {word}", class_=word)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the table of candidates."""

    head: str
    cell: Callable[[Entry], Markup]


def candidates_table(content: ReportInput) -> Markup:
    """Everything about every candidate, the failed ones too."""
    columns = _columns(content)
    rows = [
        row(
            join((f"{entry.number} ", entry.name)),
            *(column.cell(entry) for column in columns),
            class_=_class(entry, content),
        )
        for entry in ordered(content)
    ]
    caption = (
        f"{len(rows)} candidates with their number; below a figure its ratio to the baseline of "
        "the same round"
    )
    return table(caption, ["candidate", *(column.head for column in columns)], rows)


def _columns(content: ReportInput) -> list[Column]:
    columns = [
        Column("outcome", lambda e: _outcome(e, content)),
        Column("steps", lambda e: element("td", chain_words(e.steps), class_="words")),
        Column(content.quality, lambda e: _quality(e, content.quality)),
    ]
    for size in content.batch_sizes:
        columns += [
            _measured_column(f"latency_p{p}_seconds@{size}", f"p{p}, batch {size}", content)
            for p in (50, 95, 99)
        ]
        for name, head in (("throughput_rows_per_second", "rows/s"), ("cpu_seconds", "CPU time")):
            columns.append(_measured_column(f"{name}@{size}", f"{head}, batch {size}", content))
    columns += [
        _measured_column(key, head, content)
        for key, head in (
            ("size_bytes", "size"),
            ("memory_bytes", "memory"),
            ("parameters", "parameters"),
            ("operations", "operations per row"),
        )
    ]
    return [*columns, Column("in integer kernels", _quantized)]


def _measured_column(key: str, head: str, content: ReportInput) -> Column:
    return Column(head, lambda entry: _measured(entry, key, content))


def _measured(entry: Entry, key: str, content: ReportInput) -> Markup:
    if key not in entry.values:
        return figure(NOTHING)
    value, error = entry.values[key]
    notes = [f"+- {_error(key, error)}"] if error else []
    base, _ = entry.baseline.get(key, (0.0, None))
    if base > 0 and entry.number != content.baseline:
        notes.append(f"ratio {ratio_text(value / base)}")
    return figure(amount_text(key, value), ", ".join(notes))


def _error(key: str, error: float) -> str:
    return count_text(error) if key.startswith("throughput") else amount_text(key, error)


def _quality(entry: Entry, metric: str) -> Markup:
    if metric not in entry.values:
        return figure(NOTHING)
    return figure(measured_text(*entry.values[metric]))


def _quantized(entry: Entry) -> Markup:
    value, _ = entry.values.get("quantized_share", (None, None))
    return figure(NOTHING if value is None else f"{value * 100:.0f} %")


def _outcome(entry: Entry, content: ReportInput) -> Markup:
    if entry.outcome == "Succeeded":
        rounds = {other.round for other in content.entries}
        note = element("small", f"round {entry.round}") if len(rounds) > 1 else ""
        return element("td", ROLE_WORDS[role_of(entry, content)], note)
    words = f"{entry.outcome}: {entry.cause}" if entry.cause else entry.outcome
    note = element("small", entry.message) if entry.message else ""
    return element("td", element("span", words, class_="missed"), note, class_="words")


def lineage_table(content: ReportInput) -> Markup:
    """Where each model comes from: every ancestor with its digest, and the model's own."""
    rows = [
        row(
            entry.name,
            element("td", *_ancestors(entry), class_="words"),
            element("td", element("code", entry.digest or NOTHING), class_="words"),
            element("td", element("code", entry.uri or NOTHING), class_="words"),
            class_=_class(entry, content),
        )
        for entry in ordered(content)
    ]
    head = ["candidate", "comes from", "digest of its manifest", "lies at"]
    return table("What each model was made from, by the sha256 of its manifest", head, rows)


def _ancestors(entry: Entry) -> list[Markup]:
    return [
        element("small", f"{_text(parent, 'kind')} ", element("code", _text(parent, "digest")))
        for parent in entry.lineage
    ]


def _text(mapping: Mapping[str, object], key: str) -> str:
    return str(mapping.get(key) or NOTHING)


def _class(entry: Entry, content: ReportInput) -> str | None:
    return "selected" if entry.number == content.choice.number else None
