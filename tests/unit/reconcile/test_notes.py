"""The words of Events."""

from __future__ import annotations

from winnow_operator.api.conditions import Reason
from winnow_operator.api.searchjob import Winner
from winnow_operator.api.trial import MetricValue
from winnow_operator.domain.searches.endings import Ending
from winnow_operator.kube.recorder import EventType
from winnow_operator.reconcile import notes

ENDING = Ending(Reason.BUDGET_SPENT, "all 10 trials of spec.budget.maxTrials have an outcome")


def test_the_event_of_a_good_end_names_the_winner_and_its_value() -> None:
    values = (MetricValue(metric="accuracy", value="0.98"),)

    note = notes.ended(ENDING, Winner(trial="digits-t00007", values=values))

    assert note.type is EventType.NORMAL
    assert note.note.endswith("; winner is digits-t00007 with accuracy 0.98")


def test_a_winner_whose_values_somebody_removed_stops_no_search() -> None:
    assert notes.ended(ENDING, Winner(trial="digits-t00007")).note == ENDING.message


def test_the_event_of_a_failure_is_a_warning_and_names_no_winner() -> None:
    ending = Ending(Reason.TOO_MANY_FAILURES, "4 trials failed", failed=True)
    values = (MetricValue(metric="accuracy", value="0.98"),)

    note = notes.ended(ending, Winner(trial="digits-t00007", values=values))

    assert note.type is EventType.WARNING
    assert note.note == "4 trials failed"
