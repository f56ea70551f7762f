"""What early stopping saves and loses: ASHA and the median beside one epoch for all, and nothing.

    benchmarks/early_stopping                  five seeds of two tasks, replayed; a quarter of an hour
    benchmarks/early_stopping --pods           besides, ASHA and the median across real pods
    benchmarks/early_stopping --output benchmarks/measured/early-stopping-2026-11-27.json
    benchmarks/early_stopping --report FILE    the tables of an earlier run; trains nothing

Each search is of the same trials for all methods: Random, by the seed. They are trained to their end once;
from what they had at the rungs follows what each method would have spent and chosen. The first search
of each task is run once more by the trainer with the rule, which must stop what the replay does.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from benchmarks.machine import load, trainer_facts
from benchmarks.ranges import check
from benchmarks.results import Results, open_results, read_results
from benchmarks.stopping.pods import PodRun, Stage
from benchmarks.stopping.replay import (
    Climb,
    Played,
    in_one_pod,
    one_epoch,
    side_by_side,
    to_the_end,
)
from benchmarks.stopping.report import Row, figures, report
from benchmarks.stopping.trainings import RULE, TASKS, Task, stopped_by_the_trainer, trained
from tests.support.api import open_api
from winnow_contract.stopping import ASHA, MEDIAN, StoppingRule
from winnow_trainer.determinism import make_deterministic

ROOT = Path(__file__).resolve().parents[2]
RANGES = ROOT / "benchmarks/early_stopping_ranges.yaml"
DEFAULT_OUTPUT = ROOT / "build/benchmarks/early-stopping.json"
KEPT = 5
"""Trials that go on after one epoch in the baseline."""
WORKERS = 4
RULES = {"asha": replace(RULE, algorithm=ASHA), "median": replace(RULE, algorithm=MEDIAN)}


@dataclass(slots=True)
class Search:
    """The recorded trainings of one task and seed."""

    task: Task
    seed: int
    climbs: Mapping[int, Climb]
    rows: list[Row] = field(default_factory=list)

    def add(self, method: str, played: Played, on_pods: PodRun | None = None) -> None:
        """Take down what came of a method."""
        seconds = () if on_pods is None else on_pods.seconds_to_stop
        full = to_the_end(self.climbs)
        best, own = self.climbs[full.winner], self.climbs[played.winner]
        self.rows.append(
            Row(
                task=self.task.name,
                seed=self.seed,
                method=method,
                trials=len(self.climbs),
                epochs=played.spent,
                all_epochs=full.spent,
                test=own.test,
                full_test=best.test,
                test_error=best.test_error,
                seconds_to_stop=[round(s, 3) for s in seconds],
                load=None if on_pods is None else load(),
            )
        )


def replayed(search: Search) -> None:
    """Every method on the same trainings."""
    search.add("one epoch", one_epoch(search.climbs, KEPT))
    for name, rule in RULES.items():
        search.add(f"{name}, {WORKERS} pods", side_by_side(search.climbs, rule, WORKERS))
        search.add(f"{name}, one pod", in_one_pod(search.climbs, rule))


def verify(search: Search, trials: int) -> None:
    """Run a search once more with the rule.

    Raises:
        ValueError: if the trainer stops other trials than the replay.
    """
    real = stopped_by_the_trainer(search.task, trials, search.seed)
    played = in_one_pod(search.climbs, RULE)
    if real != played.epochs:
        raise ValueError(f"{search.task.name}: the trainer stopped {real}, the replay {played}")


async def on_pods(search: Search, stage: Stage) -> None:
    """The same trainings, played by real pods: one search for each rule, side by side."""
    numbers = sorted(search.climbs)
    numbered = {place: search.climbs[number] for place, number in enumerate(numbers, 1)}
    runs: list[PodRun] = await asyncio.gather(
        *(stage.run(numbered, _stopping(rule)) for rule in RULES.values())
    )
    for name, run in zip(RULES, runs, strict=True):
        epochs = {numbers[place - 1]: n for place, n in run.played.epochs.items()}
        played = Played(numbers[run.played.winner - 1], epochs)
        search.add(f"{name}, real pods", played, run)


def _stopping(rule: StoppingRule) -> dict[str, Any]:
    return {"algorithm": rule.algorithm, "minimum": rule.minimum, "eta": rule.eta}


def measure(options: argparse.Namespace, results: Results[Row]) -> None:
    """Run what is missing."""
    done = {(row.task, row.seed) for row in results.rows}
    deployed = _deployed(options.profile) if options.pods else {}
    for task in (task for task in TASKS if task.name.startswith(options.only)):
        for seed in range(1, options.seeds + 1):
            if (task.name, seed) in done:
                continue
            started = time.monotonic()
            search = Search(task, seed, trained(task, options.trials, seed))
            if seed == 1:
                verify(search, options.trials)
            replayed(search)
            if options.pods:
                asyncio.run(_with_stage(search, options, deployed))
            results.add(search.rows)
            took = time.monotonic() - started
            print(f"{task.name}, seed {seed}: {took:.0f} s", file=sys.stderr, flush=True)


async def _with_stage(
    search: Search, options: argparse.Namespace, deployed: Mapping[str, str]
) -> None:
    async with open_api(Path(deployed["kubeconfig"])) as api:
        stage = Stage(
            api, deployed["image"], deployed["prometheus"], options.pace, options.parallelism
        )
        await on_pods(search, stage)


def _deployed(profile: str) -> dict[str, str]:
    """The cluster of a profile with this checkout's operator and a Prometheus."""
    command = [str(ROOT / "scripts/deploy"), "--profile", profile]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    made = json.loads(done.stdout.splitlines()[-1])
    status = [str(ROOT / "scripts/devcluster"), "status", "--profile", profile]
    said = subprocess.run(status, check=True, stdout=subprocess.PIPE, text=True).stdout
    (line,) = [line for line in said.splitlines() if line.startswith("prometheus")]
    return {
        "kubeconfig": made["kubeconfig"],
        "image": made["images"]["operator"],
        "prometheus": line.split()[-1],
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 1 if a figure lies outside its range."""
    options = _parsed(arguments)
    if options.report:
        results = read_results(options.report, Row)
    else:
        make_deterministic(1)
        settings = {"trials": options.trials, "rule": asdict(RULE)}
        if options.pods:
            settings |= {"pace": options.pace, "parallelism": options.parallelism}
        results = open_results(options.output, Row, trainer_facts(), settings)
        measure(options, results)
    made = figures(results.rows)
    ranges = {
        name: bounds
        for name, bounds in yaml.safe_load(RANGES.read_text()).items()
        if name.startswith(options.only) and (name in made or "real_pods" not in name)
    }
    verdicts = check(made, ranges)
    print(report(results, verdicts))
    return 0 if all(verdict.holds for verdict in verdicts) else 1


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "benchmarks/early_stopping",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", default="", help="start of the names of tasks")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--trials", type=int, default=24)
    parser.add_argument("--pods", action="store_true", help="needs root, as the devcluster does")
    parser.add_argument("--profile", default="bench", help="of the devcluster for --pods")
    parser.add_argument("--pace", type=float, default=2.0, help="seconds of an epoch in a pod")
    parser.add_argument("--parallelism", type=int, default=6, help="pods at one time")
    parser.add_argument("--output", type=Path, default=DEFAULT_OUTPUT)
    parser.add_argument("--report", type=Path, metavar="FILE")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
