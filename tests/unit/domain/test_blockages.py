"""Of which pods the Events are read, and when a job that waits is looked at again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.support.facts import batch_of, pod_of
from winnow_operator.domain.blockages import (
    LAST_LOOK_SECONDS,
    LOOK_SECONDS,
    MAX_ASKED,
    next_to_ask,
    seconds_to_look,
)

BATCH = batch_of(1, range(1, 101))
PODS = [pod_of(BATCH, index, phase="Pending") for index in range(100)]


def test_pods_of_whose_trials_nothing_was_told_come_first() -> None:
    asked = next_to_ask(PODS, [BATCH], set(range(1, 90)))

    assert [pod.index for pod in asked[:11]] == list(range(89, 100))
    assert len(asked) == MAX_ASKED


@given(st.integers(0, 100))
def test_after_some_looks_something_was_told_of_every_pod(waiting: int) -> None:
    told = set[int]()

    for _ in range(-(-waiting // MAX_ASKED)):
        told |= {pod.index + 1 for pod in next_to_ask(PODS[:waiting], [BATCH], told)}

    assert told == set(range(1, waiting + 1))


def test_when_all_was_told_some_are_asked_again_since_words_may_change() -> None:
    assert len(next_to_ask(PODS, [BATCH], set(range(1, 101)))) == MAX_ASKED


@given(st.floats(0, 1e7), st.floats(0, 1e7), st.uuids().map(str))
def test_the_longer_a_job_waits_the_more_seldom_it_is_looked_at_within_limits(
    one: float, other: float, uid: str
) -> None:
    sooner, later = (seconds_to_look(waited, uid) for waited in sorted((one, other)))

    assert LOOK_SECONDS <= sooner <= later <= 1.5 * LAST_LOOK_SECONDS


def test_jobs_that_begin_to_wait_together_are_looked_at_one_after_the_other() -> None:
    uids = [f"00000000-0000-0000-0000-{number:012d}" for number in range(1000)]
    looks = [seconds_to_look(0, uid) for uid in uids]

    for tenth in range(10):
        begin = LOOK_SECONDS * (1 + tenth / 20)
        assert 50 < sum(begin <= look < begin + LOOK_SECONDS / 20 for look in looks) < 200
