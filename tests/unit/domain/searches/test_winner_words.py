"""What is said of a winner speaks of what has named it: the search, or its final trainings."""

from __future__ import annotations

from typing import Any

from tests.support.facts import ledger_of, record_of, spec_of
from winnow_operator.api.searchjob import SearchJobSpec
from winnow_operator.api.searchjob_rules import MAX_SEARCHED
from winnow_operator.api.trial import Outcome
from winnow_operator.domain.ledger import Ledger, TrialRecord
from winnow_operator.domain.searches.finals import final_plan, leading
from winnow_operator.domain.searches.winner_words import Said, said_of

TASK = {"model": {"family": "MLP"}, "data": {"uri": "builtin://digits"}}
FOLDED = {"task": {**TASK, "evaluation": {"folds": 5}}}
BOTH = [
    {"metric": "accuracy", "goal": "Maximize"},
    {"metric": "train_seconds", "goal": "Minimize"},
]


def said(spec: SearchJobSpec, ledger: Ledger) -> Said:
    best = leading(ledger, final_plan(spec))
    assert best is not None
    return said_of(ledger, spec, best)


def final(of: int, place: int, **fields: Any) -> TrialRecord:
    number = MAX_SEARCHED + place
    return record_of(number, Outcome.SUCCEEDED, final_of=of, **fields)


def traded(*finals: TrialRecord) -> Ledger:
    """Three trials of which none beats another, and final trainings."""
    points = ((0.9, 3.0), (0.8, 2.0), (0.7, 1.0))
    records = (record_of(n, Outcome.SUCCEEDED, values=values) for n, values in enumerate(points, 1))
    ledger = ledger_of(*records, *finals)
    ledger.compare_by(spec_of({"objectives": BOTH}).objectives)
    return ledger


def test_the_reason_speaks_of_the_whole_pareto_set_where_the_search_has_named_the_winner() -> None:
    """It was trained once more for its model alone: that does not make a set of one."""
    spec = spec_of({**FOLDED, "objectives": BOTH})
    before, after = traded(), traded(final(2, 1, values=(0.85, 2.5)))

    assert "of the 3 trials of the Pareto set" in str(said(spec, before).reason)
    assert said(spec, after) == said(spec, before)


def test_the_reason_speaks_of_the_finalists_where_they_name_the_winner() -> None:
    spec = spec_of({"objectives": BOTH, "finalists": {"count": 2, "repeats": 1}})
    ledger = traded(final(2, 1, values=(0.85, 2.5)), final(1, 2, values=(0.95, 3.5)))

    assert "of the 2 trials of the Pareto set" in str(said(spec, ledger).reason)


def test_a_lead_is_compared_as_it_was_found() -> None:
    close = [
        record_of(1, Outcome.SUCCEEDED, score=-0.90, standard_error=0.02),
        record_of(2, Outcome.SUCCEEDED, score=-0.91, standard_error=0.02),
    ]
    once, twice = spec_of(FOLDED), spec_of({"finalists": {"count": 2, "repeats": 1}})
    clear = [final(2, 1, score=-0.95), final(1, 2, score=-0.70)]

    assert "on this validation split" in str(said(once, ledger_of(*close, clear[0])).warning)
    assert said(twice, ledger_of(*close, *clear)).warning is None
