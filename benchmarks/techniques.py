"""Each technique of compression beside its control, over several seeds.

    benchmarks/techniques                      five seeds; goes on where it was stopped
    benchmarks/techniques --seeds 7 --output benchmarks/measured/techniques-2026-11-25.json
    benchmarks/techniques --only neurons       contests whose names start so
    benchmarks/techniques --report FILE        the tables of an earlier run; trains nothing

Contests are independent; what is compared are the sides of one contest with one seed. Negative
results are printed like the others.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.contests import Contest, contests
from benchmarks.machine import cpu_model, revision
from benchmarks.technique_report import Row, report
from benchmarks.technique_sources import DATA, TEST, VALIDATION, trained
from winnow_trainer.determinism import make_deterministic

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_OUTPUT = ROOT / "build/benchmarks/techniques.json"
PACKAGES = ("torch", "torchao", "torch-pruning", "onnxruntime", "numpy")
SOURCES = ("trainer", "benchmarks")
FEWEST_SEEDS = 5


def facts() -> dict[str, Any]:
    """Everything that explains why another machine gives other figures."""
    return {
        "cpu": cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "threads": 1,
        "winnow": revision(SOURCES),
        **{name: importlib.metadata.version(name) for name in PACKAGES},
        "data": f"{DATA}, test {TEST}, validation {VALIDATION}",
    }


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


def measure(
    chosen: Sequence[Contest], seeds: int, path: Path, machine: Mapping[str, Any]
) -> list[Row]:
    """Run what is missing."""
    rows = _known(path, machine)
    done = {(row.contest, row.seed) for row in rows}
    for contest in chosen:
        for seed in range(seeds):
            if (contest.name, seed) in done:
                continue
            started = time.process_time()
            rows.append(run(contest, seed))
            _keep(path, machine, rows)
            took = time.process_time() - started
            print(f"{contest.name}, seed {seed}: {took:.1f} s", file=sys.stderr, flush=True)
    return rows


def _known(path: Path, machine: Mapping[str, Any]) -> list[Row]:
    """Rows of an earlier call; of another machine or version none are mixed in.

    Raises:
        SystemExit: if there are such rows.
    """
    if not path.exists():
        return []
    found, rows = _read(path)
    if found != machine:
        raise SystemExit(
            f"{path.name} was measured with another machine or version: name another file with "
            "--output"
        )
    return rows


def _read(path: Path) -> tuple[Mapping[str, Any], list[Row]]:
    document = json.loads(path.read_text())
    return document["machine"], [Row(**row) for row in document["rows"]]


def _keep(path: Path, machine: Mapping[str, Any], rows: Sequence[Row]) -> None:
    document = {"machine": dict(machine), "rows": [asdict(row) for row in rows]}
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(document, indent=1) + "\n")
    part.rename(path)  # whole or not at all


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    options = _parsed(arguments)
    chosen = [contest for contest in contests() if contest.name.startswith(options.only)]
    if options.report:
        machine, rows = _read(options.report)
    else:
        make_deterministic(1)
        machine = facts()
        rows = measure(chosen, options.seeds, options.output, machine)
    print(report(machine, {contest.name: contest.about for contest in chosen}, rows))
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
