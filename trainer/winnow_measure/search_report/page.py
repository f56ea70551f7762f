"""The page: its sections in order, each a pure function from what is known of the search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from winnow_measure.report.markup import Markup, element, join
from winnow_measure.report.style import STYLE
from winnow_measure.report.writing import DOCTYPE, POLICY
from winnow_measure.search_report.content import SearchContent, TrialEntry
from winnow_measure.search_report.curve import curve
from winnow_measure.search_report.front import front_plot, pairs_of
from winnow_measure.search_report.importance_bars import importance_bars
from winnow_measure.search_report.learning import learning_curves
from winnow_measure.search_report.parallel import parallel_coordinates

__all__ = ["page"]

MOST_ROWS = 50
"""Trials in the table: the best ones."""
MORE_STYLE = """
svg .best { fill: none; stroke: var(--selected); stroke-width: 2.5; }
svg .way { fill: none; stroke: var(--other); stroke-width: 1; stroke-opacity: .25; }
svg .way.front { stroke: var(--front); stroke-width: 1.8; stroke-opacity: .9; }
"""


def page(content: SearchContent) -> str:
    """The whole page; the same content gives the same bytes."""
    title = f"Search {content.name}"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("title", title),
        element("style", Markup(STYLE + MORE_STYLE)),
    )
    body = element("body", element("main", element("h1", title), *_sections(content)))
    return join((DOCTYPE, element("html", head, body, lang="en"), "\n"))


def _sections(content: SearchContent) -> list[Markup]:
    counts = range(len(content.goals))
    parts = [
        element("header", _facts(content)),
        _section("The winner", *_winner(content)),
        *([_section("Finalists", _finalists(content))] if content.finalists else []),
        _section("The best value so far", *(_figure(curve(content, n), _CURVE) for n in counts)),
        _section(
            "What mattered",
            *(_figure(importance_bars(content, n), _IMPORTANCES) for n in counts),
        ),
        _section("All values", _figure(parallel_coordinates(content), _PARALLEL)),
    ]
    if content.learning:
        curves = learning_curves(content)
        parts.append(_section("How the network learnt", element("p", _LEARNING), *curves))
    if len(content.goals) > 1:
        plots = (_figure(front_plot(content, pair), _FRONT) for pair in pairs_of(content))
        parts.append(_section("What was traded for what", *plots))
    return [*parts, _section("Trials", _best_table(content), *_failures(content))]


_CURVE = (
    "The line is the best value of all trials that had ended by then; circles are trials, rhombi those "
    "that were stopped or miss a constraint."
)
_IMPORTANCES = (
    "Which parameters tell the best tenth of the trials from the others (PED-ANOVA: Watanabe et al., "
    "2023). It speaks of the trials that were run: where an algorithm has looked at one place only, "
    "nothing is known of the others."
)
_PARALLEL = (
    "Each line is a trial, through its values from axis to axis to its objective; the best tenth is in "
    "front. Of more than 10 parameters the most important are shown."
)
_LEARNING = (
    "Generative trains a network during the search that writes the nets to try. Each mark is a batch of "
    "outcomes that it learnt from: the mean of what it wrote until the next one, how undecided it was, "
    "and its loss, whose terms change with the trials it knows."
)
_FRONT = (
    "Large: beaten by no other trial in all objectives; square: the winner; rhombus: stopped, or misses "
    "a constraint."
)


def _section(title: str, *children: Markup) -> Markup:
    return element("section", element("h2", title), *children)


def _figure(plot: Markup, words: str) -> Markup:
    return element("figure", plot, element("figcaption", words))


def _facts(content: SearchContent) -> Markup:
    facts = {
        "job": f"SearchJob {content.name} in namespace {content.namespace}",
        "objectives": ", ".join(
            f"{'maximize' if g.maximize else 'minimize'} {g.metric}" for g in content.goals
        ),
        **content.facts,
        "state": f"{content.state}: {content.reason}",
    }
    pairs = [join((element("dt", name), element("dd", words))) for name, words in facts.items()]
    return element("dl", *pairs, class_="facts")


def _winner(content: SearchContent) -> list[Markup]:
    winner = content.winner
    if not winner:
        return [element("p", "No trial has won.")]
    parts = [element("p", f"{winner.get('trial')} has won.", class_="reason")]
    parts += [element("p", str(winner[key])) for key in ("reason", "warning") if winner.get(key)]
    values = _measured(winner.get("values") or (), "on validation")
    tested = _measured(winner.get("test") or (), "on test")
    parts.append(_table("What was measured", ("metric", "value", "split"), [*values, *tested]))
    given = [(str(p.get("name")), str(p.get("value"))) for p in winner.get("parameters") or ()]
    parts.append(_table("Its parameters", ("parameter", "value"), given))
    artifact = winner.get("artifact") or {}
    if artifact:
        parts.append(element("p", f"Its model: {artifact.get('uri')}, {artifact.get('digest')}"))
    return parts


def _measured(values: Sequence[Mapping[str, object]], split: str) -> list[tuple[str, ...]]:
    def words(value: Mapping[str, object]) -> str:
        error = value.get("standardError")
        return f"{value.get('value')} ± {error}" if error else str(value.get("value"))

    return [(str(value.get("metric")), words(value), split) for value in values]


def _finalists(content: SearchContent) -> Markup:
    rows = [
        (
            str(finalist.get("trial")),
            ", ".join(
                f"{goal.metric} {value}"
                for goal, value in zip(content.goals, finalist.get("values") or (), strict=False)
            ),
            str(finalist.get("standardError", "")),
            str(finalist.get("trainings", "")),
        )
        for finalist in content.finalists
    ]
    columns = ("trial", "mean over fresh seeds", "standard error", "trainings")
    return _table("The best of the search, trained again", columns, rows)


def _best_table(content: SearchContent) -> Markup:
    ranked = sorted(
        content.valued,
        key=lambda t: (not t.can_win, t.violation, content.goals[0].sign() * t.values[0], t.number),
    )
    names = [axis.name for axis in content.axes]
    columns = ("trial", *(goal.metric for goal in content.goals), "outcome", *names)
    words = f"The best {min(len(ranked), MOST_ROWS)} of {len(content.trials)} trials"
    return _table(words, columns, [_row(trial, names) for trial in ranked[:MOST_ROWS]])


def _row(trial: TrialEntry, names: Sequence[str]) -> tuple[str, ...]:
    figures = [f"{value:.6g}" for value in trial.values]
    if trial.error is not None:
        figures[0] += f" ± {trial.error:.2g}"
    return (trial.name, *figures, trial.outcome, *(trial.parameters.get(n, "") for n in names))


def _failures(content: SearchContent) -> list[Markup]:
    failed = [t for t in (*content.trials, *content.finals) if t.outcome == "Failed"]
    if not failed:
        return []
    rows = [(t.name, t.cause, t.message) for t in failed[:MOST_ROWS]]
    return [_table(f"{len(failed)} trials failed", ("trial", "cause", "message"), rows)]


def _table(caption: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Markup:
    head = element("tr", *(element("th", name, scope="col") for name in columns))
    body = [
        element(
            "tr",
            element("th", row[0], scope="row"),
            *(element("td", cell, class_="words") for cell in row[1:]),
        )
        for row in rows
    ]
    table = element(
        "table", element("caption", caption), element("thead", head), element("tbody", *body)
    )
    return element("div", table, class_="wide")
