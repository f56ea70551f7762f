"""How the program of a pod begins and ends, whatever it does in between.

signals --> environment and file --(unusable)--> the result says why, exit code 64 or 65
                   |
                   +--> the work --> its own exit code
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from winnow_contract.environment import Environment, read_environment
from winnow_contract.errors import AssignmentsError, ContractError, ContractVersionError
from winnow_contract.exit_codes import ExitCode
from winnow_contract.log import say

__all__ = ["CRASH", "Refused", "Stopping", "read_input", "run_program", "start"]

CRASH = 1
"""As Python itself ends on an exception; every code without a meaning is retried."""

PodT = TypeVar("PodT")

Refuse = Callable[[str, str, str], None]
"""Writes a result of the job's fault: attempt, empty where it is unknown, cause, and sentence."""


class Refused(Exception):  # noqa: N818 -- it is an ending, already reported
    """The pod cannot begin; its result says why."""

    def __init__(self, code: ExitCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        """What the program has to exit with."""


class Stopping(BaseException):
    """SIGTERM has come: save what must be saved and let it pass.

    Not an Exception: what handles failures must not swallow it.
    """


def run_program(
    begin: Callable[[Mapping[str, str]], PodT], work: Callable[[PodT, threading.Event], int]
) -> int:
    """Begin and work; gives the exit code.

    Args:
        begin: makes of the environment variables what the work needs, or raises Refused.
        work: gives the exit code; the event is set once SIGTERM or SIGINT has come. An OSError
            that it lets through is of the termination log, the last that can go wrong.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        return work(begin(os.environ), stop)
    except Refused as refusal:
        say(f"cannot start: {refusal}")
        return refusal.code
    except OSError as error:
        say(f"the result cannot be written: {error}")
        return ExitCode.TEMPORARY


def start(
    variables: Mapping[str, str], open_pod: Callable[[Environment], PodT], refuse: Refuse
) -> PodT:
    """Read the environment and open what it names; what cannot be used is reported at once.

    Raises:
        Refused: after the result has been written.
        OSError: if the termination log cannot be written.
    """
    attempt = ""
    try:
        environment = read_environment(variables)
        attempt = environment.attempt
        return open_pod(environment)
    except ContractError as error:
        differs = isinstance(error, ContractVersionError)
        refuse(attempt, "ContractVersion" if differs else "BadAssignments", str(error))
        code = ExitCode.CONTRACT if differs else ExitCode.PERMANENT
        raise Refused(code, str(error)) from error


def read_input(path: Path, name: str) -> str:
    """The text of the file that says what is to be done.

    Args:
        path: where the operator has put it.
        name: what it is called in a sentence, `assignment file`.

    Raises:
        AssignmentsError: if it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise AssignmentsError(f"the {name} {path} cannot be read: {error}") from error
