"""What is read off the Job of a batch."""

from __future__ import annotations

from typing import Any

import pytest

from winnow_operator.domain.batches import BatchFact, read_batch
from winnow_operator.domain.kinds import batch_number


def _job(**changes: Any) -> dict[str, Any]:
    annotations = {
        "winnow.dev/trials": "9,7-8,20",
        "winnow.dev/trials-per-pod": "3",
        "winnow.dev/previous-attempts": "7:2,20:1",
    }
    template = {"metadata": {"annotations": changes.pop("annotations", annotations)}}
    return {
        "metadata": {"name": "digits-b0012", "uid": "u", **changes.pop("metadata", {})},
        "spec": {"parallelism": 2, "template": template, **changes.pop("spec", {})},
        "status": changes,
    }


def _read(**changes: Any) -> BatchFact:
    batch = read_batch(_job(**changes))
    assert batch is not None
    return batch


def test_an_index_runs_its_group_of_trials_in_the_order_of_the_text() -> None:
    batch = _read()

    assert (batch.number, list(batch.indexes)) == (12, [0, 1])
    assert (batch.trials_of(0), batch.trials_of(1), batch.trials_of(2)) == ((9, 7, 8), (20,), ())
    assert batch.previous_attempts == {7: 2, 20: 1}


def test_indexes_that_the_job_has_counted_are_not_open() -> None:
    batch = _read(completedIndexes="0", failedIndexes="")

    assert (batch.completed, batch.failed) == (frozenset({0}), frozenset())
    assert batch.open_indexes() == [1]


@pytest.mark.parametrize(
    ("changes", "live"),
    [
        ({}, True),
        ({"conditions": [{"type": "Complete", "status": "True"}]}, False),
        ({"conditions": [{"type": "Failed", "status": "True"}]}, False),
        ({"conditions": [{"type": "FailureTarget", "status": "True"}]}, True),
        ({"conditions": [{"type": "Complete", "status": "False"}]}, True),
        ({"metadata": {"deletionTimestamp": "x"}}, False),
    ],
)
def test_a_batch_is_live_until_its_job_is_over(changes: dict[str, Any], *, live: bool) -> None:
    assert _read(**changes).is_live is live


def test_a_job_with_a_queue_belongs_to_kueue() -> None:
    metadata = {"labels": {"kueue.x-k8s.io/queue-name": "gpus"}}

    assert _read(metadata=metadata, spec={"suspend": True}).queued
    assert not _read().queued


def test_a_job_that_the_operator_did_not_make_is_no_batch() -> None:
    assert read_batch(_job(annotations={})) is None


@pytest.mark.parametrize(
    ("name", "number"), [("digits-b0003", 3), ("a-b-b10000", 10_000), ("digits", 0), ("x-by", 0)]
)
def test_a_batch_has_the_number_of_its_name(name: str, number: int) -> None:
    assert batch_number(name) == number
