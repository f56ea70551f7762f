"""The ledger: outcomes are for good, and the counts add up."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.facts import record_of
from winnow_operator.api.trial import Outcome
from winnow_operator.domain.ledger import Ledger, TrialRecord, read_trial

_records = st.lists(
    st.builds(
        lambda number, outcome, attempts: record_of(number, outcome, attempts=attempts),
        st.integers(1, 8),
        st.sampled_from(Outcome),
        st.integers(0, 3),
    ),
    max_size=40,
)


@given(_records)
def test_an_outcome_never_changes_and_the_counts_add_up(records: list[TrialRecord]) -> None:
    ledger, first = Ledger(), dict[int, TrialRecord]()
    for record in records:
        ledger.put(record)
        if not record.is_active:
            first.setdefault(record.number, record)

        assert len(ledger) == sum(ledger.count(outcome) for outcome in Outcome)
        assert ledger.count(Outcome.ACTIVE) == len(ledger.active)
        assert ledger.active == {n for n, r in ledger.records.items() if r.is_active}
        assert {r.number: r for r in ledger.finished()} == first


def test_a_settled_trial_is_no_longer_active() -> None:
    ledger = Ledger()
    ledger.put(record_of(1))

    settled = ledger.settle(1, outcome=Outcome.FAILED, cause="Crash")

    assert (settled.cause, ledger.active) == ("Crash", frozenset())
    assert ledger.settle(1, outcome=Outcome.SUCCEEDED).outcome is Outcome.FAILED


def test_causes_of_trials_that_wait_are_known_from_their_records() -> None:
    ledger = Ledger()
    ledger.put(record_of(1, cause="Unschedulable"))
    ledger.put(record_of(2))
    ledger.put(record_of(3, Outcome.FAILED, cause="Crash"))

    assert ledger.open_causes() == {1: "Unschedulable"}


def test_missing_numbers_come_in_order() -> None:
    ledger = Ledger()
    for number in (2, 5):
        ledger.put(record_of(number))

    assert list(ledger.missing(6)) == [1, 3, 4, 6]


@pytest.mark.parametrize(
    ("status", "score", "error"),
    [
        ({}, None, None),
        (
            {"score": "-0.98", "values": [{"metric": "a", "value": "1", "standardError": "0.1"}]},
            -0.98,
            0.1,
        ),
        ({"score": "many", "values": [{"metric": "a", "value": "1"}]}, None, None),
        ({"score": 5}, None, None),
    ],
    ids=["empty", "full", "edited", "number"],
)
def test_a_trial_is_read_whatever_a_person_wrote_into_its_status(
    status: dict[str, Any], score: float | None, error: float | None
) -> None:
    body = {"spec": {"number": 3, "parameters": [{"name": "x", "value": "1"}]}, "status": status}

    record = read_trial(body)

    assert (record.number, record.texts, record.outcome) == (3, (("x", "1"),), Outcome.ACTIVE)
    assert (record.score, record.standard_error) == (score, error)


def test_a_trial_without_a_status_is_active() -> None:
    assert read_trial({"spec": {"number": 1}}).is_active
