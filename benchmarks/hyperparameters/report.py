"""Ranks, normalised gaps and intervals of searches, and what they must show. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.stats import rankdata

AUTO = "Auto"
OWN = ("Grid", "Random", "QMC", "TPE", "CMAES", "NSGAII", AUTO)
"""Winnow's algorithms."""
DIRECT = {name: f"Optuna {name}" for name in OWN if name != AUTO} | {AUTO: "Optuna TPE"}
"""The same ones used directly; beside Auto stands what Optuna takes where nothing is named."""
SHORT = 50
"""Trials of a search that is short, at most; the others are looked at apart."""
RESAMPLES = 10_000
COVERAGE = 0.95
DIGITS = 3


@dataclass(slots=True)
class Row:
    """What all methods have found in a task with one seed, each with so many trials."""

    task: str
    suite: str
    seed: int
    trials: int
    start: float
    """The median value of random points."""
    optimum: float | None
    """The least value that there is; None if nobody knows."""
    engines: str
    """Digest of the sources that Winnow's own values are made by."""
    best: dict[str, float] = field(default_factory=dict)
    """The least value, by method."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Mean difference of two methods, and where it surely lies."""

    mean: float
    low: float
    high: float

    def text(self) -> str:
        """For tables."""
        return f"{self.mean:+.{DIGITS}f} [{self.low:+.{DIGITS}f}, {self.high:+.{DIGITS}f}]"


def gaps(row: Row) -> dict[str, float]:
    """Normalised gap of each method: 0 at the best value, 1 at the start.

    The best value is the optimum, or where nobody knows it, the best that any method has found.
    """
    best = min(row.best.values()) if row.optimum is None else row.optimum
    return {name: (value - best) / (row.start - best) for name, value in row.best.items()}


def ranks(values: Mapping[str, float]) -> dict[str, float]:
    """Rank of each from 1, the least value; those that are equal share the middle of theirs."""
    found = rankdata(list(values.values()))
    return {name: float(rank) for name, rank in zip(values, found, strict=True)}


def mean_ranks(rows: Iterable[Row], among: Sequence[str]) -> dict[str, float]:
    """Mean over the rows of each method's rank among some, where it takes part."""
    found: dict[str, list[float]] = {}
    for row in rows:
        own = {name: row.best[name] for name in among if name in row.best}
        for name, rank in ranks(own).items():
            found.setdefault(name, []).append(rank)
    return {name: statistics.fmean(found[name]) for name in among if name in found}


def place(mean_rank: Mapping[str, float], name: str) -> int:
    """1 for the best mean rank; those that are equal have the same place."""
    return 1 + sum(rank < mean_rank[name] for rank in mean_rank.values())


def is_worst(mean_rank: Mapping[str, float], name: str) -> bool:
    """Whether none has a worse mean rank, and some have a better one."""
    own = mean_rank[name]
    return own == max(mean_rank.values()) > min(mean_rank.values())


def by_task(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """The rows of each task."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.task, []).append(row)
    return found


def difference(rows: Iterable[Row], ours: str, theirs: str) -> Difference | None:
    """Of the normalised gaps, paired by task and seed; None if there are no pairs.

    The interval is a bootstrap over the tasks (Efron and Tibshirani, 1993, chapter 13: percentiles), since
    seeds of one task are alike.
    """
    means = list[float]()
    for own in by_task(rows).values():
        both = [gaps(row) for row in own if ours in row.best and theirs in row.best]
        if both:
            means.append(statistics.fmean(gap[ours] - gap[theirs] for gap in both))
    if not means:
        return None
    drawn = np.random.default_rng(0).choice(np.array(means), (RESAMPLES, len(means))).mean(axis=1)
    low, high = np.quantile(drawn, ((1 - COVERAGE) / 2, (1 + COVERAGE) / 2))
    return Difference(statistics.fmean(means), float(low), float(high))


def figures(rows: Sequence[Row]) -> dict[str, float]:
    """What ranges are expected of, by name."""
    made: dict[str, float] = {}
    for length, own in _by_length(rows).items():
        for name, peer in DIRECT.items():
            found = difference(own, name, peer)
            if found is not None:
                made[f"{length}_{name.lower()}_above_direct"] = found.high
        made |= {f"{length}_auto_{name}": value for name, value in _of_auto(own).items()}
    return made


def _of_auto(rows: Sequence[Row]) -> dict[str, float]:
    everywhere = mean_ranks(rows, OWN)
    if AUTO not in everywhere:
        return {}
    suites = [[row for row in rows if row.suite == suite] for suite in _suites(rows)]
    worst = [is_worst(mean_ranks(own, OWN), AUTO) for own in suites]
    tasks = [is_worst(mean_ranks(own, OWN), AUTO) for own in by_task(rows).values()]
    return {
        "place": place(everywhere, AUTO),
        "worst_in_suites": sum(worst),
        "worst_in_tasks": sum(tasks),
    }


def report(rows: Sequence[Row]) -> str:
    """Markdown: for short and long searches mean ranks and gaps by suite, and pairs."""
    parts = []
    for length, own in _by_length(rows).items():
        trials = " or ".join(map(str, sorted({row.trials for row in own})))
        tasks, seeds = len(by_task(own)), len({row.seed for row in own})
        head = f"{length.capitalize()} searches: {trials} trials, {tasks} tasks, {seeds} seeds"
        parts += [head, "", *_ranks(own, _suites(own)), "", *_pairs(own), ""]
    return "\n".join(parts)


def _ranks(rows: Sequence[Row], suites: Sequence[str]) -> list[str]:
    names = [*OWN, *sorted({name for row in rows for name in row.best} - set(OWN))]
    parts = [("all", rows), *((suite, [r for r in rows if r.suite == suite]) for suite in suites)]
    heads = " | ".join(f"{name}: rank, own, gap" for name, _ in parts)
    lines = [f"| method | {heads} |", f"|---|{'---|' * len(parts)}"]
    columns = [_column(own, names) for _, own in parts]
    lines += [
        f"| {name} | {' | '.join(column.get(name, '-') for column in columns)} |" for name in names
    ]
    return lines


def _column(rows: Sequence[Row], names: Sequence[str]) -> dict[str, str]:
    """Of each method: its mean rank among all, among Winnow's own, and its mean gap."""
    everyone, own = mean_ranks(rows, names), mean_ranks(rows, OWN)
    found: dict[str, list[float]] = {}
    for row in rows:
        for name, gap in gaps(row).items():
            found.setdefault(name, []).append(gap)
    return {
        name: f"{rank:.2f}, {_number(own.get(name))}, {statistics.fmean(found[name]):.{DIGITS}f}"
        for name, rank in everyone.items()
    }


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _pairs(rows: Sequence[Row]) -> list[str]:
    lines = [
        f"| algorithm | used directly | difference of the normalised gap, {COVERAGE:.0%} | tasks |",
        "|---|---|---|---|",
    ]
    for name, peer in DIRECT.items():
        found = difference(rows, name, peer)
        if found is not None:
            tasks = len(by_task(row for row in rows if name in row.best and peer in row.best))
            lines.append(f"| {name} | {peer} | {found.text()} | {tasks} |")
    return lines


def _suites(rows: Iterable[Row]) -> list[str]:
    return list(dict.fromkeys(row.suite for row in rows))


def _by_length(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {"short": [], "long": []}
    for row in rows:
        found["short" if row.trials <= SHORT else "long"].append(row)
    return {length: own for length, own in found.items() if own}
