"""The tables of a throughput measurement as text. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence

from benchmarks.cluster_runs.figures import paired_ratios, ratio_intervals
from benchmarks.cluster_runs.runs import Row
from benchmarks.cluster_runs.spending import PAYERS
from benchmarks.ranges import Verdict
from benchmarks.results import Results

KINDS = ("bare", "random", "tpe", "random-packed", "tpe-packed")
COLUMNS = (
    "par  kind            trials/min  gap p50  gap p95  writes (Events)  operator's (Events)  CPU s"
)


def report(results: Results[Row], verdicts: Sequence[Verdict]) -> str:
    """Machine, medians of all rounds, paired ratios, and what was expected."""
    facts = {key: value for key, value in results.machine.items() if key != "packages"}
    packages = results.machine.get("packages", {})  # one has the cluster's name
    machine = f"{_words(facts)}; packages: {_words(packages)}"
    rows = results.rows
    rounds = len({row.round for row in rows})
    parts = [
        machine,
        f"\n{results.settings['trials']} trials in each run; medians of {rounds} rounds\n",
        COLUMNS,
        *_medians(rows),
        "\nratio to the bare Job of the same round: median [interval], each round\n",
        *_ratios(rows),
        *_spending(rows),
        "\nexpected\n",
        *(verdict.text() for verdict in verdicts),
    ]
    return "\n".join(parts)


def _words(facts: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in facts.items())


def _medians(rows: Sequence[Row]) -> Iterable[str]:
    for parallelism in sorted({row.parallelism for row in rows}):
        for kind in KINDS:
            chosen = [r for r in rows if (r.kind, r.parallelism) == (kind, parallelism)]
            if chosen:
                yield _line(parallelism, kind, chosen)


def _line(parallelism: int, kind: str, rows: Sequence[Row]) -> str:
    def median(name: str, digits: int = 2) -> str:
        values = [v for row in rows if (v := getattr(row, name)) is not None]
        return f"{statistics.median(values):.{digits}f}" if values else "-"

    cluster = f"{median('cluster_writes')} ({median('cluster_events')})"
    own = f"{median('operator_writes')} ({median('operator_events')})"
    return (
        f"{parallelism:3}  {kind:14}  {median('per_minute', 1):>10}  {median('gap_p50'):>7}  "
        f"{median('gap_p95'):>7}  {cluster:>15}  {own:>19}  {median('operator_cpu'):>5}"
    )


def _spending(rows: Sequence[Row]) -> Iterable[str]:
    """Who pays: CPU milliseconds per trial by part, where that was read."""
    known = [row for row in rows if row.cpu]
    if not known:
        return
    yield "\nCPU milliseconds per trial, from before the start until 3 s after the end; medians\n"
    yield f"{'par  kind':19}" + "".join(f"{part:>12}" for part in (*PAYERS, "all"))
    for parallelism in sorted({row.parallelism for row in known}):
        for kind in KINDS:
            chosen = [r for r in known if (r.kind, r.parallelism) == (kind, parallelism)]
            if chosen:
                yield f"{parallelism:3}  {kind:14}" + "".join(
                    f"{value:12.1f}" for value in _milliseconds(chosen)
                )


def _milliseconds(rows: Sequence[Row]) -> Iterable[float]:
    for part in PAYERS:
        yield statistics.median(1000.0 * row.cpu[part] / row.trials for row in rows)
    yield statistics.median(1000.0 * sum(row.cpu.values()) / row.trials for row in rows)


def _ratios(rows: Sequence[Row]) -> Iterable[str]:
    pairs = paired_ratios(rows)
    for name, interval in ratio_intervals(rows).items():
        each = " ".join(f"{value:.3f}" for value in pairs[name])
        yield f"{name:20} {interval.text()} at {interval.coverage:.0%}: {each}"
