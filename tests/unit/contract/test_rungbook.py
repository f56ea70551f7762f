"""The rungs of one pod's trials, and whom they stop."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from winnow_contract.rungbook import EARLY_STOPPING, RungBook, TrialStopped
from winnow_contract.stopping import ASHA, MEDIAN, StoppingRule

RULE = StoppingRule(ASHA, minimum=1, eta=2, min_trials=2)


def climb(book: RungBook, trial: int, values: list[float]) -> int:
    """Go on from 1 on as far as the book allows; gives the last step."""
    book.begin(trial)
    for step, value in enumerate(values, 1):
        _, verdict = book.reach(trial, step, value, len(values))
        if verdict is not None:
            return step
    return len(values)


@given(
    st.lists(st.lists(st.floats(-1, 1), min_size=9, max_size=9), min_size=1, max_size=8),
    st.sampled_from([ASHA, MEDIAN]),
)
def test_maximising_is_minimising_what_is_turned_round(
    curves: list[list[float]], algorithm: str
) -> None:
    rule = StoppingRule(algorithm, minimum=1, eta=2, min_trials=2)
    up, down = (RungBook(rule, goal, decides=True) for goal in ("Maximize", "Minimize"))

    for trial, curve in enumerate(curves):
        assert climb(up, trial, curve) == climb(down, trial, [-value for value in curve])


def test_a_trial_is_compared_with_those_before_it_in_the_pod() -> None:
    book = RungBook(RULE, "Maximize", decides=True)

    ends = [climb(book, n, [value] * 5) for n, value in enumerate((0.5, 0.4, 0.6, 0.45), 1)]

    assert ends == [5, 1, 5, 1]
    assert book.values(2) == {1: 0.4}
    assert book.values(3) == {1: 0.6, 2: 0.6, 4: 0.6}


def test_a_pod_of_one_trial_notes_its_rungs_and_decides_nothing() -> None:
    book = RungBook(RULE, "Maximize", decides=False)

    assert [climb(book, n, [value] * 5) for n, value in enumerate((0.5, 0.4), 1)] == [5, 5]
    assert book.values(2) == {1: 0.4, 2: 0.4, 4: 0.4}


def test_without_a_rule_there_are_no_rungs() -> None:
    book = RungBook(None, "Maximize", decides=True)

    assert climb(book, 1, [0.1] * 5) == 5
    assert book.values(1) == {}
    assert book.entry(1) == {}


def test_steps_that_are_told_now_and_then_reach_the_rungs_between() -> None:
    book = RungBook(RULE, "Minimize", decides=False)

    assert book.reach(1, 5, 0.5)[0] == (1, 2, 4)
    assert book.reach(1, 5, 0.4)[0] == ()
    assert book.reach(1, 3, 0.3)[0] == ()
    assert book.reach(1, 9, 0.2, end=8)[0] == ()


def test_what_an_attempt_before_has_committed_counts_and_what_it_has_not_does_not() -> None:
    book = RungBook(RULE, "Maximize", decides=True)
    climb(book, 1, [0.1] * 5)
    book.take(1, {1: 0.9, 2: 0.9})
    assert book.entry(1) == {"rungs": {"1": 0.9, "2": 0.9}}

    climb(book, 2, [0.2] * 5)
    assert climb(book, 2, [0.95] * 5) == 5
    assert book.values(2)[1] == 0.95


@given(
    st.lists(
        st.lists(st.floats(-1, 1) | st.just(math.nan), min_size=9, max_size=9),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from([ASHA, MEDIAN]),
    st.data(),
)
def test_an_attempt_that_takes_over_what_is_committed_comes_to_the_same_verdicts(
    curves: list[list[float]], algorithm: str, data: st.DataObject
) -> None:
    rule = StoppingRule(algorithm, minimum=1, eta=2, min_trials=2)
    first, again = (RungBook(rule, "Maximize", decides=True) for _ in range(2))
    ends = {trial: climb(first, trial, curve) for trial, curve in enumerate(curves)}
    committed = data.draw(st.sets(st.sampled_from([n for n, end in ends.items() if end == 9])))
    for trial in committed:
        again.take(trial, first.values(trial))

    repeated = {n: climb(again, n, curves[n]) for n in ends if n not in committed}

    assert repeated == {n: end for n, end in ends.items() if n not in committed}


def test_a_rung_without_a_number_counts_for_others_no_more_than_a_manifest_can_hold_of_it() -> None:
    curves = [[math.nan, *[0.9] * 8], [0.1] * 9]
    rule = StoppingRule(MEDIAN, minimum=1, eta=2, min_trials=2)
    first, again = (RungBook(rule, "Maximize", decides=True) for _ in range(2))

    ends = [climb(first, trial, curve) for trial, curve in enumerate(curves)]
    again.take(0, first.values(0))

    assert ends == [9, 2]
    assert climb(again, 1, curves[1]) == 2


def test_the_result_of_a_stopped_trial_has_its_value_at_the_last_rung() -> None:
    book = RungBook(RULE, "Maximize", decides=True)
    climb(book, 1, [0.1, 0.2, 0.3, 0.4, 0.5])

    result = book.stopped(1, TrialStopped(EARLY_STOPPING, "why"))

    assert (result.outcome, result.objective) == ("Stopped", 0.4)
    assert dict(result.rungs) == {1: 0.1, 2: 0.2, 4: 0.4}
    assert (result.cause, result.message) == (EARLY_STOPPING, "why")


def test_a_value_that_is_no_number_is_stopped_and_never_reported() -> None:
    book = RungBook(RULE, "Maximize", decides=True)
    climb(book, 1, [0.5] * 3)

    assert climb(book, 2, [math.nan] * 3) == 1
    assert book.stopped(2, TrialStopped(EARLY_STOPPING, "")).objective is None
