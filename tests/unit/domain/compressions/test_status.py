"""The status of a CompressionJob: conditions, choice, columns, and the choice made again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.compressionjobs import compression_job, figures_of
from winnow_operator.api.compressionjob import CompressionJobSpec
from winnow_operator.api.compressionjob_status import CompressionJobStatus
from winnow_operator.api.conditions import ConditionType, Reason
from winnow_operator.api.trial import Outcome, TrialStatus
from winnow_operator.domain.compressions.measured_outcomes import metric_values
from winnow_operator.domain.compressions.status import (
    CompressionSituation,
    choose_from,
    chosen_again,
    is_urgent_change,
    make_compression_status,
    not_chosen_again,
    told,
)
from winnow_operator.domain.job_conditions import JobSituation, condition_of, is_finished
from winnow_operator.domain.kinds import Kind
from winnow_operator.domain.ledger import Candidate, Ledger, TrialRecord
from winnow_operator.domain.searches.endings import Ending

T0 = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = ("baseline", "int8", "half", "half-int8")
DONE = Ending(Reason.SELECTED, "3 of 3 candidates were measured beside the baseline")


def spec(**changes: Any) -> CompressionJobSpec:
    return CompressionJobSpec.model_validate(compression_job(**changes)["spec"])


def ledger(*names: str) -> Ledger:
    made = Ledger()
    for number, name in enumerate(names or NAMES, 1):
        status = TrialStatus(
            outcome=Outcome.SUCCEEDED,
            values=metric_values(figures_of(name)),
            round=1,
        )
        candidate = Candidate(name, (), "")
        made.put(
            TrialRecord(
                number, (), 0, outcome=Outcome.SUCCEEDED, candidate=candidate, status=status
            )
        )
    return made


def name_of(number: int) -> str:
    return Kind.COMPRESSION.trial_name("small", number)


def status_of(seconds: int = 0, **facts: Any) -> CompressionJobStatus:
    given: dict[str, Any] = {
        "spec": spec(),
        "previous": CompressionJobStatus(),
        "generation": 1,
        "kind": Kind.COMPRESSION,
        "metric": "accuracy",
        "planned": 4,
        **facts,
    }
    situation = CompressionSituation(now=T0 + timedelta(seconds=seconds), **given)
    return make_compression_status(situation)


def ended(**changes: Any) -> CompressionJobStatus:
    asked = spec(**changes)
    chosen = choose_from(asked, ledger(), name_of)
    return status_of(
        spec=asked, ledger=ledger(), ending=DONE, chosen=chosen, artifacts_uri="pvc://m/small"
    )


def test_all_conditions_are_there_from_the_first_status_on() -> None:
    status = status_of()

    of_others = {ConditionType.READY, ConditionType.PROGRESSING, ConditionType.METRICS_AVAILABLE}
    assert [c.type for c in status.conditions] == [t for t in ConditionType if t not in of_others]
    goals = condition_of(status, ConditionType.GOALS_MET)
    assert goals is not None
    assert (goals.status, goals.reason) == ("False", "NotChosen")


def test_a_compression_that_has_ended_names_the_selection_and_its_figures() -> None:
    status = ended()

    assert is_finished(status)
    assert status.selected is not None
    assert (status.selected.candidate, status.selected.trial) == ("half-int8", "small-c00004")
    assert (status.selected_value, status.speedup, status.progress) == ("0.972", "4.0x", "4/4")
    assert status.baseline is not None
    assert status.baseline.candidate == "baseline"
    assert status.report == "pvc://m/small/report/1"
    assert {r.metric: r.value for r in status.selected.ratios}["latency_p95_seconds@1"] == "0.25"
    complete = condition_of(status, ConditionType.COMPLETE)
    assert complete is not None
    assert complete.message == DONE.message, "it holds whatever is chosen later"


def test_the_event_of_the_end_tells_the_choice_and_its_reason() -> None:
    chosen = choose_from(spec(), ledger(), name_of)
    assert chosen is not None

    assert told(DONE, chosen).message == f"{DONE.message}; {chosen.choice.reason}"
    assert told(DONE, None) == DONE


def test_where_nothing_meets_the_goals_the_baseline_is_kept_and_the_closest_named() -> None:
    goals = [{"metric": "accuracy", "maxDrop": "0.001"}, {"metric": "size_bytes", "max": "70000"}]
    status = ended(goals=goals)

    met = condition_of(status, ConditionType.GOALS_MET)
    assert met is not None
    assert (met.status, met.reason) == ("False", "GoalsNotMet")
    assert status.selected is not None
    assert status.selected.candidate == "baseline"
    assert status.closest is not None
    assert status.closest.candidate == "int8"


def test_without_a_measured_baseline_there_is_no_choice() -> None:
    assert choose_from(spec(), Ledger(), name_of) is None


def test_edited_goals_change_the_choice_and_nothing_else_of_the_end() -> None:
    before = ended()
    asked = spec(goals=[{"metric": "accuracy", "maxDrop": "0.006"}])
    chosen = choose_from(asked, ledger(), name_of)
    assert chosen is not None
    later = JobSituation(asked, 2, before, T0 + timedelta(hours=1))

    after = chosen_again(before, chosen, later)

    assert after.selected is not None
    assert after.selected.candidate == "int8"
    assert (after.observed_generation, after.goals_generation) == (2, 2)
    assert after.completion_time == before.completion_time
    assert {c.observed_generation for c in after.conditions} == {2}
    moved = [c.type for c in after.conditions if c.last_transition_time != "2026-01-01T00:00:00Z"]
    assert moved == []


def test_goals_that_choose_nothing_leave_the_selection() -> None:
    before = ended()
    later = JobSituation(spec(), 2, before, T0 + timedelta(hours=1))

    after = not_chosen_again(before, Reason.INVALID_GOALS, "goals contradict each other", later)

    assert after.selected == before.selected
    met = condition_of(after, ConditionType.GOALS_MET)
    assert met is not None
    assert (met.status, met.reason) == ("False", "InvalidGoals")
    assert met.last_transition_time == "2026-01-01T01:00:00Z"


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ({}, "Pending"),
        ({"started": "2026-01-01T00:00:00Z"}, "Running"),
        ({"started": "2026-01-01T00:00:00Z", "phase": Reason.MEASURING}, "Measuring"),
        ({"spec": spec(suspend=True)}, "Suspended"),
        ({"ending": DONE}, "Complete"),
    ],
)
def test_the_state_is_the_reason_that_matters_most(facts: dict[str, Any], state: str) -> None:
    assert status_of(**facts).state == state


def test_the_same_situation_later_gives_the_same_status() -> None:
    first = status_of()

    assert status_of(60, previous=first) == first


def test_a_new_round_is_written_at_once_and_one_more_pod_is_not() -> None:
    first = status_of()

    assert not is_urgent_change(first, status_of(active_pods=1))
    assert is_urgent_change(first, status_of(ledger=ledger()))
