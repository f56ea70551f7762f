"""Values of parameters, and the one canonical text of each.

Values reach a trial as numbers (`int`, `double`) or strings (`choice`); in a Trial they stand as
text. A text reads back to exactly the same value and has the form of the API's decimal strings.
"""

from __future__ import annotations

import re
from decimal import Decimal

from winnow_operator.api.fields import DECIMAL_PATTERN

Value = int | float | str

LARGEST = 1e99
SMALLEST = 1e-99
"""Real parameters lie between these or are 0: a decimal string has two digits of exponent."""
SIGNIFICANT_DIGITS = 12
"""Digits of a suggested real number: more would only make Trials hard to read."""

_MAX_TEXT = 40
_DECIMAL = re.compile(DECIMAL_PATTERN)
_NARROW = 1e-6
"""Relative width of a range that is too narrow for rounded numbers."""


def value_text(value: Value) -> str:
    """Text of a value; it reads back to exactly the same value."""
    if not isinstance(value, float):
        return str(value)
    exact = Decimal(repr(value)) if value else Decimal(0)
    plain = format(exact.normalize(), "f")
    if len(plain) <= _MAX_TEXT and _DECIMAL.match(plain):
        return plain
    return repr(value)


def rounded(x: float, low: float, high: float) -> float:
    """A number with few digits near `x`, never outside of its range."""
    if high - low >= _NARROW * max(abs(low), abs(high)):
        x = float(f"{x:.{SIGNIFICANT_DIGITS}g}")
    return min(high, max(low, x if abs(x) >= SMALLEST else 0.0)) + 0.0  # no minus before a zero


def is_expressible(number: float) -> bool:
    """Whether a real number has a text of the API's form."""
    return number == 0 or SMALLEST <= abs(number) <= LARGEST
