"""What a probe of a canary is told and what it says: two revisions, asked for the same recorded rows.

The operator writes where the pods are into the probe's environment (`variables`), and reads what the
probe leaves in its termination message (`decode_compared`). A pod can write anything there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from winnow_contract.errors import EnvironmentVariableError, ResultError
from winnow_contract.message_fields import (
    check_version,
    clip,
    compact_json,
    plain_text,
    read_text,
    refuse_constant,
)
from winnow_contract.variables import fraction
from winnow_contract.version import CONTRACT_VERSION

__all__ = [
    "COMPARE_ARGUMENTS",
    "MAX_ROWS",
    "SAMPLE",
    "Compared",
    "Comparison",
    "decode_compared",
    "encode_compared",
    "read_comparison",
    "variables",
]

COMPARE_ARGUMENTS = ("winnow_server", "compare")
"""Arguments of the server image (its entry point is `python -m`) that ask two revisions the same."""
SAMPLE = "sample.safetensors"
"""File of an artifact: `inputs`, raw rows of the validation split to compare models by."""
MAX_ROWS = 1024
"""Recorded rows beyond are not asked."""
MAX_PROBLEM = 256
DEFAULT_TOLERANCE = 0.1

STABLE = "WINNOW_COMPARE_STABLE"
CANARY = "WINNOW_COMPARE_CANARY"
TOLERANCE = "WINNOW_COMPARE_TOLERANCE"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Which pods are asked, and what counts as the same answer."""

    stable: str
    """WINNOW_COMPARE_STABLE: the model of the revision that serves, as a URL of one of its pods,
    `http://10.0.0.7:8080/v2/models/NAME/versions/REVISION`."""
    canary: str
    """WINNOW_COMPARE_CANARY: the same of the canary."""
    tolerance: float = DEFAULT_TOLERANCE
    """WINNOW_COMPARE_TOLERANCE: how far two numbers of a regression may lie apart, as a share of the
    standard deviation of what the revision that serves answers."""


@dataclass(frozen=True, slots=True)
class Compared:
    """How two revisions have answered the same rows."""

    rows: int
    """That were asked."""
    equal: int
    """That got the same answer."""
    problem: str = ""
    """Why answers are missing, or why the two cannot be compared at all (then there are no rows)."""


def variables(comparison: Comparison) -> dict[str, str]:
    """The environment that `read_comparison` makes this of."""
    return {
        STABLE: comparison.stable,
        CANARY: comparison.canary,
        TOLERANCE: str(comparison.tolerance),
    }


def read_comparison(environment: Mapping[str, str]) -> Comparison:
    """What this container is told to compare.

    Raises:
        EnvironmentVariableError: naming the variable, its value and what is allowed.
    """
    return Comparison(
        stable=_url(environment, STABLE),
        canary=_url(environment, CANARY),
        tolerance=fraction(environment, TOLERANCE, DEFAULT_TOLERANCE, minimum=0, maximum=1e6),
    )


def _url(environment: Mapping[str, str], name: str) -> str:
    text = environment.get(name, "")
    try:
        parts = urlsplit(text)
        is_whole = parts.scheme == "http" and bool(parts.hostname and parts.port and parts.path)
    except ValueError:  # a port that is no number
        is_whole = False
    if not is_whole:
        raise EnvironmentVariableError(
            f"{name} is {text[:80]!r}, it must be the URL of a model, "
            "http://HOST:PORT/v2/models/NAME/versions/REVISION"
        )
    return text


def encode_compared(compared: Compared) -> str:
    """The termination message of a probe."""
    document = {
        "v": CONTRACT_VERSION,
        "rows": compared.rows,
        "equal": compared.equal,
        **({"w": plain_text(compared.problem)[:MAX_PROBLEM]} if compared.problem else {}),
    }
    return compact_json(document)


def decode_compared(text: str) -> Compared:
    """What a probe has found.

    Raises:
        ResultError: naming what is wrong with its message.
    """
    try:
        document = json.loads(text, parse_constant=refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ResultError(f"the probe's message is no JSON: {clip(text)}") from error
    if not isinstance(document, dict):
        raise ResultError(f"the probe's message is no object: {clip(text)}")
    check_version(document)
    rows, equal = (_count(document, key) for key in ("rows", "equal"))
    if equal > rows:
        raise ResultError(f"the probe's message has {equal} equal answers to {rows} rows")
    return Compared(rows, equal, read_text(document, "w", MAX_PROBLEM))


def _count(document: Mapping[str, object], key: str) -> int:
    value = document.get(key)
    if type(value) is not int or not 0 <= value <= MAX_ROWS:
        raise ResultError(f"{key!r} is {clip(value)}, it must be a number from 0 to {MAX_ROWS}")
    return value
