"""What a trial dies of, and that the others of its pod go on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.support.trainings import assignment_document, pod_variables
from winnow_contract.pod import start_pod
from winnow_contract.program import Stopping
from winnow_contract.results import TrialResult
from winnow_trainer.bench import Bench, lay_out
from winnow_trainer.data.load import load_data
from winnow_trainer.errors import SourceError, TrialError
from winnow_trainer.isolation import run_alone
from winnow_trainer.task import read_task


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    document = assignment_document({}, data={"uri": "builtin://wine"})
    pod = start_pod(pod_variables(tmp_path, document))
    task = read_task(pod.assignments)
    return lay_out(pod, task, load_data(task.data, tmp_path), threading.Event())


def too_large() -> TrialResult:
    torch.empty(1 << 56)  # torch itself says that it cannot have that much
    return TrialResult(1, "Succeeded")


def too_long() -> TrialResult:
    raise MemoryError


def wrong() -> TrialResult:
    return TrialResult(1, "Succeeded", objective=1 / 0)


def diverged() -> TrialResult:
    raise TrialError("NaN", "the training loss is nan in epoch 3")


@pytest.mark.parametrize(
    ("work", "cause", "words"),
    [
        (too_large, "OutOfMemory", "the model and its batches do not fit into memory: "),
        (too_long, "OutOfMemory", "the model and its batches do not fit into memory: MemoryError"),
        (wrong, "Crash", "ZeroDivisionError: division by zero"),
        (diverged, "NaN", "the training loss is nan in epoch 3"),
    ],
)
def test_a_trial_that_dies_fails_alone_and_says_of_what(
    bench: Bench, work: Callable[[], TrialResult], cause: str, words: str
) -> None:
    result = run_alone(bench, bench.pod.trials[0], work)

    assert (result.number, result.outcome, result.cause) == (1, "Failed", cause)
    assert words in result.message
    assert "digits-t00001" not in bench.page.render()


@pytest.mark.parametrize("ending", [SourceError("not there"), Stopping()])
def test_what_ends_the_whole_pod_is_no_failure_of_the_trial(
    bench: Bench, ending: BaseException
) -> None:
    def work() -> TrialResult:
        raise ending

    with pytest.raises(type(ending)):
        run_alone(bench, bench.pod.trials[0], work)
