"""How small and fast a ResNet-18 and a Transformer become, and what accuracy that costs.

    benchmarks/compression                      trains what is not trained yet, then measures
    benchmarks/compression --output benchmarks/measured/compression-2026-11-27.json
    benchmarks/compression --only resnet        one of the two networks
    benchmarks/compression --report FILE        the tables of an earlier run; measures nothing

Networks and candidates are built by the trainer's own program and kept in the user's cache. The
models of a network are measured in one go, in turns; a network that the output holds already is not
measured again. The exit code is 1 if a figure lies outside the range that compression_ranges.yaml
expects.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from benchmarks.compressing.report import Row, figures, report
from benchmarks.compressing.subjects import Subject, subjects
from benchmarks.machine import trainer_facts
from benchmarks.pairs import FEWEST_PAIRS
from benchmarks.ranges import Verdict, check
from benchmarks.results import Results, open_results, read_results

ROOT = Path(__file__).resolve().parents[2]
RANGES = ROOT / "benchmarks/compression_ranges.yaml"
DEFAULT_OUTPUT = ROOT / "build/benchmarks/compression.json"
TURNS = 9


def facts() -> dict[str, Any]:
    """Everything that explains why another machine gives other figures."""
    from winnow_measure.machine import describe_machine

    integer = describe_machine()["integer instructions"]
    return {**trainer_facts(), "integer instructions": integer}


def measure(chosen: Sequence[Subject], turns: int, results: Results[Row]) -> None:
    """Build and measure what the results do not hold yet."""
    # Imported here, because a report needs no torch.
    from benchmarks.compressing.building import build
    from benchmarks.compressing.turns import measure_subject

    done = {row.subject for row in results.rows}
    for subject in chosen:
        if subject.name not in done:
            results.add(measure_subject(subject, build(subject), turns))


def expected(chosen: Sequence[Subject], rows: Sequence[Row]) -> list[Verdict]:
    """The figures of the chosen subjects beside their ranges."""
    ranges: Mapping[str, Mapping[str, Any]] = yaml.safe_load(RANGES.read_text())
    names = tuple(f"{subject.name}_" for subject in chosen)
    own = {name: bounds for name, bounds in ranges.items() if name.startswith(names)}
    return check(figures(chosen, rows), own)


def parse(words: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        "benchmarks/compression", description=__doc__, formatter_class=form
    )
    parser.add_argument("--turns", type=int, default=TURNS, help="at least five, for intervals")
    parser.add_argument("--only", default="", help="start of the names of networks")
    parser.add_argument("--output", type=Path, default=DEFAULT_OUTPUT, help="JSON file of rows")
    parser.add_argument("--report", type=Path, help="print the tables of this file alone")
    options = parser.parse_args(words)
    if options.turns < FEWEST_PAIRS:
        parser.error(f"--turns is {options.turns}; {FEWEST_PAIRS} are the fewest for an interval")
    return options


def main() -> int:
    """Measure, or read what was measured; print the tables; 1 if a figure is out of its range."""
    options = parse(sys.argv[1:])
    chosen = [subject for subject in subjects() if subject.name.startswith(options.only)]
    if options.report:
        results = read_results(options.report, Row)
    else:
        results = open_results(options.output, Row, facts(), {"turns": options.turns})
        measure(chosen, options.turns, results)
    verdicts = expected(chosen, results.rows)
    print(report(results.machine, chosen, results.rows, verdicts))
    return 0 if all(verdict.holds for verdict in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
