"""Trial programs that are not the trainer: the helper, the page's example, the example image."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.chart import ROOT
from tests.support.trainer_process import Ended, TrialPod
from tests.support.trainings import assignment_document
from winnow_contract.exit_codes import ExitCode
from winnow_contract.manifests import read_artifact

EXAMPLE = ROOT / "examples/own-image"
GOOD = {"rate": 0.1, "depth": 3, "rounds": 100, "share": 1.0}
POOR = {"rate": 0.5, "depth": 1, "rounds": 20, "share": 0.5}
REPORTING = """
import errno, os, sys, time
from winnow_contract.report import Trial, TrialFailedError, run
def train(trial):
    x = trial.parameters["x"]
    if x == "fails":
        raise TrialFailedError("TooOdd", "x is odd")
    if x == "crashes":
        raise RuntimeError("a bug")
    if x == "silent":
        return
    if x == "full":
        raise OSError(errno.ENOSPC, "No space left on device")
    trial.report(1, quality=0.5, loss=2)
    while x == "endless":
        time.sleep(0.01)
    trial.standard_error(quality=0.25)
    trial.test(quality=0.4)
    trial.test_standard_error(quality=0.3)
    (trial.folder / "model.txt").write_text(x)
run(train)
"""


def reporting(folder: Path, *values: str) -> TrialPod:
    document = assignment_document(*({"x": value} for value in values), objective="quality")
    return TrialPod(folder, {**document, "task": None}, [sys.executable, "-c", REPORTING])


def test_what_a_program_reports_is_its_result(tmp_path: Path) -> None:
    ended = reporting(tmp_path, "works").run()

    (trial,) = ended.result.trials
    assert ended.code == ExitCode.OK
    assert (trial.objective, trial.standard_error) == (0.5, 0.25)
    assert (trial.test, trial.test_standard_error) == (0.4, 0.3)
    assert trial.metrics == {"loss": 2}
    folder = tmp_path / "artifacts/digits-t00001/aaaaaaaa"
    assert read_artifact(folder, trial.digest).size_bytes == trial.size_bytes
    assert (folder / "model.txt").read_text() == "works"
    assert ended.lines == [
        "trial digits-t00001 step 1 quality 0.5 loss 2",
        "trial digits-t00001 Succeeded",
    ]


def test_what_is_committed_is_repeated_without_running_the_program(tmp_path: Path) -> None:
    first = reporting(tmp_path, "works").run()
    second = reporting(tmp_path, "works").run(attempt="bbbbbbbb")

    (before,), (after,) = first.result.trials, second.result.trials
    assert second.lines == ["trial digits-t00001 Succeeded"]
    assert (after.digest, after.attempt) == (before.digest, "aaaaaaaa")
    assert (after.objective, after.test) == (before.objective, before.test)


def test_each_trial_fails_alone(tmp_path: Path) -> None:
    ended = reporting(tmp_path, "fails", "crashes", "silent", "works").run()

    assert ended.code == ExitCode.OK
    assert [(t.outcome, t.cause, t.message) for t in ended.result.trials] == [
        ("Failed", "TooOdd", "x is odd"),
        ("Failed", "Crash", "RuntimeError: a bug"),
        (
            "Failed",
            "NoObjective",
            "the trial has no value for objective 'quality'; it reported nothing",
        ),
        ("Succeeded", "", ""),
    ]
    assert [path.name for path in (tmp_path / "artifacts").iterdir()] == ["digits-t00004"]


def test_storage_that_is_away_is_tried_again(tmp_path: Path) -> None:
    ended = reporting(tmp_path, "works", "full").run()

    assert ended.code == ExitCode.TEMPORARY
    assert ended.result.cause == "StorageUnavailable"
    assert [t.outcome for t in ended.result.trials] == ["Succeeded"]


def test_a_stop_keeps_what_is_finished(tmp_path: Path) -> None:
    pod = reporting(tmp_path, "works", "endless")
    process = pod.start()
    assert process.stdout is not None
    next(line for line in process.stdout if line.startswith("trial digits-t00002 step"))
    process.send_signal(signal.SIGTERM)

    ended = pod.wait(process)

    assert ended.code == ExitCode.STOPPED
    assert [t.outcome for t in ended.result.trials] == ["Succeeded", "Stopped"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"contractVersion": 7}, ExitCode.CONTRACT), ({"trials": []}, ExitCode.PERMANENT)],
)
def test_a_program_that_cannot_start_says_so(
    tmp_path: Path, changes: dict[str, Any], code: ExitCode
) -> None:
    document = assignment_document({}, **changes)

    ended = TrialPod(tmp_path, document, [sys.executable, "-c", REPORTING]).run()

    assert ended.code == code
    assert ended.lines == [f"cannot start: {ended.result.message}"]


def test_the_program_on_the_contract_page_runs(tmp_path: Path) -> None:
    page = (ROOT / "docs/trial-contract.md").read_text()
    (program,) = re.findall(r"<!-- example: helper -->\n```python\n(.*?)```", page, re.DOTALL)
    document = assignment_document({"x": 0.5}, objective="quality", task=None)

    ended = TrialPod(tmp_path, document, [sys.executable, "-c", program]).run()

    (trial,) = ended.result.trials
    assert trial.objective == pytest.approx(1 - 0.04 / 3)
    assert (trial.standard_error, trial.test) == (0.01, 0.96)


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ended]:
    """The example's folder of artifacts, and how its program ended."""
    document = assignment_document(GOOD, POOR, {**GOOD, "depth": "deep"}, objective="rmse")
    # As in its image: no site-packages, so neither torch nor anything else.
    program = [sys.executable, "-S", str(EXAMPLE / "own_image.py")]
    pod = TrialPod(tmp_path_factory.mktemp("pod"), {**document, "task": None}, program)
    return pod.artifacts, pod.run()


