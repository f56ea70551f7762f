"""The environment variables that a trial's container gets, parsed once at its start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from winnow_contract.errors import EnvironmentVariableError
from winnow_contract.variables import whole_number

ATTEMPT_LENGTH = 8
"""Characters of the pod's uid that stand in results and paths."""
MAX_PORT = 65535


@dataclass(frozen=True, slots=True)
class Environment:
    """Where a trial finds its assignments and puts what it makes."""

    index: int = 0
    """JOB_COMPLETION_INDEX: which group of the file's trials this pod runs."""
    attempt: str = "local"
    """WINNOW_ATTEMPT: first 8 characters of the pod's uid."""
    assignments: Path = Path("/winnow/assignments/assignments.json")
    """WINNOW_ASSIGNMENTS: the assignment file."""
    artifacts: Path | None = None
    """WINNOW_ARTIFACTS: folder of this job's artifacts; None if the job keeps none."""
    artifacts_uri: str = ""
    """WINNOW_ARTIFACTS_URI: the same folder as a URI, for sentences; nothing is found by it."""
    claims: Path = Path("/winnow/claims")
    """WINNOW_CLAIMS: folder where claims are mounted by name."""
    termination_log: Path = Path("/dev/termination-log")
    """WINNOW_TERMINATION_LOG: the file that becomes the pod's termination message."""
    metrics_port: int = 8080
    """WINNOW_METRICS_PORT: port of the Prometheus page; 0 turns it off."""


def read_environment(variables: Mapping[str, str]) -> Environment:
    """The environment of this container; what is not set has the default of a pod.

    Raises:
        EnvironmentVariableError: naming the variable, its value and what is allowed.
    """
    default = Environment()
    artifacts = variables.get("WINNOW_ARTIFACTS", "")
    return Environment(
        index=whole_number(variables, "JOB_COMPLETION_INDEX", default.index, maximum=2**31),
        attempt=_attempt(variables, default.attempt),
        assignments=Path(variables.get("WINNOW_ASSIGNMENTS") or default.assignments),
        artifacts=Path(artifacts) if artifacts else None,
        artifacts_uri=variables.get("WINNOW_ARTIFACTS_URI", ""),
        claims=Path(variables.get("WINNOW_CLAIMS") or default.claims),
        termination_log=read_termination_log(variables),
        metrics_port=whole_number(
            variables, "WINNOW_METRICS_PORT", default.metrics_port, maximum=MAX_PORT
        ),
    )


def read_termination_log(variables: Mapping[str, str]) -> Path:
    """The termination log alone: what is wrong with the other variables is reported there."""
    return Path(variables.get("WINNOW_TERMINATION_LOG") or Environment().termination_log)


def _attempt(variables: Mapping[str, str], default: str) -> str:
    text = (variables.get("WINNOW_ATTEMPT") or default)[:ATTEMPT_LENGTH]
    if not text.isascii() or not text.isalnum():
        raise EnvironmentVariableError(
            f"WINNOW_ATTEMPT starts with {text!r}, allowed are letters and digits "
            "(the operator gives the pod's uid)"
        )
    return text
