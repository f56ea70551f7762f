"""How figures are written for people: speedups, sizes, times, shares, errors.

Used by the reasons of a choice, the report and the status, so that a person reads the same figure
everywhere. Text only: nothing here is read back.
"""

from __future__ import annotations

import math

from winnow_contract.measuring.metrics import SEPARATOR

__all__ = [
    "amount_text",
    "count_text",
    "difference_text",
    "key_words",
    "limit_text",
    "measured_text",
    "ratio_text",
    "seconds_text",
    "size_text",
    "speedup_text",
]

_BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi")
_DECIMAL = ("", "k", "M", "G", "T")
_STEP = 1024
_THOUSAND = 1000
_WHOLE_FROM = 100
"""A speedup from here on is shown without a decimal: nobody reads it."""


def speedup_text(ratio: float) -> str:
    """How many times as fast: `9.4x`, `130x`, `0.82x`."""
    if ratio < 1:
        return f"{ratio:.2f}x"
    return f"{ratio:.1f}x" if ratio < _WHOLE_FROM else f"{ratio:.0f}x"


def ratio_text(ratio: float) -> str:
    """A share of the baseline's figure, three significant digits: `0.266`, `1.05`."""
    return f"{ratio:.3g}"


def size_text(size_bytes: float) -> str:
    """Bytes in binary units as kubectl shows them: `97Ki`, `1.4Mi`, `512`."""
    return _scaled(size_bytes, step=_STEP, units=_BINARY)


def count_text(count: float) -> str:
    """A large number in short: `11.2M`, `168k`, `906`."""
    return _scaled(count, step=_THOUSAND, units=_DECIMAL, digits=3)


def seconds_text(seconds: float) -> str:
    """A time in the unit that suits it, three significant digits: `106 µs`, `2.49 ms`."""
    for limit, factor, unit in ((1e-3, 1e6, "µs"), (1.0, 1e3, "ms")):
        if 0 < abs(seconds) < limit:
            return f"{_significant(seconds * factor)} {unit}"
    return f"{_significant(seconds)} s"


def measured_text(value: float, error: float | None) -> str:
    """A quality with its standard error: `0.9861 +- 0.0048`."""
    return f"{value:.4f}" if error is None else f"{value:.4f} +- {error:.4f}"


def amount_text(key: str, value: float) -> str:
    """A value of a metric in its own unit, by the metric's name."""
    metric = key.partition(SEPARATOR)[0]
    if metric.endswith("_seconds"):
        return seconds_text(value)
    if metric.endswith("_bytes"):
        return size_text(value)
    if metric.endswith("_per_second"):
        return f"{count_text(value)}/s"
    if metric in {"parameters", "operations"}:
        return count_text(value)
    return f"{value:.4f}"


def limit_text(key: str, limit: float) -> str:
    """A bound as the user wrote it, every digit of it, with its unit."""
    metric = key.partition(SEPARATOR)[0]
    units = {"_seconds": " s", "_bytes": " bytes", "_per_second": "/s"}
    unit = next((text for end, text in units.items() if metric.endswith(end)), "")
    return f"{limit:.12g}{unit}"


def difference_text(key: str, amount: float) -> str:
    """A difference of two values of a metric; one that four decimals would hide is not rounded."""
    text = amount_text(key, amount)
    return f"{amount:.2g}" if amount and text in {"0.0000", "-0.0000"} else text


def key_words(key: str) -> str:
    """A key of a measurement in words: `latency_p95_seconds at batch size 64`."""
    metric, _, batch = key.partition(SEPARATOR)
    return f"{metric} at batch size {batch}" if batch else metric


def _scaled(amount: float, *, step: int, units: tuple[str, ...], digits: int = 2) -> str:
    size, unit = float(amount), 0
    while abs(_short(size, digits)) >= step and unit < len(units) - 1:
        size, unit = size / step, unit + 1
    if unit == 0:
        return f"{size:.0f}"
    return f"{_plain(_short(size, digits))}{units[unit]}"


def _short(size: float, digits: int) -> float:
    whole = len(str(int(abs(size))))
    return round(size, max(0, digits - whole))


def _plain(number: float) -> str:
    return f"{number:.0f}" if float(number).is_integer() else f"{number:g}"


def _significant(number: float) -> str:
    if number == 0:
        return "0"
    short = float(f"{number:.3g}")
    decimals = max(0, 2 - math.floor(math.log10(abs(short))))
    return f"{short:.{decimals}f}"
