"""The sections of a report, each a pure function from what the report is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from winnow_contract.choosing.pareto import NOISE_ERRORS
from winnow_contract.measuring.amounts import (
    amount_text,
    key_words,
    measured_text,
    ratio_text,
    speedup_text,
)
from winnow_measure.report.bars import latency_bars, size_bars
from winnow_measure.report.content import Entry, ReportInput
from winnow_measure.report.facts import facts
from winnow_measure.report.markup import Markup, element, join
from winnow_measure.report.pareto_plot import pareto_plot
from winnow_measure.report.roles import baseline, ordered, selected
from winnow_measure.report.steps import REPORT, settings_of, step_words
from winnow_measure.report.tables import candidates_table, goals_table, lineage_table

__all__ = ["sections"]


def sections(content: ReportInput) -> tuple[Markup, ...]:
    """All sections in the order of the page."""
    return (
        _header(content),
        _section("The choice", *_choice(content)),
        _section("Goals", goals_table(content), _preferences(content)),
        _section("What was traded for what", *_plots(content)),
        _section("All candidates", candidates_table(content)),
        _section("What each step did", *_steps(content)),
        _section("Lineage", lineage_table(content)),
        _section("How to read this", *_reading(content)),
    )


def _section(title: str, *children: Markup) -> Markup:
    return element("section", element("h2", title), *children)


def _header(content: ReportInput) -> Markup:
    job = content.job
    facts = {
        "job": f"{job.kind} {job.name} in namespace {job.namespace}",
        "source": content.source_uri,
        "its digest": content.source_digest,
        "measured": content.created_at,
        **_task_facts(content.task),
        "measurement": _measurement(content),
        **content.machine,
    }
    title = element("h1", f"Compression of {job.name}")
    return element("header", title, _facts(facts))


def _task_facts(task: Mapping[str, object]) -> dict[str, str]:
    """Model family and data, where the task says them."""
    facts = {}
    for key, field in (("model", "family"), ("data", "uri")):
        part = task.get(key)
        if isinstance(part, Mapping) and part.get(field):
            facts[key] = str(part[field])
    return facts


def _measurement(content: ReportInput) -> str:
    sizes = ", ".join(map(str, content.batch_sizes))
    threads = "1 thread" if content.threads == 1 else f"{content.threads} threads"
    rounds = "once" if content.repetitions == 1 else f"{content.repetitions} times"
    return f"batch sizes {sizes}, {threads}, {rounds} in turn with the baseline"


def _facts(facts: Mapping[str, str]) -> Markup:
    pairs = [join((element("dt", name), element("dd", words))) for name, words in facts.items()]
    return element("dl", *pairs, class_="facts")


def _choice(content: ReportInput) -> list[Markup]:
    choice = content.choice
    kept = None if choice.goals_met else " kept"
    parts = [element("p", choice.reason, class_=f"reason{kept or ''}")]
    entry = selected(content)
    if entry is not None:
        tiles = [
            element("li", element("b", w), element("span", n)) for w, n in _tiles(entry, content)
        ]
        parts.append(element("ul", *tiles, class_="tiles"))
    return parts


def _tiles(entry: Entry, content: ReportInput) -> list[tuple[str, str]]:
    """The figures that matter most, each with what it is."""
    tiles = [(entry.name, "selected" if content.choice.goals_met else "kept")]
    if content.quality in entry.values:
        words = measured_text(*entry.values[content.quality])
        tiles.append((words, f"{content.quality} on validation"))
    key = f"latency_p95_seconds@{content.batch_sizes[0]}"
    base, mine = entry.baseline.get(key), entry.values.get(key)
    if base and mine and mine[0] > 0:
        tiles.append((speedup_text(base[0] / mine[0]), f"speedup of {key_words(key)}"))
    if "size_bytes" in entry.values:
        size, before = (
            entry.values["size_bytes"][0],
            entry.baseline.get("size_bytes", (0.0, None))[0],
        )
        share = f", {ratio_text(size / before)} of the baseline's" if before > 0 else ""
        tiles.append((amount_text("size_bytes", size), f"size of model.onnx{share}"))
    return tiles + _test_tiles(content)


def _test_tiles(content: ReportInput) -> list[tuple[str, str]]:
    """The test split, of the selected candidate and the baseline only; nothing chose by it."""
    shown = {e.number: e for e in (selected(content), baseline(content)) if e is not None}
    return [
        (measured_text(*entry.test[content.quality]), f"{content.quality} on test, {entry.name}")
        for entry in shown.values()
        if content.quality in entry.test
    ]


def _preferences(content: ReportInput) -> Markup:
    if not content.prefer:
        return element("p", "Nothing is preferred: of those that meet the goals, see the reason.")
    words = ", then ".join(key_words(key) for key in content.prefer)
    return element("p", f"Of those that meet the goals is preferred: {words}.")


def _plots(content: ReportInput) -> list[Markup]:
    first = content.batch_sizes[0]
    captions = [
        (
            pareto_plot(content, f"latency_p95_seconds@{first}"),
            (
                "The area of a mark is the size of model.onnx. Filled: meets the goals and is on the "
                "front, which the dashed line joins; hollow circle: meets the goals, but another is "
                "better; hollow rhombus: misses a goal; ringed: selected; square: the baseline. "
                "Whiskers: one standard error."
            ),
        ),
        (size_bars(content), "Size of model.onnx, in brackets the ratio to the baseline."),
        *(
            (
                latency_bars(content, size),
                (
                    f"Latency of a request of {size} {'row' if size == 1 else 'rows'}: the bar ends at "
                    "the 95th percentile, strokes mark the median and the 99th; whiskers: 2 standard "
                    "errors of the 95th. Figures: p50 / p95 / p99, in brackets the ratio of p95."
                ),
            )
            for size in content.batch_sizes
        ),
    ]
    return [element("figure", plot, element("figcaption", words)) for plot, words in captions]


def _steps(content: ReportInput) -> list[Markup]:
    parts = [
        element("article", element("h3", entry.name), *_claims(entry), *_reports(entry))
        for entry in ordered(content)
        if entry.steps
    ]
    return parts or [element("p", "No candidate has a step.")]


def _reports(entry: Entry) -> list[Markup]:
    """For each step its words, its settings, and what it says it did."""
    return [
        element(
            "section",
            element("h4", f"Step {index}: {step_words(step)}"),
            element(
                "div",
                element("div", facts("settings", settings_of(step))),
                element("div", facts(REPORT, step.get(REPORT)) or "no report"),
                class_="pair",
            ),
        )
        for index, step in enumerate(entry.steps, 1)
    ]


def _claims(entry: Entry) -> list[Markup]:
    notes = [facts("claims that were checked", entry.claims)]
    if entry.message:
        notes.append(element("p", f"{entry.outcome}: {entry.message}"))
    if entry.claims.get("masked"):
        notes.append(
            element(
                "p",
                "Weights were set to zero, not taken out: neither the file nor the time of a "
                "request gets smaller by that, and none was promised.",
            )
        )
    return notes


def _reading(content: ReportInput) -> list[Markup]:
    sentences: Sequence[str] = (
        (
            f"{content.quality} is counted on {_rows(content)}, and +- is one standard error: another "
            "draw of rows would give another value about so far away."
        ),
        (
            f"Two candidates differ in a metric only if they are more than {NOISE_ERRORS:g} combined "
            "standard errors apart. Less is a tie, and the next metric decides."
        ),
        (
            "Times are of the serving runtime with the threads named above. Each candidate was run in "
            "turn with the baseline, so only ratios to the baseline of the same round carry over to "
            "another machine, another round or another hour."
        ),
        (
            "First every goal is to be met; of those who do, the front is what no other beats in one "
            "metric of goals and preferences without being worse in another; of the front, the "
            "preferences decide in their order."
        ),
        (
            "The test split was set aside before anything was trained. It is shown for the selected "
            "candidate and the baseline, and nothing chose by it."
        ),
        (
            "A candidate whose steps changed nothing, or whose model answers differently than it did "
            "where it was made, is failed with the reason."
        ),
    )
    return [element("ul", *(element("li", sentence) for sentence in sentences))]


def _rows(content: ReportInput) -> str:
    if content.validation_rows is None:
        return "the validation split"
    return f"the {content.validation_rows} rows of the validation split"
