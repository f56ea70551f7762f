"""From rows of a comparison of servers to the figures and the table that are published. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.ranges import Verdict


@dataclass(frozen=True, slots=True)
class Row:
    """One server under one load in one round."""

    round: int
    model: str
    server: str
    connections: int
    per_second: float
    p50_milliseconds: float
    p99_milliseconds: float
    failed: int
    cpu_microseconds: float
    """Of the server, per request."""
    memory_mib: float
    image_mib: float
    """Of its packages; 0: not asked for."""
    load: float
    """Of the machine, before."""


def line(row: Row) -> str:
    """A line about a row, as it is measured."""
    return (
        f"round {row.round} {row.model:6} {row.server:20} {row.connections:2} connections "
        f"{row.per_second:9.1f}/s p50 {row.p50_milliseconds:8.3f} ms p99 "
        f"{row.p99_milliseconds:8.3f} ms cpu {row.cpu_microseconds:7.1f} us, {row.failed} failed"
    )


def figures(rows: Sequence[Row]) -> dict[str, float]:
    """Requests per second of ours over those of another in the same round, medians; by name."""
    rates = {(r.model, r.connections, r.server, r.round): r.per_second for r in rows}
    ratios: dict[str, list[float]] = {}
    for (model, connections, server, number), rate in rates.items():
        ours = rates.get((model, connections, "winnow", number))
        if ours is not None and " " not in server and server != "winnow":
            ratios.setdefault(f"{model}_{connections}_over_{server}", []).append(ours / rate)
    return {name: statistics.median(values) for name, values in ratios.items()}


def report(rows: Sequence[Row], machine: Mapping[str, Any], verdicts: Sequence[Verdict]) -> str:
    """Medians over the rounds as a table in Markdown, and the verdicts."""
    head = (
        "| model | server | connections | requests/s | p50 ms | p99 ms | CPU us/request | memory MiB "
        "| image MiB | failed |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    )
    keys = dict.fromkeys((r.model, r.server, r.connections) for r in rows)
    lines = [head, *(_medians(rows, *key) for key in keys)]
    facts = ", ".join(f"{name} {value}" for name, value in machine.items())
    return "\n".join([facts, "", *lines, "", *(verdict.text() for verdict in verdicts)])


def _medians(rows: Sequence[Row], model: str, server: str, connections: int) -> str:
    chosen = [r for r in rows if (r.model, r.server, r.connections) == (model, server, connections)]

    def median(name: str, digits: int) -> str:
        return f"{statistics.median(getattr(row, name) for row in chosen):,.{digits}f}"

    cells = [
        model,
        server,
        str(connections),
        median("per_second", 0),
        median("p50_milliseconds", 2),
        median("p99_milliseconds", 2),
        median("cpu_microseconds", 0),
        median("memory_mib", 0),
        median("image_mib", 0) if chosen[0].image_mib else "",
        str(sum(row.failed for row in chosen)),
    ]
    return f"| {' | '.join(cells)} |"
