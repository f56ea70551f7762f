"""The contract for Python programs: write a function of a trial, hand it to `run`.

    from winnow_contract.report import Trial, run

    def train(trial: Trial) -> None:
        for epoch in range(1, trial.parameters["epochs"] + 1):
            ...
            trial.report(epoch, accuracy=accuracy, loss=loss)
        trial.test(accuracy=test_accuracy)
        (trial.folder / "weights.json").write_text(weights)

    if __name__ == "__main__":
        run(train)

`run` reads the assignments, calls the function once per trial, takes the last reported values as
the result, commits what lies in `trial.folder`, writes the result and exits with the right code.
Standard library only.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from winnow_contract.assignments import TrialAssignment, Value
from winnow_contract.exit_codes import ExitCode
from winnow_contract.files import is_storage_away
from winnow_contract.log import say
from winnow_contract.manifests import manifest_head, value_entries, write_manifest
from winnow_contract.metrics_page import MetricsPage, serve
from winnow_contract.pod import Pod, start_pod
from winnow_contract.program import Refused, Stopping
from winnow_contract.results import TrialResult
from winnow_contract.rungbook import (
    DEADLINE_EXCEEDED,
    EARLY_STOPPING,
    OUT_OF_TIME,
    TrialStopped,
)

FORMAT = "winnow/contract-v1"


class TrialFailedError(Exception):
    """Raised by the program: this trial has failed by its own fault, the others go on."""

    def __init__(self, cause: str, message: str) -> None:
        super().__init__(message)
        self.cause = cause
        """One CamelCase word."""


class Trial:
    """One trial as the program sees it."""

    def __init__(
        self, pod: Pod, assignment: TrialAssignment, folder: Path, page: MetricsPage
    ) -> None:
        self.name: str = assignment.name
        self.number: int = assignment.number
        self.seed: int = assignment.seed
        self.parameters: Mapping[str, Value] = assignment.parameters
        self.architecture: Mapping[str, Any] | None = assignment.architecture
        """The searched net as JSON; None where none is searched."""
        self.values: dict[str, tuple[float, float | None]] = {}
        """Last reported value and standard error of each metric."""
        self.test_values: dict[str, tuple[float, float | None]] = {}
        self._folder = folder
        self._page = page
        self._objective = pod.assignments.objectives[0].metric
        self._rungs = pod.rungs
        self._limit = pod.assignments.max_trial_seconds
        self._began = time.monotonic()

    @property
    def folder(self) -> Path:
        """Where files of the artifact go; made when first asked for."""
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder

    def report(self, step: int, **metrics: float) -> None:
        """Report metrics at a step; the last values are the trial's result.

        Ends the trial here where the rule of the job's early stopping says so.

        Raises:
            TrialFailedError: if the trial has run longer than budget.maxTrialDuration allows.
        """
        # What is given may be a number of another library, which is none to JSON and Prometheus.
        values = {name: float(value) for name, value in metrics.items()}
        self._page.report(self.name, step, values)
        self.values.update({name: (value, None) for name, value in values.items()})
        words = " ".join(f"{name} {value:.6g}" for name, value in values.items())
        say(f"trial {self.name} step {step} {words}")
        if self._limit is not None and time.monotonic() - self._began > self._limit:
            raise TrialFailedError(DEADLINE_EXCEEDED, OUT_OF_TIME)
        if self._objective in values:
            self._reach(step, values[self._objective])

    def _reach(self, step: int, value: float) -> None:
        reached, verdict = self._rungs.reach(self.number, step, value)
        for rung in reached:
            self._page.reach(self.name, rung, value)
        if verdict is not None:
            raise TrialStopped(EARLY_STOPPING, verdict.reason)

    def standard_error(self, **errors: float) -> None:
        """Say how uncertain reported values are."""
        _set_errors(self.values, errors)

    def test(self, **metrics: float) -> None:
        """Report metrics on the test split, once, at the end; nothing that chooses reads them."""
        self.test_values.update({name: (float(value), None) for name, value in metrics.items()})

    def test_standard_error(self, **errors: float) -> None:
        """Say how uncertain the values on the test split are."""
        _set_errors(self.test_values, errors)


def _set_errors(values: dict[str, tuple[float, float | None]], errors: Mapping[str, float]) -> None:
    for name, error in errors.items():
        if name not in values:
            reported = ", ".join(values) or "nothing"
            raise TrialFailedError("Crash", f"no value for {name!r} yet, reported is {reported}")
        values[name] = (values[name][0], float(error))


def run(train: Callable[[Trial], None]) -> NoReturn:
    """Run every trial of this pod and exit with the code that the contract asks for."""
    signal.signal(signal.SIGTERM, _stop)
    sys.exit(_run(train))


def _stop(_signum: int, _frame: object) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # saving is not to be interrupted
    raise Stopping


def _run(train: Callable[[Trial], None]) -> ExitCode:
    try:
        pod = start_pod(os.environ)
    except Refused as refusal:
        say(f"cannot start: {refusal}")
        return refusal.code
    try:
        return _run_trials(pod, train)
    except Stopping:
        pod.record_stopped()
        say("stopped on SIGTERM")
        return ExitCode.STOPPED
    except OSError as error:
        if not is_storage_away(error):
            raise
        say(f"storage is away: {error}")
        pod.fail("StorageUnavailable", str(error))
        return ExitCode.TEMPORARY


def _run_trials(pod: Pod, train: Callable[[Trial], None]) -> ExitCode:
    page = MetricsPage(pod.series_labels)
    server = serve(page, pod.environment.metrics_port)
    try:
        for assignment in pod.trials:
            page.start(assignment.name, pod.assignments.job.labels)
            result = pod.repeat(assignment) or _run_trial(pod, assignment, train, page)
            pod.record(result)
            page.end(assignment.name)
            say(f"trial {assignment.name} {result.outcome} {result.message}".rstrip())
    finally:
        if server is not None:
            server.shutdown()
    return ExitCode.OK


def _folder(pod: Pod, assignment: TrialAssignment) -> Path:
    artifacts = pod.environment.artifacts or Path("/tmp/winnow")  # noqa: S108 -- the pod's own
    return artifacts / assignment.name / pod.environment.attempt


def _run_trial(
    pod: Pod, assignment: TrialAssignment, train: Callable[[Trial], None], page: MetricsPage
) -> TrialResult:
    trial = Trial(pod, assignment, _folder(pod, assignment), page)
    pod.rungs.begin(assignment.number)
    try:
        train(trial)
    except TrialStopped as stopped:
        return pod.rungs.stopped(assignment.number, stopped)
    except TrialFailedError as error:
        return TrialResult(assignment.number, "Failed", cause=error.cause, message=str(error))
    except Exception as error:
        if is_storage_away(error):
            raise
        traceback.print_exc()
        words = f"{type(error).__name__}: {error}"
        return TrialResult(assignment.number, "Failed", cause="Crash", message=words)
    result = pod.judge(assignment.number, trial.values, trial.test_values, None)
    if result.outcome != "Succeeded" or pod.environment.artifacts is None:
        return result
    committed = write_manifest(trial.folder, _manifest(pod, assignment, trial))
    return pod.judge(assignment.number, trial.values, trial.test_values, committed)


def _manifest(pod: Pod, assignment: TrialAssignment, trial: Trial) -> dict[str, Any]:
    return {
        **manifest_head(pod.assignments.job, assignment, pod.environment.attempt),
        "format": FORMAT,
        "task": None,
        "values": [
            *value_entries("validation", trial.values),
            *value_entries("test", trial.test_values),
        ],
        **pod.rungs.entry(assignment.number),
        "environment": {"python": sys.version.split()[0]},
        "createdAt": datetime.now(UTC).isoformat(timespec="seconds"),
    }
