"""Field types that several kinds share: decimal strings, durations, DNS names.

A float never stands in a spec (API conventions): numbers that need a fraction are decimal
strings with a pattern, so that what the user wrote is what is kept.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

EXACT_INTEGER = 9_007_199_254_740_991
"""2^53 - 1: beyond it, a JSON number no longer names one whole number for every reader."""

MAX_DECIMALS = 18
"""Digits after the point that a decimal string may have."""
DECIMAL_PATTERN = r"^-?[0-9]{1,18}(\.[0-9]{1,18})?([eE][-+]?[0-9]{1,2})?$"
DURATION_PATTERN = r"^([0-9]{1,6}(h|m|s))+$"
DURATION_EXAMPLE = "1m30s"
NAME_PATTERN = r"^[A-Za-z_][A-Za-z0-9_.-]*$"

DecimalString = Annotated[str, Field(pattern=DECIMAL_PATTERN, max_length=40)]
"""A decimal number as a string, `"0.001"` or `"1e-3"`."""

DurationString = Annotated[str, Field(pattern=DURATION_PATTERN, max_length=20)]
"""A duration in Go's style in hours, minutes and seconds: `1h30m`, `90s`."""

ParameterName = Annotated[str, Field(pattern=NAME_PATTERN, min_length=1, max_length=63)]

JobName = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$", max_length=40)]
"""Name of another job, in the same namespace."""

Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$", max_length=71)]
"""`sha256:` of the manifest of an artifact."""

Word = Annotated[str, Field(max_length=4096)]
"""One argument of a command."""

Timestamp = Annotated[str, Field(max_length=64, json_schema_extra={"format": "date-time"})]
"""A moment in RFC 3339, as `2026-01-31T12:00:00Z`."""

_DURATION_PART = re.compile(r"([0-9]+)([hms])")
_SECONDS = {"h": 3600, "m": 60, "s": 1}


class ApiModel(BaseModel):
    """Base of all API models: camelCase outside, docstrings become `kubectl explain` text."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        use_attribute_docstrings=True,
        frozen=True,
        extra="ignore",
    )


def duration_seconds(text: str) -> int:
    """Seconds of a Go-style duration such as `1h30m`."""
    return sum(int(n) * _SECONDS[unit] for n, unit in _DURATION_PART.findall(text))


def decimal_text(value: float) -> str:
    """Fixed-point text of a figure in a status, exact up to its 18th decimal.

    Fixed point, because kubectl sorts it by value.
    """
    exact = Decimal(repr(float(value)))
    if exact.as_tuple().exponent < -MAX_DECIMALS:  # type: ignore[operator]  # finite
        exact = exact.quantize(Decimal(1).scaleb(-MAX_DECIMALS))
    return format(exact.normalize(), "f") if exact else "0"
