"""Which batches go on by themselves when their search has ended."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.facts import batch_of
from tests.support.podfacts import pod_fact
from winnow_operator.domain.batches import BatchFact
from winnow_operator.domain.pods import PodFact, Termination
from winnow_operator.reconcile.finishing import goes_on


def batch_with_two_indexes(completed: frozenset[int] = frozenset()) -> BatchFact:
    return batch_of(1, [1, 2], parallelism=2, completed=completed)


def pod(batch: BatchFact, index: int, phase: str, code: int | None = None) -> PodFact:
    ended = None if code is None else Termination(code, "", "")
    return pod_fact(
        uid=f"p{index}", batch_uid=batch.uid, index=index, phase=phase, termination=ended
    )


def test_a_batch_without_any_pod_seen_goes_on() -> None:
    assert goes_on(batch_with_two_indexes(), [])


def test_a_batch_whose_pods_have_succeeded_does_not_go_on() -> None:
    batch = batch_with_two_indexes()

    assert not goes_on(batch, [pod(batch, i, "Succeeded", 0) for i in (0, 1)])


def test_a_batch_with_a_running_pod_goes_on() -> None:
    batch = batch_with_two_indexes()

    assert goes_on(batch, [pod(batch, 0, "Succeeded", 0), pod(batch, 1, "Running")])


def test_a_batch_whose_last_pod_is_done_is_not_ended_before_that_pod_has_ended() -> None:
    batch = batch_with_two_indexes(completed=frozenset({0}))
    done = replace(pod(batch, 1, "Running", 0), containers_ended=True)

    assert not goes_on(batch, [done])


def test_an_index_that_its_job_has_counted_needs_no_pod() -> None:
    batch = batch_with_two_indexes(completed=frozenset({0}))

    assert not goes_on(batch, [pod(batch, 1, "Succeeded", 0)])


@pytest.mark.parametrize(("code", "expected"), [(1, True), (75, True), (3, False), (65, False)])
def test_a_failed_pod_may_be_started_again_unless_its_code_forbids_it(
    code: int, *, expected: bool
) -> None:
    batch = batch_with_two_indexes(completed=frozenset({0}))

    assert goes_on(batch, [pod(batch, 1, "Failed", code)]) is expected


def test_pods_of_other_batches_do_not_count() -> None:
    batch = batch_with_two_indexes()
    others = [pod_fact(uid=f"o{i}", batch_uid="other", index=i, phase="Succeeded") for i in (0, 1)]

    assert goes_on(batch, others)
