"""Throughput of searches beside a bare Indexed Job of the very same pods, in alternating runs.

    benchmarks/throughput                       five rounds; goes on where it was stopped
    benchmarks/throughput --output benchmarks/measured/throughput-2026-11-26.json
    benchmarks/throughput --report FILE         the tables of an earlier run; needs no cluster

A round is Random, bare Job, TPE (every other round TPE, bare Job, Random), so that each search lies
beside the bare Job and neither is always first. The exit code is 1 if a figure lies outside the
range that throughput_ranges.yaml expects.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import yaml

from benchmarks.cluster_runs.cluster import ROOT, BenchCluster, bring_up
from benchmarks.cluster_runs.figures import figures
from benchmarks.cluster_runs.report import report
from benchmarks.cluster_runs.runs import Bench, Row
from benchmarks.cluster_runs.workloads import Workload, differences
from benchmarks.machine import cluster_facts
from benchmarks.pairs import FEWEST_PAIRS
from benchmarks.ranges import check
from benchmarks.results import Results, open_results, read_results
from tests.support.api import open_api

RANGES = ROOT / "benchmarks/throughput_ranges.yaml"
DEFAULT_OUTPUT = ROOT / "build/benchmarks/throughput.json"
PACKED_AT = 10
"""Parallelism at which several trials share a pod, too."""
TRIALS_PER_PACKED_POD = 8


def workloads(round_number: int, parallelism: int, trials: int) -> list[Workload]:
    """The runs of a round in their order."""
    order = ["random", "bare", "tpe"]
    plain = [
        Workload(kind, parallelism, trials) for kind in order[:: 1 if round_number % 2 else -1]
    ]
    packed = [
        Workload(f"{kind}-packed", parallelism, trials, TRIALS_PER_PACKED_POD)
        for kind in ("random", "tpe")
    ]
    return plain + (packed if parallelism == PACKED_AT else [])


def is_measured(rows: Iterable[Row], round_number: int, parallelism: int) -> bool:
    """Whether a round was measured before."""
    return any(r.round == round_number and r.parallelism == parallelism for r in rows)


async def measure(options: argparse.Namespace, cluster: BenchCluster) -> Results[Row]:
    """Run what is missing of all rounds."""
    async with open_api(cluster.kubeconfig) as api:
        bench = Bench(cluster, api)
        settings = {"trials": options.trials, "parallelism": options.parallelism}
        results = open_results(options.output, Row, await cluster_facts(api), settings)
        await bench.prepare()
        await bench.run(0, Workload("bare", 2, 4))  # pulls the image, binds the claim
        for round_number in range(1, options.rounds + 1):
            for parallelism in options.parallelism:
                if not is_measured(results.rows, round_number, parallelism):
                    planned = workloads(round_number, parallelism, options.trials)
                    results.add(await _round(bench, round_number, planned))
    return results


async def _round(bench: Bench, number: int, planned: Sequence[Workload]) -> list[Row]:
    """The runs of one round, whose pods must be equal.

    Raises:
        ValueError: if the pods of a search differ from those of the bare Job.
    """
    rows, templates = [], {}
    for workload in planned:
        row, found = await bench.run(number, workload)
        rows.append(row)
        templates[workload.kind] = found[0]
        print(_line(row), file=sys.stderr, flush=True)
    for kind, template in templates.items():
        unequal = differences(templates["bare"], template)
        if unequal:
            raise ValueError(f"pods of {kind} differ from the bare Job's: {', '.join(unequal)}")
    return rows


def _line(row: Row) -> str:
    gap = "-" if row.gap_p95 is None else f"{row.gap_p95:.2f} s"
    return (
        f"round {row.round}, parallelism {row.parallelism}: {row.kind:14} "
        f"{row.per_minute:6.1f} trials/min, gap p95 {gap}, writes {row.cluster_writes} in all, "
        f"{row.operator_writes} of the operator, its CPU {row.operator_cpu} s, "
        f"load before {row.load_before}"
    )


def parse(words: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        "benchmarks/throughput", description=__doc__, formatter_class=form
    )
    parser.add_argument("--rounds", type=int, default=FEWEST_PAIRS)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--parallelism", type=int, nargs="+", default=[10, 30])
    parser.add_argument("--output", type=Path, default=DEFAULT_OUTPUT)
    parser.add_argument("--report", type=Path, metavar="FILE")
    return parser.parse_args(words)


def main() -> int:
    """Measure, or read what was measured; print the tables; 1 if a figure is out of its range."""
    options = parse(sys.argv[1:])
    results = (
        read_results(options.report, Row)
        if options.report
        else asyncio.run(measure(options, bring_up()))
    )
    verdicts = check(figures(results.rows), yaml.safe_load(RANGES.read_text()))
    print(report(results, verdicts))
    return 0 if all(verdict.holds for verdict in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
