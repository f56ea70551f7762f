"""The same searches in reality: CNNs of a searched cell, trained on mnist5k by the shared trainer.

Every trial trains for the same few epochs. At the end of a search its three best nets are trained
three times more with fresh seeds, and the best of those by the validation split is what it has found.
What is kept are the trainings: searches follow from them, so one that was stopped goes on, and a
net that two searches with one seed try is trained once.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks.architectures.methods import METHODS
from benchmarks.machine import trainer_facts
from benchmarks.results import Results, open_results, read_results
from tests.support.replayed_search import Point, ReplayedSearch
from tests.support.trainings import assignment_document, pod_variables
from winnow_contract.assignments import TrialAssignment
from winnow_contract.pod import start_pod
from winnow_operator.domain.architectures import CnnGrammar, CnnSpace
from winnow_operator.domain.spaces.space import Nets
from winnow_operator.engines.seeds import derived
from winnow_trainer.bench import Bench
from winnow_trainer.data.load import load_data
from winnow_trainer.determinism import make_deterministic
from winnow_trainer.task import read_task
from winnow_trainer.trials import run_trial, set_up

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_OUTPUT = ROOT / "build/benchmarks/nas-cnn.json"
COMPARED = ("Random", "Evolution", "Generative")
SEEDS = 5
TRIALS = 40
PARALLEL = 4
EPOCHS = 2
SETTINGS = {"learning_rate": "0.03", "batch_size": "32", "norm": "batch"}
"""With these, so few epochs are enough to tell nets apart."""
SHOWN = (10, 20, 30, 40)
FINALISTS = 3
REPEATS = 3
SPACE = CnnSpace(
    nodes=3,
    operations=(("conv", 1), ("conv", 3), ("conv", 5), ("separable", 3), ("max", 3)),
    stages=(1, 2),
    widths=(4, 8),
    strides=(2,),
    skips=True,
)


@dataclass(frozen=True, slots=True)
class Trained:
    """One training."""

    net: str
    seed: int
    """Of the training."""
    validation: float
    """Accuracy; 0 for a net that could not be trained."""
    test: float
    seconds: float


@dataclass(slots=True)
class Trainer:
    """Trains what the file does not have yet."""

    results: Results[Trained]
    bench: Bench | None
    """None to read only."""
    _known: dict[tuple[str, int], Trained] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._known = {(row.net, row.seed): row for row in self.results.rows}

    def trained(self, net: str, seed: int) -> Trained:
        """The training of a net with a seed.

        Raises:
            LookupError: if it has none and none can be made.
        """
        if (net, seed) not in self._known:
            if self.bench is None:
                raise LookupError(f"the file has no training of {net} with seed {seed}")
            self._known[net, seed] = row = _train(self.bench, net, seed)
            self.results.add([row])
        return self._known[net, seed]


def measure_real(output: Path | None, earlier: Path | None) -> None:
    """Run what is missing and print the curves."""
    if earlier is not None:
        print(report(Trainer(read_results(earlier, Trained), None)))
        return
    make_deterministic(1)
    settings = {"epochs": EPOCHS, "space": repr(SPACE), **SETTINGS}
    results = open_results(output or DEFAULT_OUTPUT, Trained, trainer_facts(), settings)
    with tempfile.TemporaryDirectory() as folder:
        print(report(Trainer(results, _bench(Path(folder)))))


def report(trainer: Trainer) -> str:
    """Markdown: means over the seeds of the best validation accuracy so far, and of what is found."""
    lines = [
        f"| strategy | {' | '.join(f'@{count}' for count in SHOWN)} | test, retrained |",
        f"|---|{'---|' * (len(SHOWN) + 1)}",
    ]
    found: dict[str, list[float]] = {}
    for method in COMPARED:
        curves, found[method] = list[list[float]](), list[float]()
        for seed in range(1, SEEDS + 1):
            best = search(method, seed, trainer)
            curves.append([100 * max(row.validation for row in best[:count]) for count in SHOWN])
            found[method].append(100 * _winner(best, seed, trainer))
            print(f"{method}, seed {seed}: {found[method][-1]:.2f}", file=sys.stderr, flush=True)
        means = " | ".join(f"{statistics.fmean(at):.2f}" for at in zip(*curves, strict=True))
        error = statistics.stdev(found[method]) / len(found[method]) ** 0.5
        lines.append(
            f"| {method} | {means} | {statistics.fmean(found[method]):.2f} ± {error:.2f} |"
        )
    return "\n".join([*lines, "", *_pairs(found)])


def search(method: str, seed: int, trainer: Trainer) -> Sequence[Trained]:
    """The trials of one search, in order."""
    nets = Nets(CnnGrammar(SPACE))

    def trial(point: Point) -> Trained:
        net = str(point[nets.name])
        return trainer.trained(net, derived(seed, net) & 0x7FFF_FFFF)

    done = ReplayedSearch(partial(METHODS[method], nets, seed), lambda p: -trial(p).validation)
    done.run(TRIALS, parallel=PARALLEL)
    return [trial(record.assignment) for _, record in sorted(done.records.items())]


def _winner(trials: Sequence[Trained], seed: int, trainer: Trainer) -> float:
    """Test accuracy of the best finalist, over fresh seeds."""
    best = sorted(trials, key=lambda row: -row.validation)[:FINALISTS]
    again = [
        [trainer.trained(row.net, derived(seed, row.net, n) & 0x7FFF_FFFF) for n in range(REPEATS)]
        for row in best
    ]
    chosen = max(again, key=lambda rows: statistics.fmean(row.validation for row in rows))
    return statistics.fmean(row.test for row in chosen)


def _pairs(found: Mapping[str, Sequence[float]]) -> list[str]:
    base = found[COMPARED[0]]
    lines = list[str]()
    for method in COMPARED[1:]:
        differences = [ours - theirs for ours, theirs in zip(found[method], base, strict=True)]
        listed = ", ".join(f"{difference:+.2f}" for difference in differences)
        lines.append(f"{method} beside {COMPARED[0]}, points of test accuracy by seed: {listed}")
    return lines


def _train(bench: Bench, net: str, seed: int) -> Trained:
    started = time.process_time()
    result = run_trial(bench, TrialAssignment("net", 1, seed, {"architecture": net}))
    took = round(time.process_time() - started, 2)
    return Trained(net, seed, result.objective or 0.0, result.test or 0.0, took)


def _bench(folder: Path) -> Bench:
    """What trial pods make of their assignment; nothing is saved."""
    document = assignment_document(
        {"architecture": "conv3 | 8"},
        family="CNN",
        data={"uri": "builtin://mnist5k"},
        settings={"epochs": str(EPOCHS), **SETTINGS},
    )
    variables = pod_variables(folder, document)
    del variables["WINNOW_ARTIFACTS"]
    pod = start_pod(variables)
    task = read_task(pod.assignments)
    return set_up(pod, task, load_data(task.data, folder), threading.Event())
