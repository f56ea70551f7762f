"""`python -m winnow_trainer` as a pod runs it: files and signals in, log, result and code out."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.chart import ROOT
from tests.support.trainer_process import TrialPod
from tests.support.trainings import assignment_document
from winnow_contract.exit_codes import ExitCode
from winnow_contract.manifests import read_artifact

WINE = {"uri": "builtin://wine"}
SOUND = {
    "epochs": "20",
    "norm": "batch",
    "dropout": "0.2",
    "label_smoothing": "0.1",
    "schedule": "cosine",
}
"""What an experienced person would set for a small table, and leave alone."""
ENDLESS = {"epochs": 1_000_000}


def test_digits_are_learnt_well_and_a_second_run_gives_the_same_bytes(tmp_path: Path) -> None:
    document = assignment_document({"learning_rate": 0.01, "width": 128}, settings=SOUND)
    pods = [TrialPod(tmp_path / name, document) for name in ("one", "other")]

    first, second = (pod.run() for pod in pods)

    assert (first.code, second.code) == (ExitCode.OK, ExitCode.OK)
    (trial,), (again,) = first.result.trials, second.result.trials
    assert trial.objective is not None
    assert trial.test is not None
    assert trial.objective > 0.97
    assert trial.test > 0.97
    assert (trial.objective, trial.test) == (again.objective, again.test)
    weights = [pod.artifacts / "digits-t00001/aaaaaaaa/model.safetensors" for pod in pods]
    assert weights[0].read_bytes() == weights[1].read_bytes()
    assert first.lines[0] == (
        "builtin://digits: 1797 rows, 1079 to train on, 359 to compare by, 359 to test"
    )
    assert first.lines[-2].startswith("trial digits-t00001 epoch 20/20 loss ")
    assert first.lines[-1].startswith("trial digits-t00001 Succeeded accuracy 0.9")


def test_images_are_learnt_by_convolutions(tmp_path: Path) -> None:
    settings = {"epochs": "3", "width": "8", "batch_size": "32", "schedule": "onecycle"}
    document = assignment_document(
        {"learning_rate": 0.01}, family="CNN", settings=settings, data={"uri": "builtin://mnist5k"}
    )

    ended = TrialPod(tmp_path, document).run()

    assert ended.code == ExitCode.OK
    assert (ended.result.trials[0].test or 0) > 0.95


def test_values_are_learnt(tmp_path: Path) -> None:
    settings = {"epochs": "30", "width": "32", "dropout": "0.2", "schedule": "cosine"}
    document = assignment_document(
        {"learning_rate": 0.005},
        settings=settings,
        data={"uri": "builtin://diabetes"},
        objective="r2",
    )

    ended = TrialPod(tmp_path, document).run()

    (trial,) = ended.result.trials
    assert trial.test is not None
    assert trial.test > 0.35  # linear regression has 0.40 on this split
    assert set(trial.metrics) >= {"rmse", "mae", "parameters", "peak_memory_bytes"}


def test_a_stop_keeps_what_is_finished_and_a_new_pod_repeats_it_at_once(tmp_path: Path) -> None:
    document = assignment_document({"epochs": 2}, ENDLESS, {}, data=WINE)
    pod = TrialPod(tmp_path, document)
    process = pod.start()
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("trial digits-t00002 epoch"):
            break
    process.send_signal(signal.SIGTERM)

    ended = pod.wait(process)

    assert ended.code == ExitCode.STOPPED
    assert [t.outcome for t in ended.result.trials] == ["Succeeded", "Stopped", "Stopped"]
    assert ended.lines[-1] == "stopped on SIGTERM: 2 of 3 trials have no result"
    done = assignment_document({"epochs": 2}, data=WINE)
    repeated = TrialPod(tmp_path, done).run(attempt="bbbbbbbb")
    assert repeated.lines == ["trial digits-t00001 Succeeded, committed by attempt aaaaaaaa"]
    (before, *_), (after,) = ended.result.trials, repeated.result.trials
    assert (after.objective, after.digest, after.attempt) == (
        before.objective,
        before.digest,
        "aaaaaaaa",
    )


def test_prometheus_sees_the_running_trial(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("", 0))
        port = probe.getsockname()[1]
    pod = TrialPod(tmp_path, assignment_document(ENDLESS, data=WINE))
    process = pod.start(WINNOW_METRICS_PORT=str(port))
    assert process.stdout is not None
    next(line for line in process.stdout if line.startswith("trial digits-t00001 epoch"))

    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        families = {f.name: f for f in text_string_to_metric_families(answer.read().decode())}
    process.send_signal(signal.SIGTERM)
    pod.wait(process)

    assert {name: family.documentation for name, family in families.items()} == {
        "winnow_trial_info": "What the trial belongs to; always 1.",
        "winnow_trial_metric": "Latest value of a metric of a running trial.",
        "winnow_trial_rung_timestamp_seconds": "When a running trial reached a rung.",
        "winnow_trial_rung_value": "Objective of a running trial when it reached a rung.",
        "winnow_trial_step": "Latest step (epoch) of a running trial.",
    }
    (info,) = families["winnow_trial_info"].samples
    assert info.labels == {
        "trial": "digits-t00001",
        "searchjob": "digits",
        "job_uid": "uid",
        "attempt": "aaaaaaaa",
    }
    metrics = families["winnow_trial_metric"].samples
    assert {s.labels["metric"] for s in metrics} == {"accuracy", "train_loss"}
    (step,) = families["winnow_trial_step"].samples
    assert step.value >= 1


def table(pod: TrialPod, content: str) -> None:
    (pod.claims / "tables").mkdir()
    (pod.claims / "tables/t.csv").write_text(content)


@pytest.mark.parametrize(
    ("content", "changes", "words"),
    [
        ("a,b\n1,2\n", {}, "data.target 'label' is no column of t.csv, columns: a, b"),
        ("a,label\n1,x\n", {"settings": {"epoch": "3"}}, "family MLP has no setting 'epoch'"),
        ("a,label\n1,x\ntwo,y\n", {}, "holds text where a number belongs: 'two' in row 2"),
    ],
)
def test_what_is_wrong_for_all_trials_ends_the_job_with_a_sentence(
    tmp_path: Path, content: str, changes: dict[str, Any], words: str
) -> None:
    data = {"uri": "pvc://tables/t.csv", "target": "label"}
    pod = TrialPod(tmp_path, assignment_document({}, data=data, **changes))
    table(pod, content)

    ended = pod.run()

    assert ended.code == ExitCode.PERMANENT
    assert ended.result.job_fault
    assert words in ended.result.message
    assert ended.lines == [f"cannot train: {ended.lines[0].removeprefix('cannot train: ')}"]


def test_an_operator_of_another_time_is_told_both_versions(tmp_path: Path) -> None:
    ended = TrialPod(tmp_path, assignment_document({}, contractVersion=7)).run()

    assert ended.code == ExitCode.CONTRACT
    assert ended.result.cause == "ContractVersion"
    assert "contract version 7, this image speaks 1" in ended.result.message


def test_a_result_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    pod = TrialPod(tmp_path, assignment_document({}, contractVersion=7))

    ended = pod.run(WINNOW_TERMINATION_LOG=str(tmp_path / "none/log"))

    assert ended.code == ExitCode.TEMPORARY
    assert ended.lines[0].startswith("the result cannot be written: [Errno 2]")


def test_a_full_disk_is_tried_again_and_leaves_no_half_artifact(tmp_path: Path) -> None:
    pod = TrialPod(tmp_path, assignment_document({"epochs": 1, "width": 512}, data=WINE))
    pod.artifacts.mkdir()
    # A small disk in a mount namespace of its own, which vanishes with the process.
    script = 'mount -t tmpfs -o size=256k none "$0" && "$@"; code=$?; ls -A "$0"/*; exit $code'
    namespace = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]

    ended = pod.run(wrapper=[*namespace, "sh", "-c", script, str(pod.artifacts)])

    assert ended.code == ExitCode.TEMPORARY, ended.log
    assert ended.result.cause == "StorageUnavailable"
    assert "cannot be written: No space left on device" in ended.result.message
    assert not ended.result.job_fault
    assert ".safetensors" not in ended.log.splitlines()[-1]


def test_a_folder_that_cannot_be_written_is_found_out_before_the_training(tmp_path: Path) -> None:
    pod = TrialPod(tmp_path, assignment_document({}, data=WINE))
    pod.artifacts.mkdir(mode=0o555)
    # Root writes everywhere unless it gives that right away.
    humble = ["setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override"]

    ended = pod.run(wrapper=humble if os.geteuid() == 0 else [])

    assert ended.code == ExitCode.PERMANENT, ended.log
    assert ended.result.cause == "StorageDenied"
    assert ended.result.job_fault
    assert "cannot be used: Permission denied; trials run as user" in ended.result.message
    assert len(ended.lines) == 1


WRITER = """
import os
import sys
from pathlib import Path
from winnow_contract.files import write_file
from winnow_contract.manifests import write_manifest
folder = Path(sys.argv[1])
for attempt in range(10_000):
    for name in ("model.safetensors", "model.json"):
        write_file(folder / str(attempt) / name, os.urandom(200_000))
    write_manifest(folder / str(attempt), {"contractVersion": 1})
    print(attempt, flush=True)
