"""What panels are asked, and what becomes of the answers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from typing_extensions import override

from monitoring.answers import AnswerError, Prometheus, Span, answer, choose
from monitoring.grafana import dashboard_text
from monitoring.page import amount, page
from monitoring.panels import Dashboard, Kind, Panel, Query, Variable

SPAN = Span(start=1_000, end=1_060)
DASHBOARD = Dashboard(
    identity="one",
    title="One",
    words="A dashboard.",
    variables=(
        Variable("namespace", "Namespace", "up", "namespace"),
        Variable("uid", "Uid", 'up{namespace="$namespace"}', "uid", only_last=True),
    ),
    panels=(
        Panel(
            "Curve", (Query('rate(x{uid="$uid"}[$__rate_interval])', "{{pod}} {{no}}"),), "Words."
        ),
        Panel("State", (Query('y{uid="$uid"}', "{{state}}"),), "Words.", kind=Kind.WORD),
        Panel("Nothing", (Query("z[$__range]"),), "Words.", kind=Kind.TABLE),
    ),
)
DOCUMENT = json.loads(dashboard_text(DASHBOARD))


@dataclass(frozen=True, slots=True)
class Scripted(Prometheus):
    """Answers from a table, and remembers what it was asked."""

    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @override
    def read(self, path: str, **parameters: object) -> Any:
        words = str(parameters.get("query") or path)
        self.asked.append(words)
        return self.answers.get(words, {"result": []})


def series(*values: str, **labels: str) -> dict[str, Any]:
    pairs = [[1_000 + 5 * i, value] for i, value in enumerate(values)]
    return (
        {"metric": labels, "values": pairs}
        if len(pairs) > 1
        else {"metric": labels, "value": pairs[0]}
    )


def scripted() -> Scripted:
    return Scripted(
        "http://prometheus",
        {
            "group by (namespace) (up)": {"result": [series("1", namespace="team")]},
            'group by (uid) (up{namespace="team"})': {"result": [series("1", uid="u2")]},
            'rate(x{uid="u2"}[1m])': {"result": [series("1", "NaN", "3", pod="<p>")]},
            'y{uid="u2"}': {"result": [series("1", state="Running")]},
        },
    )


def test_variables_take_what_is_there_at_the_end_of_the_time() -> None:
    prometheus = scripted()

    assert choose(DOCUMENT, {}, prometheus, SPAN) == {"namespace": "team", "uid": "u2"}


def test_a_value_that_no_series_has_is_named() -> None:
    with pytest.raises(AnswerError, match="One: no series has namespace=other"):
        choose(DOCUMENT, {"namespace": "other"}, scripted(), SPAN)


def test_queries_are_asked_with_the_variables_in_place() -> None:
    prometheus = scripted()
    values = choose(DOCUMENT, {}, prometheus, SPAN)
    curve, state, nothing = answer(DOCUMENT, values, prometheus, SPAN)

    assert prometheus.asked[-3:] == ['rate(x{uid="u2"}[1m])', 'y{uid="u2"}', "z[60s]"]
    (line,) = curve.answers[0].series
    assert (line.name, line.points) == ("<p> ", ((1_000, 1), (1_010, 3)))
    assert (state.kind, state.answers[0].series[0].name) == ("name", "Running")
    assert nothing.answers[0].series == ()


def test_the_page_shows_lines_words_and_what_is_missing_and_no_label_breaks_out_of_it() -> None:
    prometheus = scripted()
    values = choose(DOCUMENT, {}, prometheus, SPAN)
    drawn = page("Winnow", [("One", list(answer(DOCUMENT, values, prometheus, SPAN)))], SPAN)

    assert drawn.count("<polyline") == 1
    assert "<b>Running</b>" in drawn
    assert drawn.count("no data") == 1
    assert "&lt;p&gt;" in drawn
    assert "<p> " not in drawn.partition("<body>")[2].replace("<p>Words.</p>", "")


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (0.25, "percentunit", "25 %"),
        (0.0042, "s", "4.2 ms"),
        (90, "s", "90 s"),
        (81_000_000, "bytes", "81 MB"),
        (0.5, "reqps", "0.5 /s"),
        (3, "short", "3"),
    ],
)
def test_a_value_is_shown_with_its_unit(value: float, unit: str, words: str) -> None:
    assert amount(value, unit) == words
