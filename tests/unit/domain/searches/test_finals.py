"""After a search with folds its winner is trained once more, and only then the job has ended."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.facts import ledger_of, record_of, spec_of
from winnow_operator.api.conditions import Reason
from winnow_operator.api.searchjob import Goal, Objective
from winnow_operator.api.searchjob_rules import MAX_SEARCHED
from winnow_operator.api.trial import Outcome
from winnow_operator.domain.ledger import TrialRecord
from winnow_operator.domain.searches.endings import Progress, find_ending, is_after_search
from winnow_operator.domain.searches.finals import (
    FinalPlan,
    final_number,
    final_plan,
    leading,
    missing_finals,
    standings,
)
from winnow_operator.domain.searches.winner import best_record

FOLDED = {
    "model": {"family": "MLP"},
    "data": {"uri": "builtin://digits"},
    "evaluation": {"folds": 5},
}
GOOD = record_of(1, Outcome.SUCCEEDED, score=-0.9)
BEST = record_of(2, Outcome.SUCCEEDED, score=-0.95)
OPEN = record_of(3)
ONCE = FinalPlan()
THREE = {"finalists": {"count": 2, "repeats": 3}}
PLAN = FinalPlan(2, 3, names_winner=True)
DONE = record_of(3, Outcome.STOPPED)


def final(
    of: int, outcome: Outcome = Outcome.ACTIVE, number: int = MAX_SEARCHED + 1
) -> TrialRecord:
    score = -0.99 if outcome is Outcome.SUCCEEDED else None
    return record_of(number, outcome, score=score, final_of=of, cause="NaN")


def progress(*records: TrialRecord, **facts: Any) -> Progress:
    spec = {"task": FOLDED, "budget": {"maxTrials": 3, "maxDuration": "1h"}, **facts}
    return Progress(
        spec=spec_of({k: v for k, v in spec.items() if k not in {"elapsed_seconds", "planned"}}),
        ledger=ledger_of(*records),
        planned=facts.get("planned", 3),
        exhausted=False,
        elapsed_seconds=facts.get("elapsed_seconds", 10.0),
        max_duration_seconds=3600.0,
    )


def test_only_a_search_with_folds_trains_its_winner_once_more() -> None:
    assert final_plan(spec_of({"task": FOLDED})) == ONCE
    assert final_plan(spec_of()) is None


def test_a_search_that_is_over_waits_for_its_final_training() -> None:
    over = progress(GOOD, BEST, DONE)

    assert find_ending(over) is None
    assert is_after_search(over)
    assert missing_finals(over.ledger, ONCE) == [BEST]


@pytest.mark.parametrize("records", [(GOOD, BEST), (GOOD, BEST, OPEN)])
def test_a_search_that_goes_on_has_no_final_training(records: tuple[TrialRecord, ...]) -> None:
    assert not is_after_search(progress(*records))


def test_a_final_training_that_runs_is_not_started_again() -> None:
    running = progress(GOOD, BEST, DONE, final(2))

    assert find_ending(running) is None
    assert missing_finals(running.ledger, ONCE) == []
    assert standings(running.ledger, ONCE) == ()


def test_the_job_ends_once_the_winner_was_trained_once_more() -> None:
    over = progress(GOOD, BEST, DONE, final(2, Outcome.SUCCEEDED))
    ending = find_ending(over)

    assert ending is not None
    assert (ending.reason, ending.failed) == (Reason.BUDGET_SPENT, False)
    assert "all 3 trials" in ending.message
    assert "trial number 2 was trained once more" in ending.message


def test_a_final_training_competes_with_no_trial_of_the_search() -> None:
    ledger = ledger_of(GOOD, BEST, final(2, Outcome.SUCCEEDED))

    assert best_record(ledger) == BEST
    assert (ledger.searched, len(ledger)) == (2, 3)


def test_where_a_final_training_fails_the_next_best_is_trained() -> None:
    failed = progress(GOOD, BEST, DONE, final(2, Outcome.FAILED))

    assert find_ending(failed) is None
    assert missing_finals(failed.ledger, ONCE) == [GOOD]
    assert final_number(failed.ledger) == MAX_SEARCHED + 2
    ended = progress(*failed.ledger.records.values(), final(1, Outcome.SUCCEEDED, MAX_SEARCHED + 2))
    ending = find_ending(ended)
    assert ending is not None
    assert "trial number 1 was trained once more" in ending.message
    assert best_record(ended.ledger) == GOOD


def test_a_search_none_of_whose_trials_can_be_trained_once_more_has_failed() -> None:
    finals = (final(2, Outcome.FAILED), final(1, Outcome.FAILED, MAX_SEARCHED + 2))
    ending = find_ending(progress(GOOD, BEST, DONE, *finals))

    assert ending is not None
    assert (ending.reason, ending.failed) == (Reason.NO_WINNER, True)
    assert "none of them could be trained once more" in ending.message


def test_a_trial_that_missed_a_constraint_does_not_hide_that_none_could_be_trained() -> None:
    missed = record_of(3, Outcome.SUCCEEDED, score=-0.99, violation=0.1)
    limits = [{"metric": "f1", "max": "0.5"}]
    lost = final(1, Outcome.FAILED)
    ending = find_ending(
        progress(GOOD, record_of(2, Outcome.STOPPED), missed, lost, constraints=limits)
    )

    assert ending is not None
    assert ending.reason is Reason.NO_WINNER
    assert "none of them could be trained once more" in ending.message


def test_final_trainings_that_fail_count_as_failures() -> None:
    finals = (final(2, Outcome.FAILED), final(1, Outcome.FAILED, MAX_SEARCHED + 2))
    budget = {"maxTrials": 3, "maxFailedTrials": 1}
    ending = find_ending(progress(GOOD, BEST, DONE, *finals, budget=budget))

    assert ending is not None
    assert ending.reason is Reason.TOO_MANY_FAILURES


def test_the_deadline_ends_a_final_training_too_and_says_what_is_missing() -> None:
    ending = find_ending(progress(GOOD, BEST, DONE, final(2), elapsed_seconds=3600.0))

    assert ending is not None
    assert (ending.reason, ending.failed) == (Reason.DEADLINE_REACHED, False)
    assert "it has no model" in ending.message


def test_a_raised_budget_opens_the_search_again_and_finds_its_numbers_free() -> None:
    trained = (GOOD, BEST, DONE, final(2, Outcome.SUCCEEDED))
    raised = progress(*trained, budget={"maxTrials": 5})
    more = Progress(raised.spec, raised.ledger, 10.0, None, planned=5, exhausted=False)

    assert find_ending(more) is None
    assert not is_after_search(more)
    assert list(more.ledger.missing(5)) == [4, 5]


def test_a_new_best_is_trained_once_more_in_place_of_the_old_one() -> None:
    better = record_of(4, Outcome.SUCCEEDED, score=-0.97)
    ledger = ledger_of(GOOD, BEST, DONE, final(2, Outcome.SUCCEEDED), better)

    assert missing_finals(ledger, ONCE) == [better]


def again(of: int, *scores: float, first: int, **fields: Any) -> list[TrialRecord]:
    return [
        record_of(MAX_SEARCHED + first + i, Outcome.SUCCEEDED, score=-score, final_of=of, **fields)
        for i, score in enumerate(scores)
    ]


def test_the_finalists_are_the_best_few_and_are_trained_as_often_as_asked() -> None:
    worse = record_of(3, Outcome.SUCCEEDED, score=-0.5)
    begun = final(2, number=MAX_SEARCHED + 1)

    assert final_plan(spec_of(THREE)) == PLAN
    assert missing_finals(ledger_of(GOOD, BEST, worse), PLAN) == [BEST] * 3 + [GOOD] * 3
    assert missing_finals(ledger_of(GOOD, BEST, worse, begun), PLAN) == [BEST] * 2 + [GOOD] * 3


def test_the_winner_is_named_from_the_means_of_fresh_seeds() -> None:
    lucky = again(2, 0.80, 0.95, 0.81, first=1)
    solid = again(1, 0.90, 0.91, 0.89, first=4)
    over = progress(GOOD, BEST, DONE, *lucky, *solid, **THREE)

    ending, winner = find_ending(over), leading(over.ledger, PLAN)

    assert winner is not None
    assert winner.record == GOOD
    assert winner.score == pytest.approx(-0.90)
    assert winner.standard_error == pytest.approx(0.01 / 3**0.5)
    assert ending is not None
    assert "trained 3 times more, number 1 is the best" in ending.message


def test_the_model_is_that_of_the_median_training_and_of_two_the_better() -> None:
    three, two = again(1, 0.90, 0.85, 0.99, first=1), again(2, 0.7, 0.8, first=4)
    plan = FinalPlan(2, 2, names_winner=True)
    first, second = standings(ledger_of(GOOD, BEST, *three, *two), plan)

    assert (second.kept, first.kept) == (three[0], two[1])


def test_a_finalist_that_could_not_be_trained_again_makes_place_for_the_next() -> None:
    third = record_of(3, Outcome.SUCCEEDED, score=-0.5)
    ledger = ledger_of(GOOD, BEST, third, final(2, Outcome.FAILED))

    assert missing_finals(ledger, PLAN) == [GOOD] * 3 + [third] * 3


def test_a_search_of_fewer_trials_than_finalists_trains_all_it_has() -> None:
    over = progress(GOOD, DONE, *again(1, 0.9, 0.9, 0.9, first=1), planned=2, **THREE)

    assert find_ending(over) is not None


def test_what_keeps_the_constraints_again_goes_before_what_is_better() -> None:
    misses = again(2, 0.95, 0.95, 0.95, first=1, violation=0.1)
    keeps = again(1, 0.7, 0.7, 0.7, first=4)

    winner = leading(ledger_of(GOOD, BEST, *misses, *keeps), PLAN)

    assert winner is not None
    assert winner.record == GOOD


@pytest.mark.parametrize(
    ("finals", "number", "words"),
    [
        (again(1, 0.9, 0.9, 0.9, first=1), 1, "the best of those that were"),
        (again(1, 0.9, 0.9, first=1), 2, "the winner is the best of the search"),
    ],
)
def test_at_the_deadline_the_winner_is_named_from_what_is_there(
    finals: list[TrialRecord], number: int, words: str
) -> None:
    task = {**FOLDED, "evaluation": {}}
    late = progress(GOOD, BEST, DONE, *finals, elapsed_seconds=3600.0, task=task, **THREE)

    ending, winner = find_ending(late), leading(late.ledger, PLAN)

    assert ending is not None
    assert winner is not None
    assert (ending.reason, winner.number) == (Reason.DEADLINE_REACHED, number)
    assert words in ending.message


def test_of_several_objectives_the_winner_is_the_best_compromise_of_the_finalists() -> None:
    objectives = (
        Objective(metric="accuracy", goal=Goal.MAXIMIZE),
        Objective(metric="parameters", goal=Goal.MINIMIZE),
    )
    searched = [
        record_of(n, Outcome.SUCCEEDED, values=v)
        for n, v in ((1, (0.9, 10.0)), (2, (0.95, 50.0)), (3, (0.99, 99.0)))
    ]
    finals = [
        record_of(MAX_SEARCHED + i, Outcome.SUCCEEDED, values=v, final_of=n)
        for i, (n, v) in enumerate(((2, (0.7, 50.0)), (1, (0.9, 10.0)), (3, (0.98, 99.0))), 1)
    ]
    ledger = ledger_of(*searched, *finals)
    ledger.compare_by(objectives)
    plan = FinalPlan(3, 1, names_winner=True)

    winner = leading(ledger, plan)

    assert missing_finals(ledger, plan) == []
    assert winner is not None
    assert winner.record.number in {1, 3}
    assert {s.number for s in standings(ledger, plan)} == {1, 2, 3}
