"""From rows of a throughput measurement to the figures that are published. Pure.

A figure's name says what it is and at which parallelism: `random_ratio_10`, `tpe_gap_p95_10`,
`random_pods_ratio_10` for a ratio of pods that ended rather than of trials that were recorded.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

from benchmarks.cluster_runs.runs import Row
from benchmarks.pairs import FEWEST_PAIRS, Interval, median_interval

SEARCHES = ("random", "tpe")
PACKED = ("random-packed", "tpe-packed")


RATES = {"ratio": "per_minute", "pods_ratio": "pods_per_minute"}
"""Fields of a row that are compared, by the word in the figure's name."""


def ratios(
    rows: Iterable[Row], kind: str, parallelism: int, rate: str = "per_minute"
) -> list[float]:
    """Trials per minute of a search over those of the bare Job of the same round."""
    chosen = [r for r in rows if r.parallelism == parallelism]
    found = {(r.round, r.kind): getattr(r, rate) for r in chosen}
    rates = {run: value for run, value in found.items() if value is not None}
    rounds = sorted(number for number, name in rates if name == kind and (number, "bare") in rates)
    return [rates[number, kind] / rates[number, "bare"] for number in rounds]


def paired_ratios(rows: Sequence[Row]) -> dict[str, list[float]]:
    """The ratios of all rounds, of each search at each parallelism."""
    return {
        f"{kind}_{word}_{parallelism}": ratios(rows, kind, parallelism, rate)
        for parallelism in sorted({row.parallelism for row in rows})
        for kind in SEARCHES
        for word, rate in RATES.items()
    }


def ratio_intervals(rows: Sequence[Row]) -> dict[str, Interval]:
    """The medians of these ratios, where there are enough of them."""
    pairs = paired_ratios(rows).items()
    return {name: median_interval(v) for name, v in pairs if len(v) >= FEWEST_PAIRS}


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
