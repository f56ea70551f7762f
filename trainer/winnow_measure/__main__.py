"""`python -m winnow_measure`: one round, from the measurement file to the exit code.

numpy and ONNX Runtime are imported only once it is known that there is something to measure.
"""

from __future__ import annotations

import errno
import os
import sys
import tempfile
import threading
import traceback
from datetime import UTC, datetime

from winnow_contract.exit_codes import ExitCode
from winnow_contract.files import is_storage_away
from winnow_contract.log import say
from winnow_contract.measuring.measured import MeasurementResult, as_recorded
from winnow_contract.program import CRASH, Stopping, run_program
from winnow_measure.errors import RoundError
from winnow_measure.pod import Pod, start_pod


def main() -> int:
    """Measure the round of this pod."""
    return run_program(start_pod, _run)


def _run(pod: Pod, stop: threading.Event) -> int:
    try:
        _measure(pod, stop)
    except RoundError as error:
        say(f"cannot measure: {error}")
        pod.fail(error.cause, str(error), job_fault=True)
        return ExitCode.PERMANENT
    except Stopping:
        say("stopped on SIGTERM: the round has no result")
        pod.fail("Stopped", "the pod was stopped before the round was measured")
        return ExitCode.STOPPED
    except OSError as error:
        return _storage_failed(pod, error)
    except Exception as error:  # noqa: BLE001 -- a bug: it is named, and tried again
        traceback.print_exc()
        pod.fail("Crash", f"{type(error).__name__}: {error}")
        return CRASH
    return ExitCode.OK


def _measure(pod: Pod, stop: threading.Event) -> None:
    from winnow_measure.committed import find_round, write_round

    _check_writable(pod)
    result = find_round(pod.artifacts, pod.measurement)
    if result is None:
        result = _measure_anew(pod, stop)
        write_round(pod.artifacts, pod.measurement, result)
    else:
        say(f"the round was measured by attempt {result.attempt}: its result is given again")
    _report(pod, result)
    pod.answer(result)


def _check_writable(pod: Pod) -> None:
    """Fail before time is spent on what cannot be kept."""
    pod.artifacts.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=pod.artifacts):
        pass


def _measure_anew(pod: Pod, stop: threading.Event) -> MeasurementResult:
    from winnow_measure.rounds import Place, measure_round

    def watch() -> None:
        if stop.is_set():
            raise Stopping

    measurement, environment = pod.measurement, pod.environment
    sizes = ", ".join(map(str, measurement.batch_sizes))
    say(
        f"round {measurement.round} of {measurement.job.namespace}/{measurement.job.name}: "
        f"{len(measurement.candidates)} candidates beside {measurement.baseline.candidate}, batch "
        f"sizes {sizes}, threads {measurement.threads}, turns {measurement.repetitions}"
    )
    place = Place(
        claims=environment.claims,
        artifacts=pod.artifacts,
        attempt=environment.attempt,
        now=lambda: datetime.now(UTC),
        watch=watch,
    )
    candidates = measure_round(measurement, place)
    # As many digits as the operator will read: the report must choose from the same figures.
    return as_recorded(MeasurementResult(environment.attempt, candidates))


def _report(pod: Pod, result: MeasurementResult) -> None:
    from winnow_measure.committed import report_folder
    from winnow_measure.report import write_report
    from winnow_measure.reporting import Manifests, report_input

    manifests = Manifests(pod.environment.claims)
    artifacts_uri = pod.environment.artifacts_uri
    try:
        content = report_input(pod.measurement, result, manifests, artifacts_uri)
        path = write_report(report_folder(pod.artifacts, pod.measurement), content)
    except OSError:
        raise
    except Exception:  # noqa: BLE001 -- a bug in a page must not cost a round that is measured
        traceback.print_exc()
        say("the report could not be written; the lines above say why")
        return
    say(content.choice.reason)
    say(f"the report lies at {artifacts_uri}/{path.relative_to(pod.artifacts).as_posix()}")


def _storage_failed(pod: Pod, error: OSError) -> int:
    words = f"{error.filename or 'the storage'}: {error.strerror or error}"
    if error.errno in {errno.EACCES, errno.EPERM}:
        say(f"storage is denied: {words}")
        pod.fail(
            "StorageDenied",
            f"{words}; measuring runs as user {os.getuid()}, group {os.getgid()}: let these read "
            "and write there",
            job_fault=True,
        )
        return ExitCode.PERMANENT
    if not is_storage_away(error):
        traceback.print_exc()
    say(f"storage is away: {words}")
    pod.fail("StorageUnavailable", words)
    return ExitCode.TEMPORARY


if __name__ == "__main__":
    sys.exit(main())
