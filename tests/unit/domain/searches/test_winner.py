"""The winner: by score, then by number; and the sentence when its lead is small."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.facts import ledger_of, record_of
from winnow_operator.api.trial import MetricValue, Outcome, TrialStatus
from winnow_operator.domain.ledger import TrialRecord
from winnow_operator.domain.searches.winner import best_record, margin_warning, runner_up, winner_of


def _good(number: int, score: float, error: float | None = None) -> TrialRecord:
    return record_of(number, Outcome.SUCCEEDED, score=score, standard_error=error)


def test_the_lowest_score_wins_and_of_equal_ones_the_one_suggested_first() -> None:
    ledger = ledger_of(_good(3, -0.9), _good(2, -0.9), _good(1, -0.8), record_of(4))

    best = best_record(ledger)

    assert best is not None
    assert best.number == 2
    second = runner_up(ledger, best)
    assert second is not None
    assert second.number == 3


FINISHED = st.builds(
    record_of,
    st.integers(1, 12),
    st.sampled_from(Outcome),
    score=st.none() | st.sampled_from([-1.0, 0.0, 0.5, 0.5000001, 1e9]),
    job_fault=st.booleans(),
)


@given(st.lists(FINISHED, max_size=30))
def test_what_the_ledger_keeps_is_what_a_look_at_all_its_records_gives(
    records: list[TrialRecord],
) -> None:
    ledger = ledger_of(*records)

    scored = [
        (r.score, r.number)
        for r in ledger.finished()
        if r.outcome is Outcome.SUCCEEDED and r.score is not None
    ]
    faults = [r.number for r in ledger.finished() if r.job_fault]
    assert [(r.score, r.number) for r in ledger.leaders] == sorted(scored)[:2]
    assert (ledger.job_fault.number if ledger.job_fault else None) == min(faults, default=None)


def test_a_trial_that_misses_a_constraint_cannot_win() -> None:
    missed = record_of(1, Outcome.SUCCEEDED, score=-0.99, violation=0.01)

    assert best_record(ledger_of(missed)) is None
    kept = best_record(ledger_of(missed, _good(2, -0.5)))
    assert kept is not None
    assert kept.number == 2


def test_only_a_trial_that_succeeded_with_a_value_can_win() -> None:
    ledger = ledger_of(
        record_of(1, Outcome.STOPPED, score=-1.0),
        record_of(2, Outcome.FAILED, score=-1.0),
        record_of(3, Outcome.SUCCEEDED),
    )

    assert best_record(ledger) is None


@pytest.mark.parametrize(
    ("winner", "second", "words"),
    [
        ((-0.90, 0.01), (-0.895, 0.01), "less than one standard error (0.01)"),
        ((-0.90, 0.01), (-0.85, 0.01), None),
        ((-0.90, 0.01), (-0.90, 0.01), "less than one standard error"),
        ((-1.00, 0.0), (-0.995, 0.01), "less than one standard error (0.01)"),
        ((-1.00, 0.0), (-1.00, 0.0), "the same accuracy"),
        ((-0.90, None), (-0.90, None), "the same accuracy"),
        ((-0.90, None), (-0.8999, None), None),
    ],
)
def test_a_lead_below_one_standard_error_is_told(
    winner: tuple[float, float | None], second: tuple[float, float | None], words: str | None
) -> None:
    first = _good(1, *winner)

    warning = margin_warning(ledger_of(first, _good(2, *second)), first, "accuracy")

    if words is None:
        assert warning is None
    else:
        assert warning is not None
        assert words in warning
        assert "trial number 2" in warning
        assert len(warning) <= 512


def test_a_winner_without_a_rival_needs_no_warning() -> None:
    assert margin_warning(ledger_of(_good(1, -0.9, 0.1)), _good(1, -0.9, 0.1), "accuracy") is None


def test_the_winner_in_the_status_is_what_its_trial_says() -> None:
    value = MetricValue(metric="accuracy", value="0.9", standard_error="0.01")
    body = {
        "metadata": {"name": "digits-t00007"},
        "spec": {"parameters": [{"name": "x", "value": "3"}]},
    }

    winner = winner_of(body, TrialStatus(outcome=Outcome.SUCCEEDED, values=(value,)), "close")

    assert winner.trial == "digits-t00007"
    assert [(p.name, p.value) for p in winner.parameters] == [("x", "3")]
    assert winner.values == (value,)
    assert winner.warning == "close"
