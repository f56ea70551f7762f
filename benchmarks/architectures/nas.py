"""Searches of architectures beside each other: on a table of 3,906 nets, or by training CNNs.

    benchmarks/nas                        on the table, 100 seeds; goes on where it was stopped
    benchmarks/nas --only Random TPE      some methods
    benchmarks/nas --report FILE          the tables of an earlier run; searches nothing
    benchmarks/nas --make-table FILE      trains the table anew, twenty minutes; goes on where it was stopped
    benchmarks/nas --real                 trains CNNs on mnist5k in this process, five seeds

Each method is an engine of the operator, driven as the operator drives it, with four trials at a time.
A trial of a search on the table gets the accuracy of one of three trained seeds; at its end the five
best are looked up with all three, and the best of those is what the search has found. Its regret
is what is missing to the best of the table.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.architectures.methods import METHODS
from benchmarks.architectures.report import BUDGETS, Row, goals, report
from benchmarks.architectures.space import SlotGrammar
from benchmarks.architectures.table import Table, facts, read_table
from benchmarks.machine import nas_facts
from benchmarks.results import Results, open_results, read_results
from tests.support.replayed_search import Point, ReplayedSearch
from winnow_operator.domain.spaces.space import Nets

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_OUTPUT = ROOT / "build/benchmarks/nas.json"
SEEDS = 100
PARALLEL = 4
LOOKED_UP = 5
"""The best trials that are measured once more at the end."""


def search(method: str, seed: int, table: Table) -> Row:
    """One search of the table."""
    nets = Nets(SlotGrammar())
    started = time.process_time()

    def score(point: Point) -> float:
        return -table.drawn(str(point[nets.name]), seed)

    done = ReplayedSearch(partial(METHODS[method], nets, seed), score)
    done.run(BUDGETS[-1], parallel=PARALLEL)
    for number in done.active():
        done.end(number)
    took = time.process_time() - started
    trials = [(r.score or 0.0, str(r.assignment[nets.name])) for r in done.records.values()]
    return Row(
        method,
        seed,
        [_regret(trials[:budget], table, LOOKED_UP) for budget in BUDGETS],
        [_regret(trials[:budget], table, 1) for budget in BUDGETS],
        round(took, 3),
    )


def _regret(trials: Sequence[tuple[float, str]], table: Table, looked_up: int) -> float:
    """Of the best of some, each of which is looked up, in points of accuracy."""
    best = list(dict.fromkeys(text for _, text in sorted(trials)))[:looked_up]
    return round(100 * (table.best - max(map(table.mean, best))), 4)


def measure(methods: Sequence[str], seeds: int, results: Results[Row], table: Table) -> None:
    """Run what is missing."""
    done = {(row.method, row.seed) for row in results.rows}
    for seed in range(seeds):
        missing = [method for method in methods if (method, seed) not in done]
        if missing:
            results.add([search(method, seed, table) for method in missing])
            print(f"seed {seed}", file=sys.stderr, flush=True)


def main() -> None:
    """Measure and print, or only print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=list(METHODS), default=list(METHODS))
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--report", type=Path)
    parser.add_argument("--make-table", type=Path)
    parser.add_argument("--real", action="store_true")
    given = parser.parse_args()
    if given.make_table is not None:
        make(given.make_table)
    elif given.real:
        from benchmarks.architectures.real import measure_real

        measure_real(given.output, given.report)
    else:
        contest(given)


def make(path: Path) -> None:
    """Train the table into a file."""
    from benchmarks.architectures.training import make_table

    np.savez_compressed(path, right=make_table(path.with_suffix(".part.npz")))


def contest(given: argparse.Namespace) -> None:
    """Search the table, and say what came of it; the exit code is 1 if a goal was missed."""
    table = read_table()
    if given.report is not None:
        rows = read_results(given.report, Row).rows
    else:
        output = given.output or DEFAULT_OUTPUT
        settings = {"parallel": PARALLEL, "budgets": list(BUDGETS), "looked_up": LOOKED_UP}
        results = open_results(output, Row, nas_facts(), settings)
        measure(given.only, given.seeds, results, table)
        rows = results.rows
    print(facts(table), end="\n\n")
    print(report(rows))
    reached = goals(rows)
    print("\n".join(f"{'reached' if met else 'MISSED'}: {goal}" for goal, met in reached))
    sys.exit(0 if all(met for _, met in reached) else 1)


if __name__ == "__main__":
    main()
