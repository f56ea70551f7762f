"""`python -m winnow_trainer`: one pod's trials, from the assignment file to the exit code.

The kind of the job says what a trial is: a training of a SearchJob, or a candidate of a
CompressionJob.

Torch and numpy are imported only once it is known that there is something to train, after the
signal handler stands and the number of threads is set.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from winnow_contract.assignments import COMPRESSIONJOB
from winnow_contract.exit_codes import ExitCode
from winnow_contract.log import say
from winnow_contract.metrics_page import serve
from winnow_contract.pod import Pod, start_pod
from winnow_contract.program import CRASH, Stopping, run_program
from winnow_trainer.errors import JobError, StorageError, storage_error
from winnow_trainer.resources import limit_threads, thread_count
from winnow_trainer.task import read_task

if TYPE_CHECKING:  # both import torch
    from winnow_trainer.bench import Bench
    from winnow_trainer.packs import Pack


def main() -> int:
    """Run the trials of this pod."""
    return run_program(start_pod, _run)


def _run(pod: Pod, stop: threading.Event) -> int:
    try:
        _repeat_committed(pod)
        if pod.unfinished:
            _train(pod, stop)
    except JobError as error:
        say(f"cannot train: {error}")
        pod.fail(error.cause, str(error), job_fault=True)
        return ExitCode.PERMANENT
    except StorageError as error:
        say(f"storage is away: {error}")
        pod.fail(error.cause, str(error))
        return ExitCode.TEMPORARY
    except Stopping:
        open_trials = len(pod.unfinished)
        pod.record_stopped()
        say(f"stopped on SIGTERM: {open_trials} of {len(pod.trials)} trials have no result")
        return ExitCode.STOPPED
    except Exception as error:  # noqa: BLE001 -- a bug: what is finished stays, and it is named
        traceback.print_exc()
        pod.fail("Crash", f"{type(error).__name__}: {error}")
        return CRASH
    return ExitCode.OK


def _repeat_committed(pod: Pod) -> None:
    """Give at once the results that an earlier attempt of the same assignments has committed."""
    artifacts = pod.environment.artifacts
    if artifacts is None:
        return
    try:
        artifacts.mkdir(parents=True, exist_ok=True)
        found = [(trial, pod.repeat(trial)) for trial in pod.trials]
        if any(result is None for _, result in found):
            _check_writable(artifacts)  # before time is spent on what cannot be kept
    except OSError as error:
        raise storage_error(
            error, f"the folder for artifacts {artifacts} cannot be used"
        ) from error
    for trial, result in found:
        if result is not None:
            say(f"trial {trial.name} {result.outcome}, committed by attempt {result.attempt}")
            pod.record(result)


def _check_writable(folder: Path) -> None:
    with tempfile.TemporaryFile(dir=folder):
        pass


def _train(pod: Pod, stop: threading.Event) -> None:
    threads = thread_count(os.environ)
    limit_threads(threads)
    prepare = _candidates if pod.assignments.job.kind == COMPRESSIONJOB else _search
    _stop_if(stop)
    for result in prepare(pod, stop, threads).run(pod.unfinished):
        pod.record(result)


def _search(pod: Pod, stop: threading.Event, threads: int) -> Pack:
    task = read_task(pod.assignments)

    from winnow_trainer.data.load import load_data

    dataset = load_data(task.data, pod.environment.claims)
    _stop_if(stop)

    from winnow_trainer.determinism import make_deterministic
    from winnow_trainer.packs import SequentialPack
    from winnow_trainer.trials import run_trial, set_up

    make_deterministic(threads)
    bench = set_up(pod, task, dataset, stop)
    _announce(bench)
    return SequentialPack(bench, run_trial)


def _candidates(pod: Pod, stop: threading.Event, threads: int) -> Pack:
    from winnow_trainer.compress.source import check_data, check_data_claim, open_source

    source = open_source(pod.assignments, pod.environment.claims)
    check_data_claim(source, pod.assignments, pod.environment.claims)

    from winnow_trainer.data.load import load_data

    dataset = load_data(source.task.data, pod.environment.claims)
    check_data(source, dataset)
    _stop_if(stop)

    from functools import partial

    from winnow_trainer.compress.candidates import run_candidate, set_up
    from winnow_trainer.determinism import make_deterministic
    from winnow_trainer.packs import SequentialPack

    make_deterministic(threads)
    bench, origin = set_up(pod, source, dataset, stop)
    _announce(bench)
    return SequentialPack(bench, partial(run_candidate, origin))


def _announce(bench: Bench) -> None:
    splits = bench.splits
    say(
        f"{bench.task.data.uri}: {bench.dataset.rows} rows, {len(splits.train)} to train on, "
        f"{len(splits.validation)} to compare by, {len(splits.test)} to test"
    )
    port = bench.pod.environment.metrics_port
    if serve(bench.page, port) is None and port:
        say(f"port {port} cannot be had: going on without a metrics page")


def _stop_if(stop: threading.Event) -> None:
    if stop.is_set():
        raise Stopping


if __name__ == "__main__":
    sys.exit(main())
