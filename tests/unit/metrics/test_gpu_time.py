"""GPU time by the pods' own times: no second is counted twice, and none is lost while one looks on."""

from __future__ import annotations

from datetime import timedelta

from tests.support.lease_contract import SetClock
from tests.support.loop_clock import START
from tests.support.podfacts import DONE, pod_fact
from winnow_operator.domain.blockages import format_time
from winnow_operator.domain.kinds import Kind
from winnow_operator.metrics.gpu_time import GpuTime
from winnow_operator.reconcile.podbook import PodBook
from winnow_operator.reconcile.queue import Key


def at(seconds: float) -> str:
    return format_time(START + timedelta(seconds=seconds))


WAITING = pod_fact(gpus=2, phase="Pending")
RUNNING = pod_fact(gpus=2, started=at(10))
ENDED = pod_fact(gpus=2, phase="Succeeded", started=at(10), ended=at(70), termination=DONE)


def book() -> tuple[PodBook, GpuTime, SetClock]:
    watch = SetClock()
    time = GpuTime(watch)
    return PodBook(gpu_time=time), time, watch


def test_a_pod_counts_from_its_start_to_its_end_times_its_gpus() -> None:
    pods, time, watch = book()
    pods.put(WAITING)
    pods.put(RUNNING)
    watch.seconds = 30
    assert time.seconds_of_job("u1") == 40

    watch.seconds = 300  # the event comes late
    pods.put(ENDED)

    assert time.seconds_of_job("u1") == time.seconds_of(Kind.SEARCH) == 120
    assert time.seconds_of(Kind.COMPRESSION) == time.seconds_of_job("another") == 0


def test_a_pod_that_ends_between_two_looks_counts_by_its_own_times() -> None:
    pods, time, _ = book()
    pods.put(WAITING)
    pods.put(ENDED)
    pods.put(ENDED)

    assert time.seconds_of_job("u1") == 120


def test_a_pod_that_runs_when_this_replica_begins_counts_from_then_on() -> None:
    pods, time, watch = book()
    watch.seconds = 50
    pods.put(RUNNING)
    watch.seconds = 70
    pods.put(ENDED)

    assert time.seconds_of_job("u1") == 40


def test_a_pod_that_had_ended_before_was_counted_by_the_replica_before() -> None:
    pods, time, _ = book()
    pods.put(ENDED)
    pods.remove(ENDED)

    assert time.seconds_of(Kind.SEARCH) == 0


def test_a_pod_that_is_gone_without_a_last_word_counts_until_then() -> None:
    pods, time, watch = book()
    pods.put(WAITING)
    pods.put(RUNNING)
    watch.seconds = 20
    pods.confirm(Key("blue", "digits"), {RUNNING.uid}, [])
    watch.seconds = 500

    assert time.seconds_of_job("u1") == 20


def test_pods_of_a_job_that_is_forgotten_count_until_then_and_from_when_they_are_seen_again() -> (
    None
):
    pods, time, watch = book()
    pods.put(WAITING)
    pods.put(RUNNING)
    watch.seconds = 20
    pods.forget(Key("blue", "digits"))
    watch.seconds = 40
    pods.put(RUNNING)
    watch.seconds = 50

    assert time.seconds_of(Kind.SEARCH) == 20 + 20
