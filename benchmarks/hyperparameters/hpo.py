"""Searches of hyperparameters beside each other: Winnow's algorithms, Optuna, hyperopt and scikit-learn.

    benchmarks/hpo                          ten seeds; goes on where it was stopped
    benchmarks/hpo --only bbob --seeds 2    tasks whose names start so, with fewer seeds
    benchmarks/hpo --methods TPE Auto       some methods; the others may follow in another call
    benchmarks/hpo --output FILE
    benchmarks/hpo --report FILE            the tables of an earlier run; searches nothing

Each method searches each task with each seed, one trial after the other. Winnow's algorithms are the
engines of the operator, driven as the operator drives them. Where the sources of these have changed since,
their searches are made anew, and the others' are kept.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from benchmarks.hyperparameters.coco import coco_tasks
from benchmarks.hyperparameters.methods import (
    PEERS,
    chosen_by_auto,
    own_search,
    spec_of,
    takes_part,
)
from benchmarks.hyperparameters.report import AUTO, OWN, Row, figures, report
from benchmarks.hyperparameters.tasks import Objective, Task
from benchmarks.hyperparameters.trainings import REAL
from benchmarks.machine import hpo_facts, sources_digest
from benchmarks.ranges import check
from benchmarks.results import Results, open_results, read_results
from winnow_operator.api.searchjob import Space as SpaceSpec
from winnow_operator.domain.spaces.space import Space, parse_space
from winnow_operator.engines.sampling import RandomEngine
from winnow_trainer.determinism import make_deterministic

ROOT = Path(__file__).resolve().parents[2]
RANGES = ROOT / "benchmarks/hpo_ranges.yaml"
DEFAULT_OUTPUT = ROOT / "build/benchmarks/hpo.json"
METHODS = (*OWN, *PEERS)
SEEDS = 10
START_POINTS = 50
"""Random points whose median value is the start."""
DIGITS = 8
"""Of a value that is kept."""
ENGINES = (
    "operator/winnow_operator/engines/**/*.py",
    "operator/winnow_operator/domain/spaces/*.py",
)


def measure(options: argparse.Namespace, results: Results[Row]) -> None:
    """Run what is missing, the short searches of all tasks first."""
    engines = sources_digest(*ENGINES)
    kept = {(row.task, row.seed, row.trials): row for row in results.rows}
    for trials, seed, task in _plan(options):
        row, is_new = kept.get((task.name, seed, trials)), False
        if row is None:
            row, is_new = _new_row(task, seed, trials), True
        if fill(row, task, engines, options.methods):
            results.add([row] if is_new else [])
            print(f"{trials} trials, {task.name}, seed {seed}", file=sys.stderr, flush=True)


def _plan(options: argparse.Namespace) -> Iterator[tuple[int, int, Task]]:
    """Searches in the order in which they are made."""
    every: tuple[Task, ...] = (*coco_tasks(), *REAL)
    tasks = [task for task in every if task.name.startswith(options.only)]
    for turn in range(max((len(task.trials) for task in tasks), default=0)):
        able = [task for task in tasks if turn < len(task.trials)]
        for seed in range(1, options.seeds + 1):
            yield from ((task.trials[turn], seed, task) for task in able)


def _new_row(task: Task, seed: int, trials: int) -> Row:
    space = _space(task)
    points = RandomEngine(space, seed)
    with task.objective(seed) as objective:
        drawn = [points.suggest(number) for number in range(1, START_POINTS + 1)]
        values = [objective.value(point) for point in drawn if point is not None]
        start = statistics.median(value for value in values if not math.isnan(value))
        optimum = objective.optimum
    return Row(task.name, task.suite, seed, trials, _short(start), optimum, engines="")


def fill(row: Row, task: Task, engines: str, methods: Sequence[str]) -> bool:
    """Run the searches by some methods that a row lacks; False if there are none."""
    space = _space(task)
    able = [name for name in methods if takes_part(name, space, row.trials)]
    if row.engines != engines:
        row.best = {name: value for name, value in row.best.items() if name not in OWN}
        row.engines = engines
    missing = [name for name in able if name not in row.best]
    if missing:
        with task.objective(row.seed) as objective:
            for name in missing:
                row.best[name] = _short(_found(name, row, task, objective))
        row.best = {name: row.best[name] for name in METHODS if name in row.best}
    return bool(missing)


def _found(method: str, row: Row, task: Task, objective: Objective) -> float:
    """The least value that a method finds in a task."""
    space = _space(task)
    if method in PEERS:
        return PEERS[method](space, objective, row.trials, row.seed)
    spec = spec_of(method, task.space, row.trials, row.seed)
    if method == AUTO and (chosen := chosen_by_auto(space, spec)) in row.best:
        return row.best[chosen]
    return own_search(spec, space, objective, row.trials)


def _space(task: Task) -> Space:
    return parse_space(SpaceSpec.model_validate(task.space))


def _short(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 1 if a figure lies outside its range."""
    options = _parsed(arguments)
    if options.report:
        results = read_results(options.report, Row)
    else:
        make_deterministic(1)
        settings = {"start_points": START_POINTS}
        results = open_results(options.output, Row, hpo_facts(), settings)
        measure(options, results)
    verdicts = check(figures(results.rows), yaml.safe_load(RANGES.read_text()))
    print(report(results.rows))
    print("\n".join(verdict.text() for verdict in verdicts))
    return 0 if all(verdict.holds for verdict in verdicts) else 1


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "benchmarks/hpo", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", help="start of the names of tasks")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS, metavar="METHOD")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--output", type=Path, default=DEFAULT_OUTPUT)
    parser.add_argument("--report", type=Path, metavar="FILE")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
