"""The report holds everything, needs nothing, and nothing that stands in it can break it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.examples import examples
from tests.support.html_pages import Node, read_page
from tests.support.measured_models import (
    BASELINE,
    CANDIDATES,
    FAILED,
    GOALS,
    entry_of,
    report_of,
)
from winnow_contract.choosing.goals import parse_goals
from winnow_measure.report import Entry, ReportInput, write_report
from winnow_measure.report.writing import page

ROOT = Path(__file__).parents[4]
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'-->]]></style></svg></title>&lt;b&gt;",
    "a\x00b\x1fc\ud800",
    "&amp;&#60;i&#62;",
)


def read(content: ReportInput) -> Node:
    return read_page(page(content))


def table(root: Node, caption: str) -> Node:
    return next(t for t in root.all("table") if caption in t.all("caption")[0].text)


def test_every_candidate_is_in_the_table_with_its_steps_figures_and_outcome() -> None:
    rows = table(read(report_of()), "candidates with their number").all("tbody")[0].all("tr")

    found = {row.all("th")[0].text: row.text for row in rows}
    assert list(found) == [
        "1 baseline",
        *(f"{c.number} {c.name}" for c in CANDIDATES),
        "9 dynamic-int8",
    ]
    assert "prune 50 % of the neurons and channels (Taylor, Global, Iterative)" in found["3 half"]
    for words in ("0.9861 +- 0.0069", "167 µs", "180 µs", "ratio 0.0723", "2.8Mi", "95 %"):
        assert words in found["4 half-int8"]
    assert "meets the goals, dominated" in found["3 half"]
    assert "misses a goal" in found["5 mask-90"]
    assert "Failed: NothingChanged" in found["9 dynamic-int8"]
    assert FAILED.message in found["9 dynamic-int8"]


def test_the_choice_and_its_reason_come_before_all_figures() -> None:
    content = report_of()
    words = read(content).text

    assert words.index(content.choice.reason) < words.index("candidates with their number")


def test_every_goal_of_every_candidate_has_its_verdict() -> None:
    content = report_of()
    rows = table(read(content), "verdict").all("tbody")[0].all("tr")

    assert len(rows) == 1 + len(CANDIDATES)
    for row, verdicts in zip(rows, content.choice.verdicts.values(), strict=True):
        for cell, verdict in zip(row.all("td"), verdicts, strict=True):
            assert verdict.sentence in cell.text
            assert ("✓ met" if verdict.met else "✗ missed") in cell.text


def test_test_values_are_shown_of_the_selected_and_the_baseline_alone() -> None:
    marked = [
        replace(entry_of(c), test={"accuracy": (0.5 + c.number / 1000, None)})
        for c in (BASELINE, *CANDIDATES)
    ]

    words = read(replace(report_of(), entries=tuple(marked))).text

    shown = {c.name for c in (BASELINE, *CANDIDATES) if f"{0.5 + c.number / 1000:.4f}" in words}
    assert shown == {"baseline", "half-int8"}


def test_a_kept_baseline_is_said_with_the_goal_that_failed() -> None:
    asked = parse_goals([{"metric": "accuracy", "min": "0.999"}], (1, 64))
    content = report_of(asked)

    words = read(content).text

    assert content.choice.goals_met is False
    assert "so the baseline is kept" in words
    assert "came closest: accuracy is 0.9930, asked is at least 0.999, missed by 0.0060" in words


def test_what_each_step_reported_is_shown_with_its_settings() -> None:
    words = read(report_of()).text

    for expected in (
        "Step 2: quantize Linear and Convolution layers to int8 after training, calibrated",
        "calibrationRows256",
        "excludedblocks.0.conv1",
        "sensitivity.blocks.0.conv10.0031",
        "initial_random_accuracy0.1021",
        "twin_accuracy0.9861",
    ):
        assert expected in words


def test_what_a_step_says_stands_before_its_figures_and_its_layers_in_a_table() -> None:
    article = next(a for a in read(report_of()).all("article") if a.all("h3")[0].text == "half")

    assert "Round 3 of 3 is kept." in [p.text for p in article.all("p")]
    assert article.text.index("Round 3 of 3 is kept.") < article.text.index("cut_accuracy")
    layers = table(article, "layers")
    assert [row.text for row in layers.all("tr")] == [
        "layerbeforeafter",
        "blocks.0.conv16432",
        "blocks.0.conv26424",
    ]


def test_a_report_with_very_many_rows_says_how_many_are_left_out() -> None:
    report = {
        "sensitivity": {f"layer{n}": 0.1 for n in range(1000)},
        "layers": [{"layer": n} for n in range(777)],
    }
    entry = replace(entry_of(CANDIDATES[0]), steps=({"quantize": {}, "report": report},))

    root = read(replace(report_of(), entries=(entry_of(BASELINE), entry)))

    assert len(table(root, "report, 800 more rows in manifest.json").all("tr")) == 200
    assert len(table(root, "layers, 577 more rows in manifest.json").all("tr")) == 201


def test_a_mask_is_said_to_make_nothing_smaller_or_faster() -> None:
    article = next(a for a in read(report_of()).all("article") if a.all("h3")[0].text == "mask-90")

    assert "claims that were checkedmaskedyes" in article.text
    assert "neither the file nor the time of a request gets smaller" in article.text


def test_a_page_starts_as_browsers_want_it_and_has_nothing_outside_of_its_parts() -> None:
    content = report_of()

    assert page(content).startswith('<!DOCTYPE html>\n<html lang="en"><head><meta charset=')
    root = read(content)
    assert [c.name for c in root.children if isinstance(c, Node)] == ["html"]
    assert "".join(c for c in root.children if isinstance(c, str)).strip() == ""


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    root = read(report_of())

    elements = root.everything()
    assert not {e.name for e in elements} & {"script", "link", "img", "iframe", "object", "base"}
    assert not [
        (name, value)
        for e in elements
        for name, value in e.attributes.items()
        if name in {"src", "href", "srcset", "action", "style"} or name.startswith("on")
    ]
    (sheet,) = root.all("style")
    assert "url(" not in sheet.text
    assert "@import" not in sheet.text
    assert "prefers-color-scheme: dark" in sheet.text


def test_a_person_who_does_not_see_the_drawings_is_told_what_they_show() -> None:
    root = read(report_of())

    drawings = root.all("svg")
    assert len(drawings) == 4  # front, sizes, latency at two batch sizes
    for svg in drawings:
        title, description = svg.all("title")[0], svg.all("desc")[0]
        assert svg.attributes["role"] == "img"
        assert svg.attributes["aria-labelledby"] == (
            f"{title.attributes['id']} {description.attributes['id']}"
        )
        for candidate in (BASELINE, *CANDIDATES):
            assert candidate.name in description.text
    assert all(t.all("caption")[0].text for t in root.all("table"))
    assert root.all("html")[0].attributes["lang"] == "en"
    ids = [e.attributes["id"] for e in root.everything() if "id" in e.attributes]
    assert len(set(ids)) == len(ids)


def test_a_mark_of_the_front_differs_from_others_in_more_than_its_colour() -> None:
    plot = read(report_of()).all("svg")[0]

    marks = {
        (e.attributes["class"], e.name)
        for e in plot.everything()
        if e.attributes.get("class", "").startswith("mark")
    }
    assert marks == {
        ("mark missed", "rect"),  # the baseline, which misses the speedup
        ("mark missed", "polygon"),
        ("mark front", "circle"),
        ("mark other", "circle"),
        ("mark selected", "circle"),
    }
    assert [e.attributes["class"] for e in plot.all("circle")].count("halo") == 1


def test_the_same_content_gives_the_same_bytes_in_any_process(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib\n"
        "from tests.support.measured_models import report_of\n"
        "from winnow_measure.report import write_report\n"
        "print(write_report(pathlib.Path(sys.argv[1]), report_of()))\n"
    )
    here = write_report(tmp_path / "here", report_of())
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'trainer'}:{ROOT}", "PYTHONHASHSEED": "7"}
    there = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "there")],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()

    assert here == tmp_path / "here" / "report.html"
    assert here.read_bytes() == Path(there).read_bytes()


def test_the_order_of_the_entries_does_not_matter() -> None:
    content = report_of()

    assert page(replace(content, entries=content.entries[::-1])) == page(content)


def _poisoned(text: str) -> ReportInput:
    """A report in which everything that comes from outside is this text."""
    settings_: Mapping[str, object] = {
        "mode": text,
        "layers": [text],
        text: {text: [text, {text: text}]},
    }
    entries = tuple(
        replace(
            entry_of(c),
            name=f"{c.number}{text}",
            steps=({"quantize": settings_, "report": {text: text}}, {text: text}),
            lineage=({"kind": text, "digest": text, "uri": text},),
            uri=text,
            digest=text,
        )
        for c in (BASELINE, *CANDIDATES)
    )
    failed = replace(FAILED, cause=text, message=text)
    content = report_of()
    return replace(
        content,
        job=replace(content.job, name=text, namespace=text, kind=text),
        created_at=text,
        source_uri=text,
        source_digest=text,
        entries=(*entries, failed),
        choice=replace(content.choice, reason=text),
        task={"model": {"family": text}, "data": {"uri": text}},
        machine={text: text},
    )


def _shape(node: Node) -> object:
    """Elements and the names of their attributes, without any data."""
    children = [_shape(c) for c in node.children if isinstance(c, Node)]
    return (node.name, tuple(node.attributes), children)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_do_not_break_out(text: str) -> None:
    root = read(_poisoned(text))

    assert _shape(root) == _shape(read(_poisoned("plain")))
    visible = "".join(c if c >= " " and not "\ud800" <= c <= "\udfff" else "\ufffd" for c in text)
    assert f"Compression of {visible}" in root.all("h1")[0].text


@given(st.text(st.characters(codec=None), min_size=1, max_size=30))
@settings(max_examples=examples(1.2))
def test_no_text_at_all_breaks_out(text: str) -> None:
    written = page(_poisoned(text))

    assert written.encode()
    assert _shape(read_page(written)) == _shape(read(_poisoned("plain")))


def test_a_report_of_nothing_but_the_baseline_can_be_written() -> None:
    content = report_of(GOALS, ())

    words = read(replace(content, entries=(entry_of(BASELINE),))).text

    assert "No candidate could be measured" in words


def test_a_report_whose_candidates_were_not_measured_says_so() -> None:
    bare = tuple(Entry(c.number, c.name) for c in (BASELINE, *CANDIDATES))

    words = read(replace(report_of(), entries=bare)).text

    assert "No candidate has both accuracy and latency_p95_seconds@1." in words
    assert "No candidate has size_bytes." in words


def test_a_deeply_nested_report_of_a_step_is_cut() -> None:
    nested: object = "abyss"
    for _ in range(900):
        nested = {"a": [nested]}
    entry = replace(entry_of(CANDIDATES[0]), steps=({"quantize": {}, "report": {"deep": nested}},))

    words = read(replace(report_of(), entries=(entry_of(BASELINE), entry))).text

    assert "abyss" not in words
