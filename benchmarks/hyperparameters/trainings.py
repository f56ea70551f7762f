"""Real tasks: small trainings by the program that trial pods run, each made once and kept.

Within a search all trials train with one seed and on one split, which are the search's: so a task is a
function of its point, the same for all methods, and methods that try a point in searches of one seed share
its training. The objective is a loss and not the accuracy, of which many points of so small data sets
have the same.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import io
import math
import os
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks.hyperparameters.tasks import Objective, Point
from benchmarks.machine import sources_digest
from tests.support.trainings import assignment_document, pod_variables
from winnow_contract.assignments import TrialAssignment
from winnow_contract.pod import start_pod
from winnow_operator.api.searchjob import Space as SpaceSpec
from winnow_operator.domain.spaces.space import parse_space
from winnow_trainer.bench import Bench
from winnow_trainer.data.load import load_data
from winnow_trainer.task import read_task
from winnow_trainer.trials import run_trial, set_up

Parameters = list[dict[str, Any]]
TRAINED_BY = ("trainer/winnow_trainer/**/*.py", "benchmarks/hyperparameters/trainings.py")
"""Sources whose edits make trainings another function."""

RATE = {
    "name": "learning_rate",
    "double": {"min": "0.0001", "max": "1", "scale": "Log", "points": 3},
}
DECAY = {"name": "weight_decay", "double": {"min": "1e-6", "max": "1", "scale": "Log", "points": 2}}
DROPOUT = {"name": "dropout", "double": {"min": "0", "max": "0.6", "points": 2}}


def _sizes(name: str, low: int, high: int, points: int = 2) -> dict[str, Any]:
    return {"name": name, "int": {"min": low, "max": high, "scale": "Log", "points": points}}


def _choice(name: str, *values: str) -> dict[str, Any]:
    return {"name": name, "choice": {"values": list(values)}}


Key = tuple[str, int, str]
"""Task, seed, canonical text of the point."""


class Trainings:
    """Values of trainings by their keys, in a file that processes may share."""

    def __init__(self, path: Path | None = None) -> None:
        path = path or _file()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, timeout=60)
        self._database.execute("pragma synchronous = off")  # what a crash costs is trained again
        self._database.execute(
            "create table if not exists trainings"
            " (task text, seed integer, point text, value real, primary key (task, seed, point))"
        )

    def value(self, key: Key, train: Callable[[], float]) -> float:
        """That of an earlier training, or of one that is made now; NaN if it failed."""
        asked = "select value from trainings where task = ? and seed = ? and point = ?"
        found = self._database.execute(asked, key).fetchone()
        if found is not None:
            return math.nan if found[0] is None else float(found[0])
        value = train()
        stored = None if math.isnan(value) else value
        self._database.execute(
            "insert or replace into trainings values (?, ?, ?, ?)", (*key, stored)
        )
        self._database.commit()
        return value

    def close(self) -> None:
        """Close the file."""
        self._database.close()


def _file() -> Path:
    """Trainings of one state of the trainer and of this module; another one has another file."""
    cache = Path(os.environ.get("WINNOW_CACHE") or Path.home() / ".cache/winnow")
    made_by = sources_digest(*TRAINED_BY) + "-" + importlib.metadata.version("torch")
    return cache / f"benchmarks/hpo-trainings-{made_by}.sqlite"


def _train(bench: Bench, seed: int, point: Point) -> float:
    with contextlib.redirect_stdout(io.StringIO()):  # a line for each epoch
        result = run_trial(bench, TrialAssignment("trial", 1, seed, point))
    return math.nan if result.objective is None else result.objective


@dataclass(frozen=True, slots=True)
class TrainedTask:
    """A data set, a family with fixed settings, and what is searched."""

    name: str
    data: str
    family: str
    metric: str
    """Lower is better."""
    settings: Mapping[str, str]
    parameters: Parameters
    shares: Mapping[str, str] = field(default_factory=lambda: {"validation": "0.2", "test": "0.2"})
    """Of the rows; the rest is trained on."""
    every: int = 1
    """Of the data set only each row with a number that this divides."""
    suite: str = "real"
    trials: tuple[int, ...] = (30,)

    @property
    def space(self) -> dict[str, Any]:
        """As a SearchJob has it."""
        return {"parameters": self.parameters}

    @contextlib.contextmanager
    def objective(self, seed: int) -> Iterator[Objective]:
        """The function of all searches with a seed."""
        space = parse_space(SpaceSpec.model_validate(self.space))
        with tempfile.TemporaryDirectory() as folder, contextlib.closing(Trainings()) as kept:
            bench = self._bench(Path(folder), seed)

            def value(point: Point) -> float:
                key = (self.name, seed, space.canonical(point))
                return kept.value(key, lambda: _train(bench, seed, point))

            yield Objective(value, optimum=None)

    def _bench(self, folder: Path, seed: int) -> Bench:
        """What a trial pod makes of its assignment; nothing is saved."""
        data = {"uri": f"builtin://{self.data}"}
        first: dict[str, Any] = {}
        document = assignment_document(
            first, family=self.family, settings=dict(self.settings), data=data
        )
        document["objectives"] = [{"metric": self.metric, "goal": "Minimize"}]
        document["task"]["evaluation"] = {**self.shares, "seed": seed}
        variables = pod_variables(folder, document)
        del variables["WINNOW_ARTIFACTS"]
        pod = start_pod(variables)
        task = read_task(pod.assignments)
        whole = load_data(task.data, folder)
        features, targets = whole.features[:: self.every], whole.targets[:: self.every]
        dataset = replace(whole, features=features, targets=targets)
        return set_up(pod, task, dataset, threading.Event())


REAL: tuple[TrainedTask, ...] = (
    TrainedTask(
        name="real digits",
        data="digits",
        family="MLP",
        metric="log_loss",
        settings={"epochs": "3"},
        parameters=[
            RATE,
            DECAY,
            DROPOUT,
            _sizes("batch_size", 32, 256),
            _sizes("width", 8, 128),
            {"name": "depth", "int": {"min": 1, "max": 3, "points": 2}},
            _choice("activation", "relu", "tanh", "gelu"),
            _choice("optimizer", "adamw", "sgd"),
        ],
    ),
    TrainedTask(
        name="real breast cancer",
        data="breast_cancer",
        family="MLP",
        metric="log_loss",
        settings={"epochs": "5", "optimizer": "sgd"},
        parameters=[
            RATE,
            DECAY,
            {"name": "momentum", "double": {"min": "0", "max": "0.99", "points": 2}},
            DROPOUT,
            _sizes("batch_size", 16, 128),
            _sizes("width", 4, 64),
            {"name": "depth", "int": {"min": 1, "max": 3, "points": 2}},
        ],
    ),
    TrainedTask(
        name="real mnist5k",
        data="mnist5k",
        family="CNN",
        metric="log_loss",
        settings={"epochs": "1"},
        every=3,
        parameters=[
            RATE,
            DECAY,
            DROPOUT,
            _sizes("batch_size", 32, 256),
            _sizes("width", 2, 8),
            {"name": "depth", "int": {"min": 1, "max": 2}},
            _choice("kernel", "3", "5"),
            _choice("norm", "none", "batch"),
        ],
    ),
    TrainedTask(
        name="real diabetes",
        data="diabetes",
        family="MLP",
        metric="rmse",
        settings={"epochs": "6"},
        parameters=[
            RATE,
            DECAY,
            DROPOUT,
            _sizes("batch_size", 16, 128),
            _sizes("width", 4, 64),
            {"name": "depth", "int": {"min": 1, "max": 3, "points": 2}},
        ],
    ),
)
