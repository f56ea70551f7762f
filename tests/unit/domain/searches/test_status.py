"""The status of a SearchJob: conditions, progress, and time that stands still while suspended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.facts import ledger_of, record_of, spec_of
from winnow_operator.api.conditions import ConditionType, Reason
from winnow_operator.api.searchjob import SearchJobStatus, Winner
from winnow_operator.api.trial import Outcome
from winnow_operator.domain.blockages import format_time, parse_time
from winnow_operator.domain.job_conditions import (
    condition_of,
    elapsed_seconds,
    holds,
    is_finished,
    suspended_seconds,
)
from winnow_operator.domain.ledger import Ledger
from winnow_operator.domain.pods import Blockage
from winnow_operator.domain.searches.endings import Ending
from winnow_operator.domain.searches.metrics_condition import Listening
from winnow_operator.domain.searches.status import Situation, is_urgent, make_status
from winnow_operator.domain.searches.trial_metrics import Best, Heard

T0 = datetime(2026, 1, 1, tzinfo=UTC)
RUNNING, SUSPENDED = spec_of(), spec_of({"suspend": True})
WELL = Ending(Reason.BUDGET_SPENT, "all 10 trials have an outcome")
OF_OTHERS = {ConditionType.GOALS_MET, ConditionType.READY, ConditionType.PROGRESSING}
OF_A_SEARCH = [kind for kind in ConditionType if kind not in OF_OTHERS]
BADLY = Ending(Reason.TOO_MANY_FAILURES, "4 trials failed", failed=True)


def _status(
    seconds: int = 0, previous: SearchJobStatus | None = None, **facts: Any
) -> SearchJobStatus:
    previous = previous or SearchJobStatus()
    defaults: dict[str, Any] = {
        "spec": RUNNING,
        "name": "digits",
        "generation": 1,
        "started": previous.start_time,
        "planned": 10,
    }
    now = T0 + timedelta(seconds=seconds)
    return make_status(Situation(previous=previous, now=now, **{**defaults, **facts}))


def _true(status: SearchJobStatus) -> set[str]:
    return {c.type for c in status.conditions if c.status == "True"}


@pytest.mark.parametrize(
    ("facts", "state", "true"),
    [
        ({}, "Pending", {"Reconciling"}),
        ({"started": format_time(T0)}, "Running", {"Reconciling"}),
        ({"blockage": Blockage(Reason.IMAGE_PULL, "no")}, "ImagePull", {"Reconciling"}),
        ({"spec": SUSPENDED}, "Suspended", {"Suspended"}),
        ({"ending": WELL}, "Complete", {"Complete"}),
        ({"ending": BADLY}, "Failed", {"Failed", "Stalled"}),
        ({"ending": BADLY, "spec": SUSPENDED}, "Failed", {"Failed", "Stalled", "Suspended"}),
        (
            {"degraded": Blockage(Reason.TEMPLATE_EDITED, "edited"), "started": "x"},
            "Running",
            {"Reconciling", "Degraded"},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_state_and_the_conditions_that_hold(
    facts: dict[str, Any], state: str, true: set[str]
) -> None:
    status = _status(**facts)

    assert status.state == state
    assert _true(status) == true
    assert is_finished(status) is bool(facts.get("ending"))
    assert [c.type for c in status.conditions] == OF_A_SEARCH
    assert {c.observed_generation for c in status.conditions} == {1}
    assert all(c.reason for c in status.conditions)


def test_a_transition_time_moves_only_when_the_condition_flips() -> None:
    first = _status(0)
    later = _status(60, first, started=format_time(T0), blockage=Blockage(Reason.IMAGE_PULL, "no"))
    ended = _status(90, later, ending=WELL)

    for kind in OF_A_SEARCH:
        before, after = condition_of(first, kind), condition_of(later, kind)
        assert before is not None
        assert after is not None
        assert before.last_transition_time == after.last_transition_time == "2026-01-01T00:00:00Z"
    moved = {c.type for c in ended.conditions if c.last_transition_time == "2026-01-01T00:01:30Z"}
    assert moved == {ConditionType.COMPLETE, ConditionType.RECONCILING}


def test_the_same_situation_a_minute_later_gives_the_same_status() -> None:
    first = _status(0, started=format_time(T0))

    assert _status(60, first) == first


def test_a_long_message_is_cut_to_what_a_condition_may_hold() -> None:
    status = _status(blockage=Blockage(Reason.UNSCHEDULABLE, "x" * 5000))

    condition = condition_of(status, ConditionType.RECONCILING)
    assert condition is not None
    assert len(condition.message) == 1024


def test_counts_progress_and_best_value_come_from_the_ledger() -> None:
    ledger = ledger_of(
        record_of(1, Outcome.SUCCEEDED, score=-0.5),
        record_of(2, Outcome.SUCCEEDED, score=-0.00001),
        record_of(3, Outcome.FAILED),
        record_of(4, Outcome.STOPPED, score=-0.9),
        record_of(5),
    )

    status = _status(ledger=ledger, active_pods=1)

    counts = status.trials
    assert (counts.total, counts.active, counts.succeeded) == (5, 1, 2)
    assert (counts.failed, counts.stopped) == (1, 1)
    assert status.progress == "4/10"
    assert status.best_value == "0.5"
    assert (status.metric, status.active_pods) == ("accuracy", 1)


def test_progress_never_shows_more_trials_than_it_plans() -> None:
    ledger = ledger_of(*(record_of(n, Outcome.FAILED) for n in range(1, 6)))

    assert _status(ledger=ledger, planned=3).progress == "5/5"


@pytest.mark.parametrize(("ending", "reason"), [(WELL, "NarrowMargin"), (None, "AsExpected")])
def test_a_narrow_margin_degrades_the_job_once_it_has_ended(
    ending: Ending | None, reason: str
) -> None:
    status = _status(ending=ending, winner=Winner(trial="digits-t00001", warning="too close"))

    condition = condition_of(status, ConditionType.DEGRADED)
    assert condition is not None
    assert condition.reason == reason


def test_time_stands_still_while_suspended_and_goes_on_afterwards() -> None:
    started = format_time(T0)
    running = _status(0, started=started)
    asleep = _status(100, running, spec=SUSPENDED)

    def elapsed(seconds: int, status: SearchJobStatus, spec: Any) -> float:
        now = T0 + timedelta(seconds=seconds)
        return elapsed_seconds(status, spec=spec, started=started, now=now)

    assert elapsed(100, running, SUSPENDED) == 100  # the status does not say so yet
    assert elapsed(400, asleep, SUSPENDED) == 100
    assert elapsed(500, asleep, RUNNING) == 100  # resumed just now
    awake = _status(500, asleep)
    assert awake.suspended_seconds == 400
    assert elapsed(530, awake, RUNNING) == 130
    assert holds(awake, ConditionType.SUSPENDED) is False


def test_a_job_that_was_never_started_has_no_time_elapsed_nor_suspended() -> None:
    asleep = _status(0, spec=SUSPENDED)
    awake = _status(1000, asleep)

    assert awake.suspended_seconds == 0
    assert elapsed_seconds(awake, spec=RUNNING, started=None, now=T0) == 0


@given(st.lists(st.tuples(st.integers(0, 500), st.booleans()), max_size=12))
def test_elapsed_and_suspended_time_add_up(moves: list[tuple[int, bool]]) -> None:
    started, now, status = format_time(T0), 0, _status(0, started=format_time(T0))
    asleep = awake = 0
    suspended = False
    for wait, suspend in moves:
        now += wait
        asleep, awake = (asleep + wait, awake) if suspended else (asleep, awake + wait)
        suspended = suspend
        spec = SUSPENDED if suspend else RUNNING
        moment = T0 + timedelta(seconds=now)
        assert elapsed_seconds(status, spec=spec, started=started, now=moment) == awake
        status = _status(now, status, spec=spec)
        if not suspended:
            assert status.suspended_seconds == asleep


def test_suspended_seconds_count_from_the_first_batch() -> None:
    asleep = _status(0, spec=SUSPENDED)
    started = asleep.model_copy(update={"start_time": format_time(T0 + timedelta(seconds=50))})

    now = T0 + timedelta(seconds=80)
    assert suspended_seconds(started, spec=RUNNING, now=now) == 30


@pytest.mark.parametrize(
    ("change", "urgent"),
    [
        ({"ledger": ledger_of(record_of(1))}, False),
        ({"active_pods": 3}, False),
        ({"blockage": Blockage(Reason.IMAGE_PULL, "no")}, True),
        ({"generation": 2}, True),
        ({"ending": WELL}, True),
        ({"image": "x@sha256:1"}, True),
        ({"started": "2026-01-01T00:00:09Z"}, True),
    ],
    ids=["trials", "pods", "blockage", "generation", "ending", "image", "start"],
)
def test_what_cannot_wait_for_the_next_progress_write(
    change: dict[str, Any], *, urgent: bool
) -> None:
    first = _status(0, started=format_time(T0), ledger=Ledger())

    assert is_urgent(first, _status(1, first, **change)) is urgent


@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(2000, 1, 1)))  # noqa: DTZ001
def test_times_are_written_in_whole_seconds_and_read_back(moment: datetime) -> None:
    text = format_time(moment)

    assert text.endswith("Z")
    assert parse_time(text) == moment.replace(microsecond=0)


HEARD = Heard(is_scraped=True, best=Best("digits-t00002", 0.875, 7))


def test_the_best_of_those_that_run_is_shown_as_long_as_it_runs() -> None:
    running = ledger_of(record_of(1, Outcome.SUCCEEDED, score=-0.5), record_of(2))
    over = ledger_of(record_of(1), record_of(2, Outcome.STOPPED))
    listening = Listening(is_configured=True, heard=HEARD)

    live = _status(ledger=running, listening=listening).live
    assert live is not None
    assert (live.trial, live.value, live.step) == ("digits-t00002", "0.875", 7)
    assert _status(ledger=over, listening=listening).live is None
    assert _status(ledger=running, listening=listening, ending=WELL).live is None
    assert _status(ledger=running).live is None


def test_a_better_value_of_what_runs_can_wait_and_a_metric_that_is_lost_cannot() -> None:
    ledger = ledger_of(record_of(2))
    before = _status(ledger=ledger, listening=Listening(is_configured=True, heard=HEARD))
    better = Heard(is_scraped=True, best=Best("digits-t00002", 0.9, 8))
    lost = Heard(problem="Prometheus does not answer: refused")

    later = _status(1, before, ledger=ledger, listening=Listening(is_configured=True, heard=better))
    assert later != before
    assert not is_urgent(before, later)
    later = _status(1, before, ledger=ledger, listening=Listening(is_configured=True, heard=lost))
    assert is_urgent(before, later)


def test_what_was_let_go_on_is_remembered_of_active_trials_alone() -> None:
    ledger = ledger_of(*(record_of(n) for n in (2, 3, 5)), record_of(4, Outcome.STOPPED))
    passed = {2: 3, 3: 3, 4: 9, 5: 9}

    shown = [(entry.rung, entry.passed) for entry in _status(ledger=ledger, passed=passed).rungs]

    assert shown == [(3, "2-3"), (9, "5")]
    assert _status(ledger=ledger, passed=passed, ending=WELL).rungs == ()


@pytest.mark.parametrize("name", ["others-t00002", "digits-c00002", "digits-t2", "2", "t00002"])
def test_a_trial_of_another_name_is_not_shown_as_the_best_of_those_that_run(name: str) -> None:
    running = ledger_of(record_of(1, Outcome.SUCCEEDED, score=-0.5), record_of(2))
    heard = Heard(is_scraped=True, best=Best(name, 0.875, 7))

    assert _status(ledger=running, listening=Listening(True, heard)).live is None