def test_the_example_image_trains_for_real(example: tuple[Path, Ended]) -> None:
    _, ended = example

    assert ended.code == ExitCode.OK
    good, poor, refused = ended.result.trials
    for trial in (good, poor):
        assert trial.objective is not None
        assert trial.test is not None
        assert trial.standard_error is not None
        assert abs(trial.test - trial.objective) < 6 * trial.standard_error
    # The noise of the rows has standard deviation 1; their targets have 4.9.
    assert 1.0 < (good.objective or 0) < 1.7 < (poor.objective or 0) < 4
    assert (refused.outcome, refused.cause) == ("Failed", "BadParameters")
    assert "parameter depth is 'deep'" in refused.message


def test_the_example_image_leaves_the_model_that_it_measured(example: tuple[Path, Ended]) -> None:
    artifacts, ended = example
    good = ended.result.trials[0]
    folder = artifacts / "digits-t00001/aaaaaaaa"
    check = [sys.executable, "scripts/artifact_check.py", str(folder), f"sha256:{good.digest}"]

    checked = subprocess.run(check, check=True, capture_output=True, text=True, cwd=ROOT)

    assert json.loads(checked.stdout)["test"]["rmse"] == pytest.approx(good.test, rel=1e-6)
    assert len(json.loads((folder / "model.json").read_text())["trees"]) == GOOD["rounds"]


def test_the_example_image_is_built_of_what_is_there() -> None:
    copied = re.findall(
        r"^COPY (?!--from)(.*) \S+$", (EXAMPLE / "Dockerfile").read_text(), re.MULTILINE
    )

    assert copied == ["boosting.py own_image.py"]
    assert all((EXAMPLE / name).is_file() for names in copied for name in names.split())
    assert "--build-context contract=trainer/winnow_contract" in (EXAMPLE / "README.md").read_text()


CLIMBING = """
from winnow_contract.report import run
def train(trial):
    for step in range(1, 10):
        try:
            trial.report(step, quality=trial.parameters["x"])
        except Exception:
            continue
run(train)
"""


def test_a_program_is_stopped_where_it_reports_and_no_handler_of_its_own_goes_on(
    tmp_path: Path,
) -> None:
    rule = {"algorithm": "ASHA", "resource": "Steps", "minimum": 2, "eta": 2, "minTrials": 2}
    given = ({"x": x} for x in (0.5, 0.25, 0.75))
    document = assignment_document(*given, objective="quality", task=None, earlyStopping=rule)

    ended = TrialPod(tmp_path, document, [sys.executable, "-c", CLIMBING]).run()

    assert ended.code == ExitCode.OK
    first, second, third = ended.result.trials
    assert [t.outcome for t in (first, second, third)] == ["Succeeded", "Stopped", "Succeeded"]
    assert (second.objective, dict(second.rungs)) == (0.25, {2: 0.25})
    assert dict(first.rungs) == {2: 0.5, 4: 0.5, 8: 0.5}
    assert "ASHA at 2 steps: place 2 of 2" in second.message
