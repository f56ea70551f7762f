"""What a search is told of at its end is reckoned once, however often its last write is tried."""

from __future__ import annotations

from dataclasses import replace

from tests.support.facts import ledger_of, record_of, spec_of
from winnow_operator.api.trial import Outcome
from winnow_operator.domain.spaces.space import parse_space
from winnow_operator.reconcile.searches.searchstate import SearchState

TWO = {
    "space": {
        "parameters": [
            {"name": "x", "int": {"min": 1, "max": 100}},
            {"name": "y", "choice": {"values": ["a", "b"]}},
        ]
    }
}


def test_a_last_write_that_is_tried_again_reckons_nothing_anew() -> None:
    spec = spec_of(TWO)
    records = [
        replace(
            record_of(n, Outcome.SUCCEEDED, score=float(n)) if n < 13 else record_of(n),
            texts=(("x", str(n)), ("y", "ab"[n % 2])),
        )
        for n in range(1, 14)
    ]
    state = SearchState(
        uid="u", ledger=ledger_of(*records), spec=spec, space=parse_space(spec.space)
    )

    first = state.reckon()

    assert {i.parameter for i in first.importances} == {"x", "y"}
    assert state.reckon() is first
    state.ledger.settle(13, outcome=Outcome.SUCCEEDED, score=13.0)
    assert state.reckon() is not first
