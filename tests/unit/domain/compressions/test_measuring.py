"""What a measurement Job and its pods mean."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.compressionjobs import figures_of
from tests.support.podfacts import pod_fact
from winnow_contract.measuring.measured import MeasuredCandidate, MeasurementResult, encode_measured
from winnow_operator.api.conditions import Reason
from winnow_operator.domain.compressions.measuring import (
    Lost,
    MeasurementFact,
    covers,
    find_measured,
    read_measurement,
)
from winnow_operator.domain.pods import PodFact, Termination
from winnow_operator.domain.searches.endings import Ending

RESULT = MeasurementResult("0a1b2c3d", (MeasuredCandidate(1, "Succeeded", figures_of("baseline")),))
GOOD = encode_measured(RESULT)
BAD = encode_measured(MeasurementResult("0a1b2c3d", (), "BadArtifact", "it is torn"))


def job(*, finished: bool = False) -> MeasurementFact:
    return MeasurementFact(
        name="small-m0001",
        uid="m1",
        number=1,
        finished=finished,
        deleting=False,
        suspended=False,
        ttl=None,
        created="2026-01-01T00:00:00Z",
    )


def pod(code: int | None, message: str = "", reason: str = "Error", **changes: Any) -> PodFact:
    ended = None if code is None else Termination(code, reason, message)
    phase = "Succeeded" if code == 0 else "Failed"
    fields = {"batch_uid": "m1", "phase": phase, "termination": ended, **changes}
    return pod_fact(component="measurement", **fields)


def test_a_result_counts_from_the_pod_before_its_job_has_counted_it() -> None:
    assert find_measured(job(), [pod(0, GOOD)]) == RESULT


def test_a_result_counts_although_a_pod_before_it_has_crashed() -> None:
    assert find_measured(job(), [pod(1, "boom"), pod(0, GOOD, attempt=2)]) == RESULT


def test_pods_of_another_job_do_not_count() -> None:
    assert find_measured(job(), [pod(0, GOOD, batch_uid="other")]) is None


@pytest.mark.parametrize(
    ("ended", "reason", "words"),
    [
        (pod(64, "speaks version 7"), Reason.CONTRACT_MISMATCH, "speaks version 7"),
        (pod(65, BAD), Reason.MEASUREMENT_FAILED, "BadArtifact: it is torn"),
        (pod(65, "no such file"), Reason.MEASUREMENT_FAILED, "no such file"),
        (pod(0, "hello"), Reason.MEASUREMENT_FAILED, "gave no result that can be read"),
        (pod(0, BAD), Reason.MEASUREMENT_FAILED, "BadArtifact"),
    ],
    ids=["contract", "permanent", "permanent without result", "unreadable", "only a cause"],
)
def test_some_endings_fail_the_job_at_once(ended: PodFact, reason: Reason, words: str) -> None:
    found = find_measured(job(), [ended])

    assert isinstance(found, Ending)
    assert (found.reason, found.failed) == (reason, True)
    assert words in found.message


@pytest.mark.parametrize(
    ("ended", "words"),
    [
        (pod(1, "boom"), "ended with code 1: boom"),
        (pod(137, reason="OOMKilled"), "OOMKilled"),
        (pod(137), "ended with code 137"),
    ],
)
def test_a_crash_counts_once_the_job_tries_no_more(ended: PodFact, words: str) -> None:
    assert find_measured(job(), [ended]) is None

    found = find_measured(job(finished=True), [ended])

    assert isinstance(found, Ending)
    assert words in found.message


@pytest.mark.parametrize(
    "pods",
    [
        [],
        [pod(None)],
        [pod(3, BAD)],
        [pod(143, disrupted=True)],
        [pod(137, deleting=True)],
    ],
    ids=["no pod", "lost node", "stopped", "disrupted", "deleted"],
)
def test_what_is_nobodys_fault_is_measured_again(pods: list[PodFact]) -> None:
    assert find_measured(job(), pods) is None
    assert find_measured(job(finished=True), pods) == Lost()


def test_a_result_covers_the_candidates_that_wait_only_if_it_names_them_all() -> None:
    assert covers(RESULT, [1])
    assert not covers(RESULT, [1, 2])


def test_only_the_jobs_that_measure_are_read_as_such() -> None:
    metadata = {
        "name": "small-m0002",
        "uid": "u",
        "labels": {"app.kubernetes.io/component": "measurement"},
    }
    batch = {"name": "small-k0001", "labels": {"app.kubernetes.io/component": "trial"}}

    found = read_measurement({"metadata": metadata, "spec": {}})

    assert found is not None
    assert (found.number, found.is_live) == (2, True)
    assert read_measurement({"metadata": batch, "spec": {}}) is None
