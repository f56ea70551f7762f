"""From rows of a throughput measurement to the figures that are published. Pure.

A figure's name says what it is and at which parallelism: `random_ratio_10`, `tpe_gap_p95_10`.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

from benchmarks.pairs import FEWEST_PAIRS, Interval, median_interval
from benchmarks.runs import Row

SEARCHES = ("random", "tpe")
PACKED = ("random-packed", "tpe-packed")


def ratios(rows: Iterable[Row], kind: str, parallelism: int) -> list[float]:
    """Trials per minute of a search over those of the bare Job of the same round."""
    rates = {(r.round, r.kind): r.per_minute for r in rows if r.parallelism == parallelism}
    rounds = sorted(number for number, name in rates if name == kind and (number, "bare") in rates)
    return [rates[number, kind] / rates[number, "bare"] for number in rounds]


def ratio_intervals(rows: Sequence[Row]) -> dict[str, Interval]:
    """The median of the paired ratios of each search at each parallelism."""
    found = {}
    for parallelism in sorted({row.parallelism for row in rows}):
        for kind in SEARCHES:
            values = ratios(rows, kind, parallelism)
            if len(values) >= FEWEST_PAIRS:
                found[f"{kind}_ratio_{parallelism}"] = median_interval(values)
    return found


def figures(rows: Sequence[Row]) -> dict[str, float]:
    """All figures: medians over the rounds of ratios and gaps, the worst round of writes."""
    made = {name: interval.median for name, interval in ratio_intervals(rows).items()}
    for parallelism in sorted({row.parallelism for row in rows}):
        for kind in (*SEARCHES, *PACKED):
            chosen = [r for r in rows if (r.kind, r.parallelism) == (kind, parallelism)]
            made |= {f"{_word(kind)}_{k}_{parallelism}": v for k, v in _of(chosen).items()}
    return made


def _word(kind: str) -> str:
    return kind.replace("-", "_")


def _of(rows: Sequence[Row]) -> dict[str, float]:
    gaps = [r.gap_p95 for r in rows if r.gap_p95 is not None]
    worst = {
        "cluster_writes": [r.cluster_writes for r in rows],
        "operator_writes": [r.operator_writes for r in rows],
        "operator_events": [r.operator_events for r in rows],
    }
    made = {
        name: max(v for v in values if v is not None)
        for name, values in worst.items()
        if any(v is not None for v in values)
    }
    return {**made, **({"gap_p95": statistics.median(gaps)} if gaps else {})}
