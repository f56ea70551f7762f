"""Which round a candidate belongs to follows from its number and the spec."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.facts import ledger_of, record_of
from winnow_contract.measuring.measurements import MAX_MODELS
from winnow_operator.api.trial import Outcome
from winnow_operator.domain.compressions.rounds import Rounds

ROUNDS = st.builds(Rounds, st.integers(0, 15), st.integers(0, 100), st.integers(1, 15)).filter(
    lambda rounds: rounds.named + rounds.written > 0
)


@given(ROUNDS)
def test_every_candidate_is_in_one_round_and_rounds_follow_each_other(rounds: Rounds) -> None:
    listed = [n for index in range(1, rounds.count + 1) for n in rounds.numbers(index)]

    assert listed == list(range(1, rounds.planned + 1))
    assert all(n in rounds.numbers(rounds.round_of(n)) for n in listed)


@given(ROUNDS)
def test_no_round_has_more_models_than_one_pod_measures(rounds: Rounds) -> None:
    sizes = [len(rounds.numbers(index)) for index in range(1, rounds.count + 1)]

    assert sizes[0] <= MAX_MODELS
    assert all(1 <= size <= MAX_MODELS - 1 for size in sizes[1:])


@pytest.mark.parametrize(
    ("finished", "active", "exhausted", "current"),
    [
        ([], [], False, 1),
        ([1, 2], [3], False, 1),
        ([1, 2, 3], [], False, 2),
        ([1, 2, 3], [4, 5], False, 2),
        ([1, 2, 3, 4], [], True, None),
        ([1, 2, 3, 4], [5], True, 2),
        ([1, 2, 3, 4, 5], [], False, None),
    ],
)
def test_the_current_round_is_the_first_with_a_candidate_without_outcome(
    finished: list[int], active: list[int], *, exhausted: bool, current: int | None
) -> None:
    ledger = ledger_of(
        *(record_of(n, Outcome.SUCCEEDED) for n in finished), *(record_of(n) for n in active)
    )

    assert Rounds(2, 2, 2).current(ledger, exhausted=exhausted) == current
