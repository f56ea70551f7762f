"""The measuring pod's part of the contract: its environment, its file, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from winnow_contract.environment import Environment, read_termination_log
from winnow_contract.errors import EnvironmentVariableError
from winnow_contract.files import write_in_place
from winnow_contract.measuring.measured import MeasurementResult, encode_measured
from winnow_contract.measuring.measurements import Measurement, decode_measurement
from winnow_contract.program import read_input, start

__all__ = ["Pod", "start_pod"]


@dataclass(frozen=True, slots=True)
class Pod:
    """What this pod has to measure, and where."""

    environment: Environment
    artifacts: Path
    measurement: Measurement

    def answer(self, result: MeasurementResult) -> None:
        """Write the termination message.

        Raises:
            OSError: if it cannot be written.
        """
        _write(self.environment.termination_log, result)

    def fail(self, cause: str, message: str, *, job_fault: bool = False) -> None:
        """Say why nothing was measured.

        Raises:
            OSError: if it cannot be written.
        """
        attempt = self.environment.attempt
        self.answer(MeasurementResult(attempt, (), cause, message, job_fault))


def start_pod(variables: Mapping[str, str]) -> Pod:
    """Read the environment and the measurement file; what cannot be used is reported at once.

    Raises:
        Refused: after the result has been written.
        OSError: if the termination log cannot be written.
    """

    def refuse(attempt: str, cause: str, message: str) -> None:
        result = MeasurementResult(attempt, (), cause, message, job_fault=True)
        _write(read_termination_log(variables), result)

    return start(variables, _open, refuse)


def _open(environment: Environment) -> Pod:
    if environment.artifacts is None:
        raise EnvironmentVariableError(
            "WINNOW_ARTIFACTS is not set: name the folder of the job's artifacts"
        )
    text = read_input(environment.assignments, "measurement file")
    return Pod(environment, environment.artifacts, decode_measurement(text))


def _write(termination_log: Path, result: MeasurementResult) -> None:
    write_in_place(termination_log, encode_measured(result).encode())
