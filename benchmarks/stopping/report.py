"""From rows of early stopping to figures and tables. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from benchmarks.cluster_runs.timeline import percentile
from benchmarks.ranges import Verdict
from benchmarks.results import Results
from devcluster.prometheus import SCRAPE_SECONDS

POINTS = 100


@dataclass(frozen=True, slots=True)
class Row:
    """One method on the trials of one search."""

    task: str
    seed: int
    method: str
    trials: int
    epochs: int
    all_epochs: int
    """Of the same trials without early stopping."""
    test: float
    """Of the winner, on the split that nothing chooses by."""
    full_test: float
    """Of the winner without early stopping."""
    test_error: float
    """Standard error of that one."""
    seconds_to_stop: list[float] = field(default_factory=list)
    """On real pods: from the rung to the end of the pod, of each trial that was stopped."""
    load: float | None = None
    """On real pods: processes that wanted to run, at the end of the search."""

    @property
    def saved(self) -> float:
        """Share of the epochs that was not spent."""
        return 1 - self.epochs / self.all_epochs

    @property
    def lost(self) -> float:
        """Points on the test split."""
        return POINTS * (self.full_test - self.test)


def by_method(rows: Iterable[Row]) -> dict[tuple[str, str], list[Row]]:
    """Rows of each task and method."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        found.setdefault((row.task, row.method), []).append(row)
    return found


def noise(rows: Sequence[Row]) -> float:
    """Points by which the mean loss over the seeds may be off: two of its standard errors.

    The larger of two estimates: from the spread of the losses over the seeds, and from the winner's own
    error on its test split, since all of few seeds may happen to be equal.
    """
    count = len(rows)
    spread = statistics.stdev([row.lost for row in rows]) if count > 1 else 0.0
    own = POINTS * statistics.fmean(row.test_error for row in rows)
    return 2 * max(spread, own) / math.sqrt(count)


def figures(rows: Iterable[Row]) -> dict[str, float]:
    """What ranges are given for."""
    made: dict[str, float] = {}
    for (task, method), found in by_method(rows).items():
        name = f"{task}_{method}".replace(",", "").replace(" ", "_")
        made[f"{name}_saved"] = statistics.fmean(row.saved for row in found)
        lost = statistics.fmean(row.lost for row in found)
        made[f"{name}_lost_beyond_noise"] = max(0.0, lost - noise(found))
        seconds = [s for row in found for s in row.seconds_to_stop]
        if seconds:
            made[f"{name}_stop_p95_seconds"] = percentile(seconds, 0.95)
    return made


def report(results: Results[Row], verdicts: Sequence[Verdict]) -> str:
    """Machine, a table for each task, and what was expected."""
    rows, machine = results.rows, results.machine
    parts = [", ".join(f"{key} {value}" for key, value in machine.items())]
    for task in dict.fromkeys(row.task for row in rows):
        own = [row for row in rows if row.task == task]
        seeds = sorted({row.seed for row in own})
        parts.append(
            f"\n{task}: {len(seeds)} seeds, {own[0].trials} trials, {own[0].all_epochs} epochs"
        )
        parts.append(
            "method             epochs saved  lost on test, points   each seed                    "
            "rung to pod's end p50  p95"
        )
        parts += [_line(method, found) for (_, method), found in by_method(own).items()]
    parts += ["\nexpected\n", *(verdict.text() for verdict in verdicts)]
    return "\n".join(parts)


def _line(method: str, rows: Sequence[Row]) -> str:
    saved = statistics.fmean(row.saved for row in rows)
    lost = statistics.fmean(row.lost for row in rows)
    each = " ".join(f"{row.lost:+.1f}" for row in rows)
    seconds = [s for row in rows for s in row.seconds_to_stop]
    times = ""
    if seconds:
        middle, late = percentile(seconds, 0.5), percentile(seconds, 0.95)
        scrapes = f"{middle / SCRAPE_SECONDS:.1f} and {late / SCRAPE_SECONDS:.1f} scrapes"
        loads = [row.load for row in rows if row.load is not None]
        times = f"{middle:>12.1f} s {late:>6.1f} s ({scrapes}; load {max(loads, default=0):.0f})"
    return f"{method:18} {saved:>11.0%}  {lost:+8.2f} (noise {noise(rows):.2f})  {each:28} {times}"
