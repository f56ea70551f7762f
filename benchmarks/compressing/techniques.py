"""Each technique of compression beside its control, over several seeds.

    benchmarks/techniques                      five seeds; goes on where it was stopped
    benchmarks/techniques --output benchmarks/measured/techniques-2026-11-27.json
    benchmarks/techniques --only neurons       contests whose names start so
    benchmarks/techniques --report FILE        the tables of an earlier run; trains nothing

Contests are independent; what is compared are the sides of one contest with one seed. Negative
results are printed like the others.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.compressing.contests import Contest, contests
from benchmarks.compressing.technique_report import Row, report
from benchmarks.compressing.technique_sources import DATA, TEST, VALIDATION, trained
from benchmarks.machine import trainer_facts
from benchmarks.results import Results, open_results, read_results
from winnow_trainer.determinism import make_deterministic

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_OUTPUT = ROOT / "build/benchmarks/techniques.json"
FEWEST_SEEDS = 5


def facts() -> dict[str, Any]:
    """Everything that explains why another machine gives other figures."""
    return {**trainer_facts(), "data": f"{DATA}, test {TEST}, validation {VALIDATION}"}


def run(contest: Contest, seed: int) -> Row:
    """One contest with one seed."""
    bench = trained(contest.source, seed)
    outcomes = {name: side(bench) for name, side in contest.sides.items()}
    return Row(
        contest.name,
        seed,
        {name: outcome.value for name, outcome in outcomes.items()},
        {name: outcome.start for name, outcome in outcomes.items()},
        bench.accuracy(bench.work.model),
    )


def measure(chosen: Sequence[Contest], seeds: int, results: Results[Row]) -> None:
    """Run what is missing."""
    done = {(row.contest, row.seed) for row in results.rows}
    for contest in chosen:
        for seed in range(seeds):
            if (contest.name, seed) in done:
                continue
            started = time.process_time()
            results.add([run(contest, seed)])
            took = time.process_time() - started
            print(f"{contest.name}, seed {seed}: {took:.1f} s", file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    options = _parsed(arguments)
    chosen = [contest for contest in contests() if contest.name.startswith(options.only)]
    if options.report:
        results = read_results(options.report, Row)
    else:
        make_deterministic(1)
        results = open_results(options.output, Row, facts(), {})
        measure(chosen, options.seeds, results)
    about = {contest.name: contest.about for contest in chosen}
    print(report(results.machine, about, results.rows))
    return 0


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--seeds", type=int, default=FEWEST_SEEDS, help="at least five for intervals"
    )
    parser.add_argument("--only", default="", help="start of the names of contests")
    parser.add_argument("--output", type=Path, default=DEFAULT_OUTPUT, help="JSON file of rows")
    parser.add_argument("--report", type=Path, help="print the tables of this file alone")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
