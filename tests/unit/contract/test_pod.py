"""One pod's part of the contract."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from winnow_contract.assignments import (
    Assignments,
    JobIdentity,
    ObjectiveSpec,
    TrialAssignment,
    encode_assignments,
)
from winnow_contract.exit_codes import ExitCode
from winnow_contract.manifests import Values, manifest_head, value_entries, write_manifest
from winnow_contract.pod import Pod, start_pod
from winnow_contract.program import Refused
from winnow_contract.results import PodResult, TrialResult, decode_result
from winnow_contract.stopping import ASHA, StoppingRule

JOB = JobIdentity("SearchJob", "team", "boost", "uid")


def assignments(count: int = 2) -> Assignments:
    trials = tuple(TrialAssignment(f"boost-t{n}", n, n, {"x": n}) for n in range(1, count + 1))
    return Assignments(JOB, (ObjectiveSpec("accuracy", "Maximize"),), trials, trials_per_pod=count)


def variables(tmp_path: Path, text: str | None = None) -> dict[str, str]:
    file = tmp_path / "assignments.json"
    file.write_text(encode_assignments(assignments()) if text is None else text)
    return {
        "WINNOW_ASSIGNMENTS": str(file),
        "WINNOW_TERMINATION_LOG": str(tmp_path / "log"),
        "WINNOW_ARTIFACTS": str(tmp_path / "artifacts"),
        "WINNOW_ATTEMPT": "aaaaaaaa-1111",
    }


def result(tmp_path: Path) -> PodResult:
    return decode_result((tmp_path / "log").read_text())


@pytest.fixture
def pod(tmp_path: Path) -> Pod:
    return start_pod(variables(tmp_path))


def test_results_are_written_as_they_come(tmp_path: Path, pod: Pod) -> None:
    pod.record(TrialResult(1, "Succeeded", 0.5))

    assert result(tmp_path) == PodResult("aaaaaaaa", (TrialResult(1, "Succeeded", 0.5),))
    assert [trial.number for trial in pod.unfinished] == [2]


def test_a_stop_keeps_what_is_finished(tmp_path: Path, pod: Pod) -> None:
    pod.record(TrialResult(1, "Succeeded", 0.5))
    pod.record_stopped()

    assert [trial.outcome for trial in result(tmp_path).trials] == ["Succeeded", "Stopped"]


def test_a_failure_of_the_pod_keeps_what_is_finished(tmp_path: Path, pod: Pod) -> None:
    pod.record(TrialResult(1, "Succeeded", 0.5))
    pod.fail("StorageUnavailable", "the disk is full")

    assert result(tmp_path).cause == "StorageUnavailable"
    assert [trial.number for trial in result(tmp_path).trials] == [1]


@pytest.mark.parametrize(
    ("values", "cause", "words"),
    [
        ({}, "NoObjective", "no value for objective 'accuracy'; it reported nothing"),
        ({"loss": (1.0, None)}, "NoObjective", "it reported loss"),
        ({"accuracy": (float("nan"), None)}, "NaN", "is nan, not a finite number"),
        ({"accuracy": (float("-inf"), None)}, "NaN", "is -inf, not a finite number"),
        ({"accuracy": (1e15, None)}, "NaN", "is 1e+15, not a finite number below 1e15"),
    ],
)
def test_a_trial_without_its_objective_has_failed(
    pod: Pod, values: Values, cause: str, words: str
) -> None:
    judged = pod.judge(1, values, {}, None)

    assert (judged.outcome, judged.cause) == ("Failed", cause)
    assert words in judged.message


def test_of_several_objectives_all_are_needed_and_come_first(tmp_path: Path) -> None:
    two = (ObjectiveSpec("accuracy", "Maximize"), ObjectiveSpec("size", "Minimize"))
    text = encode_assignments(replace(assignments(), objectives=two))
    pod = start_pod(variables(tmp_path, text))

    whole = pod.judge(
        1, {"loss": (2.0, None), "size": (7.0, None), "accuracy": (0.9, 0.1)}, {}, None
    )
    part = pod.judge(2, {"accuracy": (0.9, 0.1)}, {}, None)

    assert (whole.objective, list(whole.metrics), whole.kept) == (0.9, ["size", "loss"], 1)
    assert (part.outcome, part.cause) == ("Failed", "NoObjective")
    assert "no value for objective 'size'" in part.message


def test_a_metric_that_is_limited_is_needed_too(tmp_path: Path) -> None:
    text = encode_assignments(replace(assignments(), constraints=("size", "accuracy")))
    pod = start_pod(variables(tmp_path, text))

    whole = pod.judge(
        1, {"loss": (2.0, None), "size": (7.0, None), "accuracy": (0.9, 0.1)}, {}, None
    )
    part = pod.judge(2, {"accuracy": (0.9, 0.1)}, {}, None)

    assert (list(whole.metrics), whole.kept) == (["size", "loss"], 1)
    assert "no value for the constraint on 'size'" in part.message


def test_a_limited_metric_that_is_no_number_is_not_called_an_objective(tmp_path: Path) -> None:
    text = encode_assignments(replace(assignments(), constraints=("size",)))
    pod = start_pod(variables(tmp_path, text))

    judged = pod.judge(1, {"accuracy": (0.9, 0.1), "size": (float("nan"), None)}, {}, None)

    assert (judged.outcome, judged.cause) == ("Failed", "NaN")
    assert judged.message == "limited metric 'size' is nan, not a finite number below 1e15"


def commit(pod: Pod, attempt: str, trial: TrialAssignment, accuracy: float) -> str:
    assert pod.environment.artifacts is not None
    folder = pod.environment.artifacts / trial.name / attempt
    folder.mkdir(parents=True)
    (folder / "weights").write_text(attempt)
    entries = [
        *value_entries("validation", {"accuracy": (accuracy, 0.1)}),
        *value_entries("test", {"accuracy": (0.25, 0.2)}),
    ]
    head = manifest_head(JOB, trial, attempt)
    return write_manifest(folder, {**head, "values": entries, "metrics": {"size": 3}}).digest


def test_what_an_earlier_attempt_committed_is_repeated(pod: Pod) -> None:
    digest = commit(pod, "bbbbbbbb", pod.trials[0], 0.5)

    repeated = pod.repeat(pod.trials[0])

    assert repeated is not None
    assert (repeated.objective, repeated.standard_error) == (0.5, 0.1)
    assert (repeated.test, repeated.test_standard_error) == (0.25, 0.2)
    assert (repeated.digest, repeated.attempt) == (digest, "bbbbbbbb")
    assert repeated.metrics == {"size": 3}


def test_half_an_artifact_is_not_repeated(pod: Pod) -> None:
    assert pod.environment.artifacts is not None
    commit(pod, "bbbbbbbb", pod.trials[0], 0.5)
    (pod.environment.artifacts / "boost-t1/bbbbbbbb/weights").write_text("damaged")

    assert pod.repeat(pod.trials[0]) is None


def test_an_artifact_of_another_assignment_is_not_repeated(pod: Pod) -> None:
    other = TrialAssignment("boost-t1", 1, 1, {"x": 9})
    commit(pod, "bbbbbbbb", other, 0.5)

    assert pod.repeat(pod.trials[0]) is None


@pytest.mark.parametrize(
    ("changes", "text", "code", "words"),
    [
        ({}, "{}", ExitCode.CONTRACT, "contract version None, this image speaks 1"),
        ({}, '{"contractVersion": 2}', ExitCode.CONTRACT, "speaks contract version 2"),
        ({}, '{"contractVersion": 1}', ExitCode.PERMANENT, "'job' of the assignment file"),
        ({}, "", ExitCode.PERMANENT, "is not JSON"),
        ({"JOB_COMPLETION_INDEX": "1"}, None, ExitCode.PERMANENT, "index 1 has no trials"),
        ({"WINNOW_ASSIGNMENTS": "/none"}, None, ExitCode.PERMANENT, "/none cannot be read"),
        ({"WINNOW_METRICS_PORT": "x"}, None, ExitCode.PERMANENT, "WINNOW_METRICS_PORT is 'x'"),
        ({"WINNOW_ATTEMPT": "../.."}, None, ExitCode.PERMANENT, "WINNOW_ATTEMPT starts with"),
    ],
)
def test_a_pod_that_cannot_start_says_why_in_its_result(
    tmp_path: Path, changes: dict[str, str], text: str | None, code: ExitCode, words: str
) -> None:
    with pytest.raises(Refused) as refusal:
        start_pod({**variables(tmp_path, text), **changes})

    assert refusal.value.code is code
    assert words in result(tmp_path).message
    assert result(tmp_path).job_fault
    assert result(tmp_path).trials == ()


def test_a_stop_writes_the_rungs_that_were_reached_so_far(tmp_path: Path) -> None:
    rule = StoppingRule(ASHA, minimum=1, eta=3)
    text = encode_assignments(replace(assignments(1), early_stopping=rule))
    pod = start_pod(variables(tmp_path, text))
    pod.rungs.reach(1, 4, 0.5)

    pod.record_stopped()

    (trial,) = result(tmp_path).trials
    assert (trial.outcome, dict(trial.rungs)) == ("Stopped", {1: 0.5, 3: 0.5})
    assert pod.series_labels == {"job_uid": "uid", "attempt": "aaaaaaaa"}