"""


def test_a_kill_at_any_moment_leaves_no_manifest_of_half_an_artifact(tmp_path: Path) -> None:
    whole = 0
    for kills in range(6):
        folder = tmp_path / str(kills)
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(folder)],
            stdout=subprocess.PIPE,
            env={"PYTHONPATH": str(ROOT / "trainer")},
            text=True,
        )
        assert process.stdout is not None
        for _ in range(kills + 1):
            next(process.stdout)
        process.kill()
        process.communicate()
        for attempt in folder.iterdir():
            if (attempt / "manifest.json").exists():
                read_artifact(attempt)  # refuses what is not whole
                whole += 1

    assert whole >= 1 + 2 + 3 + 4 + 5 + 6


def test_a_crash_is_named_beside_what_is_finished(tmp_path: Path) -> None:
    pod = TrialPod(tmp_path, assignment_document({}, data=WINE))
    # numpy is one of the things without which nothing can be trained.
    (tmp_path / "numpy.py").write_text("raise RuntimeError('numpy is broken')")

    ended = pod.run(PYTHONPATH=f"{tmp_path}:{ROOT / 'trainer'}")

    assert ended.code == 1
    assert (ended.result.cause, ended.result.job_fault) == ("Crash", False)
    assert ended.result.message == "RuntimeError: numpy is broken"
    assert "Traceback (most recent call last):" in ended.log
