"""What all trials of a pod share: the task, its data in three parts, and what is said about them.

Searches and compressions use the same, so that a candidate is judged by the very rows that its
source was searched with.
"""

from __future__ import annotations

import math
import platform
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from winnow_contract.metrics_page import MetricsPage
from winnow_contract.models.settings import SettingValue
from winnow_contract.pod import Pod
from winnow_contract.version import RELEASE
from winnow_measure.quality import Array, Measured, measure_all, quality_metrics
from winnow_trainer.architectures import Architecture, Model
from winnow_trainer.data.dataset import Dataset
from winnow_trainer.errors import TaskError
from winnow_trainer.splits import Indices, Splits, fold_splits, split
from winnow_trainer.task import Evaluation, Task
from winnow_trainer.training import Part, predict

Quality = Mapping[str, Measured]

EXTRAS = ("parameters", "epoch_seconds", "train_seconds", "peak_memory_bytes", "train_loss")
"""Figures that belong to no split; they may be objectives too."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What all trials of a pod share."""

    pod: Pod
    task: Task
    dataset: Dataset
    splits: Splits
    train: Part
    validation: Part
    test: Part
    page: MetricsPage
    stop: threading.Event

    @property
    def objective(self) -> str:
        """The metric that the job is judged by."""
        return self.pod.assignments.objectives[0].metric

    @property
    def seconds_per_trial(self) -> float:
        """How long one trial may take."""
        seconds = self.pod.assignments.max_trial_seconds
        return math.inf if seconds is None else seconds

    @property
    def watched_metric(self) -> str:
        """The objective, if it is one of quality; else the most usual one."""
        known = quality_metrics(self.dataset.kind)
        return self.objective if self.objective in known else known[0]

    def quality(self, model: Model, part: Part) -> Quality:
        """All quality metrics of a model on one part of the data.

        Raises:
            TrialError: with cause NaN if an output is not finite.
        """
        return self.judge(predict(model, part), part)

    def judge(self, outputs: Array, part: Part) -> Quality:
        """All quality metrics of outputs (rows, outputs) for one part of the data."""
        return measure_all(self.dataset.kind, outputs, part.targets.cpu().numpy())


def lay_out(pod: Pod, task: Task, dataset: Dataset, stop: threading.Event) -> Bench:
    """Split the data and put it on the device.

    Raises:
        TaskError: if the objective is not measured.
        DataError: if a split would be empty.
    """
    _check_objectives(pod, dataset)
    splits = split(dataset, task.evaluation)
    training, validation, test = (
        _on_device(dataset, rows) for rows in (splits.train, splits.validation, splits.test)
    )
    return Bench(
        pod, task, dataset, splits, training, validation, test, MetricsPage(pod.series_labels), stop
    )


def _on_device(dataset: Dataset, rows: Indices) -> Part:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    features, targets = torch.from_numpy(dataset.features), torch.from_numpy(dataset.targets)
    return Part(features[rows].to(device), targets[rows].to(device))


def each_fold(bench: Bench, numbers: Sequence[int] | None = None) -> Iterator[Bench]:
    """The bench with each fold as its validation part, one after the other.

    Args:
        bench: of the pod.
        numbers: of the folds, from 1; None: all.

    Only one fold's data beside the first one's is on the device at a time.
    """
    found = fold_splits(bench.dataset, bench.task.evaluation)
    for splits in found if numbers is None else [found[number - 1] for number in numbers]:
        parts = (_on_device(bench.dataset, rows) for rows in (splits.train, splits.validation))
        training, validation = parts
        yield replace(bench, splits=splits, train=training, validation=validation)


def _check_objectives(pod: Pod, dataset: Dataset) -> None:
    known = (*quality_metrics(dataset.kind), *EXTRAS)
    needed = [("objective", objective.metric) for objective in pod.assignments.objectives]
    needed += [("constraint on", metric) for metric in pod.assignments.constraints]
    for role, metric in needed:
        if metric not in known:
            raise TaskError(
                f"{role} {metric!r} is not measured for {dataset.kind.lower()}, "
                f"allowed: {', '.join(known)}"
            )


def describe_model(dataset: Dataset, architecture: Architecture) -> dict[str, Any]:
    """Content of model.json: how to rebuild a model, and what its outputs mean."""
    return {
        "formatVersion": 1,
        **architecture.to_json(),
        "classes": list(dataset.classes),
        "columns": list(dataset.columns),
    }


def resolved_task(bench: Bench, settings: Mapping[str, SettingValue]) -> dict[str, Any]:
    """What stands under `task` in a manifest: enough to train or compress the same way again."""
    dataset, evaluation, splits = bench.dataset, bench.task.evaluation, bench.splits
    return {
        "model": {"family": bench.task.family, "settings": dict(settings)},
        "data": {
            "uri": bench.task.data.uri,
            "target": bench.task.data.target,
            "sha256": dataset.digest,
            "kind": str(dataset.kind),
            "rows": dataset.rows,
            "rowShape": list(dataset.row_shape),
            "classes": list(dataset.classes),
        },
        "evaluation": {
            "test": evaluation.test,
            **_validation(evaluation),
            **({"repeats": evaluation.repeats} if evaluation.repeats > 1 else {}),
            "seed": evaluation.seed,
            "rows": {
                "train": len(splits.train),
                "validation": len(splits.validation),
                "test": len(splits.test),
            },
            "indicesSha256": splits.digest,
        },
        "preprocessing": {
            "standardize": "PerChannel" if dataset.image or settings.get("shape") else "PerFeature",
            "fittedOn": "train",
            "partOfModel": True,
        },
        "metrics": [*quality_metrics(dataset.kind), *EXTRAS],
    }


def _validation(evaluation: Evaluation) -> dict[str, Any]:
    """Which rows are the validation split."""
    if evaluation.folds:
        return {"folds": evaluation.folds, "fold": 1}
    return {"validation": evaluation.validation}


def without_errors(figures: Mapping[str, float]) -> dict[str, Measured]:
    """Figures as measured values, whose standard errors are not known."""
    return {name: (value, None) for name, value in figures.items()}


def versions() -> dict[str, str]:
    """What stands under `environment` in a manifest."""
    return {
        "winnow": RELEASE,
        "torch": str(torch.__version__),
        "python": platform.python_version(),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "threads": str(torch.get_num_threads()),
    }
