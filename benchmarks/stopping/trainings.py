"""The trainings of a search, each to its end, by the program that trial pods run.

The rule here stops nothing: it is there so that the trainer notes the value at each rung.
"""

from __future__ import annotations

import contextlib
import io
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.stopping.replay import Climb
from tests.support.trainings import assignment_document, pod_variables
from winnow_contract.pod import start_pod
from winnow_contract.results import TrialResult
from winnow_contract.stopping import ASHA, StoppingRule, rule_document
from winnow_operator.api.searchjob import SearchJobSpec
from winnow_operator.domain.spaces.space import parse_space
from winnow_operator.engines import make_engine
from winnow_trainer.data.load import load_data
from winnow_trainer.packs import SequentialPack
from winnow_trainer.task import read_task
from winnow_trainer.trials import run_trial, set_up

EPOCHS = 27
RULE = StoppingRule(ASHA, minimum=1, eta=3, min_trials=3)
_NEVER = StoppingRule(ASHA, minimum=1, eta=3, min_trials=1_000_000)
PARAMETERS: list[dict[str, Any]] = [
    {"name": "learning_rate", "double": {"min": "0.0001", "max": "0.1", "scale": "Log"}},
    {"name": "width", "int": {"min": 16, "max": 256, "scale": "Log"}},
    {"name": "depth", "int": {"min": 1, "max": 3}},
    {"name": "activation", "choice": {"values": ["relu", "gelu", "tanh"]}},
    {"name": "dropout", "double": {"min": "0", "max": "0.5"}},
]


@dataclass(frozen=True, slots=True)
class Task:
    """One of the tasks that are searched."""

    name: str
    about: str
    batch_sizes: tuple[int, ...]

    @property
    def space(self) -> dict[str, Any]:
        """What is searched."""
        batch_size = {"name": "batch_size", "int": {"values": list(self.batch_sizes)}}
        return {"parameters": [*PARAMETERS, batch_size]}


TASKS = (
    Task("digits", "MLP on the 1,797 scanned digits", (32, 64, 128)),
    Task("mnist5k", "MLP on 5,000 images of MNIST", (128, 256, 512)),
)


def points(task: Task, trials: int, seed: int) -> list[Mapping[str, Any]]:
    """What a Random search with this seed tries."""
    spec = SearchJobSpec.model_validate(
        {
            "objectives": [{"metric": "accuracy", "goal": "Maximize"}],
            "space": task.space,
            "algorithm": {"name": "Random", "seed": seed},
            "budget": {"maxTrials": trials},
        }
    )
    engine = make_engine(spec, parse_space(spec.space))
    return [point for n in range(1, trials + 1) if (point := engine.suggest(n)) is not None]


def trained(task: Task, trials: int, seed: int) -> dict[int, Climb]:
    """Every trial of a search to its end."""
    results = _results(task, trials, seed, _NEVER)
    return {result.number: _climb(result) for result in results if result.outcome == "Succeeded"}


def stopped_by_the_trainer(task: Task, trials: int, seed: int) -> dict[int, int]:
    """The same trials in one pod with the rule; gives how many epochs each had."""
    return {
        result.number: EPOCHS if result.outcome == "Succeeded" else max(result.rungs)
        for result in _results(task, trials, seed, RULE)
    }


def _results(task: Task, trials: int, seed: int, rule: StoppingRule) -> list[TrialResult]:
    document = assignment_document(
        *(dict(point) for point in points(task, trials, seed)),
        data={"uri": f"builtin://{task.name}"},
        settings={"epochs": str(EPOCHS)},
        earlyStopping=rule_document(rule),
    )
    document["task"]["evaluation"]["seed"] = seed
    for trial in document["trials"]:
        trial["seed"] += 1000 * seed
    with tempfile.TemporaryDirectory() as folder:
        variables = pod_variables(Path(folder), document)
        del variables["WINNOW_ARTIFACTS"]
        pod = start_pod(variables)
        read = read_task(pod.assignments)
        bench = set_up(pod, read, load_data(read.data, Path(folder)), threading.Event())
        with contextlib.redirect_stdout(io.StringIO()):  # a line for each epoch
            return list(SequentialPack(bench, run_trial).run(pod.trials))


def _climb(result: TrialResult) -> Climb:
    if result.objective is None or result.test is None:
        raise ValueError(f"trial {result.number} succeeded without a value")
    return Climb(
        rungs=dict(result.rungs),
        final=result.objective,
        test=result.test,
        test_error=result.test_standard_error or 0.0,
        epochs=EPOCHS,
        epoch_seconds=result.metrics["epoch_seconds"],
    )
