"""Of which pods the Events are read: a few in one look, and in time all of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.support.facts import batch_of, pod_of
from winnow_operator.domain.blockages import MAX_ASKED, next_to_ask

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
