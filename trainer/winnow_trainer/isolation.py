"""One trial's fault ends that trial alone: the others of its pod go on.

What would take the whole process with it, such as a model that is killed for its memory, is
refused before it is tried.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable

import torch

from winnow_contract.assignments import TrialAssignment
from winnow_contract.results import TrialResult
from winnow_contract.rungbook import TrialStopped
from winnow_trainer.architectures import Architecture, count_parameters
from winnow_trainer.bench import Bench
from winnow_trainer.errors import JobError, StorageError, TrialError
from winnow_trainer.progress import say_outcome

TRAINING_BYTES = 16
"""Of each parameter at the least: its value, gradient and an optimiser's two averages."""
GIB = 1 << 30


def run_alone(
    bench: Bench, assignment: TrialAssignment, work: Callable[[], TrialResult]
) -> TrialResult:
    """Do the work of one trial to its outcome; only what ends the whole pod is raised.

    Raises:
        StorageError, JobError: from the work.
        Stopping: when SIGTERM has come.
    """
    bench.page.start(assignment.name, bench.pod.assignments.job.labels)
    bench.pod.rungs.begin(assignment.number)
    try:
        result = work()
    except TrialStopped as stopped:
        result = bench.pod.rungs.stopped(assignment.number, stopped)
    except TrialError as error:
        result = _failed(assignment, error.cause, str(error))
    except (JobError, StorageError):
        raise
    except Exception as error:  # noqa: BLE001 -- one trial's fault must not end the others
        result = _failed(assignment, *_diagnosis(error))
    finally:
        bench.page.end(assignment.name)
    say_outcome(assignment.name, bench.objective, result)
    return result


def _failed(assignment: TrialAssignment, cause: str, message: str) -> TrialResult:
    return TrialResult(assignment.number, "Failed", cause=cause, message=message)


def _diagnosis(error: Exception) -> tuple[str, str]:
    words = str(error).strip().splitlines() or [type(error).__name__]
    out_of_memory = isinstance(error, MemoryError | torch.OutOfMemoryError)
    if out_of_memory or "DefaultCPUAllocator" in str(error):
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return "OutOfMemory", f"the model and its batches do not fit into memory: {words[0]}"
    traceback.print_exception(error)
    return "Crash", f"{type(error).__name__}: {words[-1]}"


def check_size(architecture: Architecture, limit: int | None, advice: str) -> None:
    """Refuse what would be killed for its memory, and all other trials of the pod with it.

    Args:
        architecture: what is to be trained.
        limit: of the container's memory in bytes; None if there is none.
        advice: what to make smaller, for the sentence.

    Raises:
        TrialError: with cause OutOfMemory.
    """
    if limit is None or torch.cuda.is_available():
        return
    count = count_parameters(architecture)
    if count * TRAINING_BYTES > limit:
        raise TrialError(
            "OutOfMemory",
            f"the model has {count:.3g} parameters, {count * TRAINING_BYTES / GIB:.3g} GiB to "
            f"train, and the container may use {limit / GIB:.3g} GiB: {advice}, or raise the "
            "memory of container trial in podTemplate",
        )
