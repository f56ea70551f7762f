"""After a search with folds its winner is trained once more, and only then the job has ended."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.facts import ledger_of, record_of, spec_of
from winnow_operator.api.conditions import Reason
from winnow_operator.api.searchjob_rules import MAX_SEARCHED
from winnow_operator.api.trial import Outcome
from winnow_operator.domain.endings import Progress, find_ending, is_after_search
from winnow_operator.domain.finals import final_number, final_of, missing_final, trains_finals
from winnow_operator.domain.ledger import TrialRecord
from winnow_operator.domain.winner import best_record

FOLDED = {
    "model": {"family": "MLP"},
    "data": {"uri": "builtin://digits"},
    "evaluation": {"folds": 5},
}
GOOD = record_of(1, Outcome.SUCCEEDED, score=-0.9)
BEST = record_of(2, Outcome.SUCCEEDED, score=-0.95)
OPEN = record_of(3)
DONE = record_of(3, Outcome.STOPPED)


def final(
    of: int, outcome: Outcome = Outcome.ACTIVE, number: int = MAX_SEARCHED + 1
) -> TrialRecord:
    score = -0.99 if outcome is Outcome.SUCCEEDED else None
    return record_of(number, outcome, score=score, final_of=of, cause="NaN")


def progress(*records: TrialRecord, **facts: Any) -> Progress:
    spec = {"task": FOLDED, "budget": {"maxTrials": 3, "maxDuration": "1h"}, **facts}
    return Progress(
        spec=spec_of({k: v for k, v in spec.items() if k != "elapsed_seconds"}),
        ledger=ledger_of(*records),
        planned=3,
        exhausted=False,
        elapsed_seconds=facts.get("elapsed_seconds", 10.0),
        max_duration_seconds=3600.0,
    )


def test_only_a_search_with_folds_trains_its_winner_once_more() -> None:
    assert trains_finals(spec_of({"task": FOLDED}))
    assert not trains_finals(spec_of())


def test_a_search_that_is_over_waits_for_its_final_training() -> None:
    over = progress(GOOD, BEST, DONE)

    assert find_ending(over) is None
    assert is_after_search(over)
    assert missing_final(over.ledger) == BEST


@pytest.mark.parametrize("records", [(GOOD, BEST), (GOOD, BEST, OPEN)])
def test_a_search_that_goes_on_has_no_final_training(records: tuple[TrialRecord, ...]) -> None:
    assert not is_after_search(progress(*records))


def test_a_final_training_that_runs_is_not_started_again() -> None:
    running = progress(GOOD, BEST, DONE, final(2))

    assert find_ending(running) is None
    assert missing_final(running.ledger) is None
    assert final_of(running.ledger, BEST) is None


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
    assert missing_final(failed.ledger) == GOOD
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

    assert missing_final(ledger) == better
