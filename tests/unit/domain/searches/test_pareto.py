"""Several objectives: the Pareto set, and the compromise that wins."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.facts import ledger_of, record_of, spec_of
from winnow_operator.api.conditions import Reason
from winnow_operator.api.searchjob import MAX_PARETO, Goal, Objective
from winnow_operator.api.trial import Outcome
from winnow_operator.domain.ledger import Ledger, TrialRecord
from winnow_operator.domain.searches.endings import Progress, find_ending
from winnow_operator.domain.searches.pareto import (
    compromise,
    dominates,
    front_of,
    meets_targets,
    reason_of,
    scores_of,
    with_trial,
)
from winnow_operator.domain.searches.winner import best_record, shown_front

ACCURATE = Objective(metric="accuracy", goal=Goal.MAXIMIZE)
SMALL = Objective(metric="parameters", goal=Goal.MINIMIZE)
BOTH = (ACCURATE, SMALL)


def trial(number: int, *values: float, outcome: Outcome = Outcome.SUCCEEDED) -> TrialRecord:
    return record_of(number, outcome, values=values)


def ledger(*records: TrialRecord) -> Ledger:
    made = ledger_of(*records)
    made.compare_by(BOTH)
    return made


_trials = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 5)).map(lambda pair: tuple(map(float, pair))),
    max_size=25,
).map(lambda pairs: [trial(n, *pair) for n, pair in enumerate(pairs, 1)])


@given(_trials)
def test_the_set_is_exactly_what_nothing_dominates(trials: list[TrialRecord]) -> None:
    scores = {t.number: scores_of(t, BOTH) for t in trials}

    expected = {
        n for n, mine in scores.items() if not any(dominates(s, mine) for s in scores.values())
    }
    assert {t.number for t in front_of(trials, BOTH)} == expected


@given(_trials, st.randoms())
def test_the_winner_does_not_depend_on_the_order_in_which_trials_end(
    trials: list[TrialRecord], random: Any
) -> None:
    shuffled = random.sample(trials, len(trials))

    assert compromise(front_of(trials, BOTH), BOTH) == compromise(front_of(shuffled, BOTH), BOTH)


@given(_trials)
def test_a_ledger_that_grows_has_the_set_of_one_that_is_read(trials: list[TrialRecord]) -> None:
    growing = ledger()
    for record in trials:
        growing.put(record)

    assert growing.front == ledger(*trials).front


def test_the_nearest_to_the_best_of_each_objective_wins() -> None:
    front = (trial(1, 0.99, 1000), trial(2, 0.97, 200), trial(3, 0.80, 100))

    best = compromise(front, BOTH)

    assert best is not None
    assert best.number == 2
    assert "of the 3 trials of the Pareto set it is nearest" in reason_of(front, best, BOTH)


def test_targets_go_before_nearness() -> None:
    strict = (ACCURATE.model_copy(update={"target": "0.98"}), SMALL)
    front = (trial(1, 0.99, 1000), trial(2, 0.97, 200), trial(3, 0.80, 100))

    best = compromise(front, strict)

    assert best is not None
    assert best.number == 1
    assert "1 of the 3 trials of the Pareto set meet all targets" in reason_of(front, best, strict)


def test_targets_that_none_meets_do_not_count() -> None:
    strict = (ACCURATE.model_copy(update={"target": "0.999"}), SMALL)
    front = (trial(1, 0.99, 1000), trial(2, 0.97, 200))

    best = compromise(front, strict)

    assert best is not None
    assert not meets_targets(best, strict)
    assert "none of the 2 trials" in reason_of(front, best, strict)


def test_of_equal_trials_all_are_in_the_set_and_the_first_wins() -> None:
    front = front_of((trial(2, 0.9, 10), trial(1, 0.9, 10)), BOTH)

    assert len(front) == 2
    assert compromise(front, BOTH) == trial(1, 0.9, 10)


def test_an_objective_in_which_all_are_equal_decides_nothing() -> None:
    assert compromise((trial(4, 0.9, 10),), BOTH) == trial(4, 0.9, 10)


def test_only_what_succeeded_with_all_its_values_is_in_the_set() -> None:
    stopped = trial(1, 0.99, 1, outcome=Outcome.STOPPED)
    final = record_of(99_001, Outcome.SUCCEEDED, values=(1.0, 0.0), final_of=2)

    made = ledger(stopped, trial(2, 0.9, 10), trial(3, 0.99), final)

    assert [r.number for r in made.front] == [2]
    assert with_trial(made.front, trial(3, 0.99), BOTH) == made.front


def test_a_status_shows_the_ends_of_a_large_set_and_its_winner() -> None:
    records = [trial(n, 0.5 + n / 1000, n) for n in range(1, 101)]
    made = ledger(*records)

    winner = best_record(made)
    shown = shown_front(made, winner)

    assert len(made.front) == 100
    assert len(shown) == MAX_PARETO
    assert (shown[0].number, shown[-1].number) == (100, 1)
    assert winner in shown


def test_where_the_winner_cannot_be_trained_once_more_the_next_compromise_is() -> None:
    records = (trial(1, 0.99, 1000), trial(2, 0.97, 200), trial(3, 0.96, 250), trial(4, 0.8, 100))
    failed = record_of(99_001, Outcome.FAILED, final_of=2)

    assert best_record(ledger(*records)) == records[1]
    assert best_record(ledger(*records, failed)) == records[2]


@pytest.mark.parametrize(
    ("targets", "ends"), [((None, None), False), (("0.9", None), False), (("0.9", "500"), True)]
)
def test_only_all_targets_together_end_a_search(
    targets: tuple[str | None, str | None], *, ends: bool
) -> None:
    objectives = [
        {"metric": "accuracy", "goal": "Maximize", "target": targets[0]},
        {"metric": "parameters", "goal": "Minimize", "target": targets[1]},
    ]
    spec = spec_of({"objectives": objectives})
    made = ledger_of(trial(1, 0.95, 400), trial(2, 0.99, 900))
    made.compare_by(spec.objectives)
    ending = find_ending(Progress(spec, made, 1.0, None, planned=10, exhausted=False))

    assert (ending is not None) is ends
    if ending is not None:
        assert ending.reason is Reason.TARGET_REACHED
        assert "trial number 1 reached the targets of all objectives" in ending.message
