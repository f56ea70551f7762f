"""Series of single jobs and servers: what they say, and that their number has a limit."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.lease_contract import SetClock
from tests.support.loop_clock import START
from tests.support.objectfigures import JOB, SERVER
from winnow_operator.domain.figures import Identity
from winnow_operator.domain.kinds import Kind
from winnow_operator.metrics.objects import KEPT_SECONDS, ObjectSeries


def samples(series: ObjectSeries, name: str) -> dict[tuple[str, ...], float]:
    """Values by their labels, in the order of the labels' names, which is that of the page."""
    registry = CollectorRegistry()
    registry.register(series)
    found = text_string_to_metric_families(generate_latest(registry).decode())
    return {tuple(s.labels.values()): s.value for f in found for s in f.samples if s.name == name}


def series(limit: int = 10) -> tuple[ObjectSeries, SetClock]:
    watch = SetClock()
    return ObjectSeries(limit=limit, clock=watch), watch


def test_a_job_shows_its_state_its_trials_and_its_best_value() -> None:
    shown, _ = series()
    shown.note(JOB)

    who = ("searchjob", "digits", "team", "u1")
    assert samples(shown, "winnow_job_state") == {(*who, "Running"): 1}
    assert samples(shown, "winnow_job_trials")[*who, "Succeeded"] == 5
    assert samples(shown, "winnow_job_best_value") == {(*who, "accuracy"): 0.99}
    assert samples(shown, "winnow_job_completion_timestamp_seconds") == {}


def test_a_server_shows_its_state_and_its_pods() -> None:
    shown, _ = series()
    shown.note(SERVER)

    assert samples(shown, "winnow_modelserver_state") == {("digits", "team", "s1", "Canary"): 1}
    assert samples(shown, "winnow_modelserver_ready_pods") == {("digits", "team", "s1"): 1}
    assert samples(shown, "winnow_modelserver_canary_weight_ratio") == {
        ("digits", "team", "s1"): 0.25
    }


def test_a_second_job_of_the_same_name_takes_the_place_of_the_first_under_its_own_uid() -> None:
    shown, _ = series()
    shown.note(JOB)
    shown.note(replace(JOB, identity=replace(JOB.identity, uid="u2"), best=()))

    assert {labels[3] for labels in samples(shown, "winnow_job_state")} == {"u2"}
    assert samples(shown, "winnow_job_best_value") == {}


def test_a_job_that_has_ended_stays_for_a_while_and_never_takes_the_place_of_another() -> None:
    shown, watch = series()
    shown.note(replace(JOB, state="Complete", ended=START.timestamp()))
    watch.seconds = KEPT_SECONDS - 1
    assert samples(shown, "winnow_job_state")
    full, _ = series(limit=1)
    full.note(SERVER)
    full.note(replace(JOB, ended=START.timestamp()))
    assert samples(full, "winnow_job_state") == {}
    assert samples(full, "winnow_objects_without_series") == {(): 0}

    watch.seconds = KEPT_SECONDS + 1

    assert samples(shown, "winnow_job_state") == {}


def test_an_object_that_is_gone_leaves_no_series() -> None:
    shown, _ = series()
    shown.note(JOB)
    shown.forget(Kind.SEARCH, "team", "digits")

    assert samples(shown, "winnow_job_state") == {}


def test_beyond_the_limit_the_jobs_that_came_last_are_counted_until_another_has_ended() -> None:
    shown, _ = series(limit=2)
    first, second, third = (
        replace(JOB, identity=Identity(Kind.SEARCH, "team", name, name)) for name in "abc"
    )
    for job in (first, second, third):
        shown.note(job)
    assert {labels[1] for labels in samples(shown, "winnow_job_state")} == {"a", "b"}
    assert samples(shown, "winnow_objects_without_series") == {(): 1}

    shown.note(replace(first, ended=START.timestamp()))
    shown.note(third)

    assert {labels[1] for labels in samples(shown, "winnow_job_state")} == {"b", "c"}
    assert samples(shown, "winnow_objects_without_series") == {(): 0}


@given(st.integers(0, 3), st.lists(st.tuples(st.sampled_from("abcde"), st.booleans())))
def test_the_number_of_objects_shown_never_passes_the_limit(
    limit: int, steps: list[tuple[str, bool]]
) -> None:
    shown, _ = series(limit=limit)
    alive = set()
    for name, is_there in steps:
        identity = Identity(Kind.SEARCH, "team", name, name)
        if is_there:
            shown.note(replace(JOB, identity=identity))
            alive.add(name)
        else:
            shown.forget(Kind.SEARCH, "team", name)
            alive.discard(name)

    visible = {labels[1] for labels in samples(shown, "winnow_job_state")}
    assert len(visible) <= limit
    assert visible <= alive
    assert samples(shown, "winnow_objects_without_series") == {(): len(alive - visible)}
