"""The life of one trial of a search: settings, model, training, measures, artifact, result."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from winnow_contract.assignments import TrialAssignment
from winnow_contract.manifests import REPEATS, Committed, manifest_head, value_entries
from winnow_contract.models.settings import SettingError, SettingValue
from winnow_contract.pod import Pod
from winnow_contract.results import TrialResult
from winnow_trainer.architectures import Architecture, Model, plan
from winnow_trainer.artifacts import save_artifact
from winnow_trainer.bench import (
    Bench,
    Quality,
    describe_model,
    lay_out,
    resolved_task,
    versions,
    without_errors,
)
from winnow_trainer.crossvalidation import cross_validate
from winnow_trainer.data.dataset import Dataset
from winnow_trainer.determinism import seed_everything
from winnow_trainer.errors import TaskError, TrialError
from winnow_trainer.isolation import check_size, run_alone
from winnow_trainer.means import mean_extras, mean_quality, seeds_of
from winnow_trainer.progress import Limits, TrialWatch
from winnow_trainer.resources import memory_limit_bytes, peak_memory_bytes, reset_peak_memory
from winnow_trainer.task import Task
from winnow_trainer.training import Training, TrainingPlan, train

Work = Callable[[Bench, TrialAssignment], TrialResult]
"""What a trial does, to its result."""


def set_up(pod: Pod, task: Task, dataset: Dataset, stop: threading.Event) -> Bench:
    """Split the data, put it on the device, and check the rest of what all trials share.

    Raises:
        TaskError: if the objective is not measured, or the family does not fit the data.
        DataError: if a split would be empty, or there are too many folds.
    """
    bench = lay_out(pod, task, dataset, stop)
    _check_family(bench)
    return bench


def _check_family(bench: Bench) -> None:
    if any("shape" in trial.parameters for trial in bench.pod.trials):
        return  # each trial has its own then
    fixed = TrialAssignment("", 0, 0, {})
    try:
        plan(bench.task.family, bench.task.settings_for(fixed), bench.dataset)
    except (SettingError, TrialError) as error:
        raise TaskError(str(error)) from error


def run_trial(bench: Bench, assignment: TrialAssignment) -> TrialResult:
    """Run one trial to its outcome; only what ends the whole pod is raised.

    Raises:
        StorageError, DeniedError: if the artifact cannot be written.
        Stopping: when SIGTERM has come.
    """
    return run_alone(bench, assignment, lambda: _work_of(bench, assignment)(bench, assignment))


def _work_of(bench: Bench, assignment: TrialAssignment) -> Work:
    """What a trial does; one that is trained once more does so once, whatever the search did."""
    evaluation = bench.task.evaluation
    if assignment.final_of:
        return _train_and_save
    if evaluation.folds:
        return _cross_validate
    return _repeat_and_save if evaluation.repeats > 1 else _train_and_save


@dataclass(frozen=True, slots=True)
class _Trained:
    """A model that was trained on a bench, and what was measured of it."""

    model: Model
    architecture: Architecture
    validation: Quality
    extras: Mapping[str, float]


def _train_and_save(bench: Bench, assignment: TrialAssignment) -> TrialResult:
    settings = bench.task.settings_for(assignment)
    trained = _train(bench, assignment, settings, _watch(bench, assignment))
    return _saved(bench, assignment, settings, trained)


def _repeat_and_save(bench: Bench, assignment: TrialAssignment) -> TrialResult:
    """Train several times; the values are means, and the model is that of the median training."""
    settings, watch = bench.task.settings_for(assignment), _watch(bench, assignment)
    seeds = seeds_of(assignment, bench.task.evaluation.repeats)
    trained = list[_Trained]()
    for number, seed in enumerate(seeds, 1):
        watch.enter(f"training {number}/{len(seeds)}")
        trained.append(_train(bench, replace(assignment, seed=seed), settings, watch))
        trained[-1].model.to("cpu")  # the others of the device's memory
    place = _median(bench, trained)
    kept = replace(
        trained[place],
        validation=mean_quality([t.validation for t in trained]),
        extras=mean_extras([t.extras for t in trained]),
    )
    kept.model.to(bench.train.targets.device)
    each = [
        {"seed": seed, "values": value_entries("validation", t.validation)}
        for seed, t in zip(seeds, trained, strict=True)
    ]
    more = {REPEATS: each, "keptSeed": seeds[place]}
    return _saved(bench, assignment, settings, kept, more)


def _median(bench: Bench, trained: Sequence[_Trained]) -> int:
    """Where the median training is by the objective; of an even number the better of the two."""
    objective = bench.pod.assignments.objectives[0]
    sign = -1 if objective.goal == "Maximize" else 1

    def value(place: int) -> float:
        measured = {**trained[place].validation, **without_errors(trained[place].extras)}
        return sign * measured[objective.metric][0]

    return sorted(range(len(trained)), key=value)[(len(trained) - 1) // 2]


def _saved(
    bench: Bench,
    assignment: TrialAssignment,
    settings: Mapping[str, SettingValue],
    trained: _Trained,
    more: Mapping[str, Any] | None = None,
) -> TrialResult:
    """Commit a trained model, with `more` in its manifest; gives the trial's result."""
    test = bench.quality(trained.model, bench.test)
    values = {**trained.validation, **without_errors(trained.extras)}
    folder = bench.pod.environment.artifacts
    result = bench.pod.judge(assignment.number, values, test, None)
    if folder is None or result.outcome != "Succeeded":
        return result
    manifest = {
        **_manifest(bench, assignment, settings),
        "values": [*value_entries("validation", trained.validation), *value_entries("test", test)],
        "metrics": dict(trained.extras),
        **(more or {}),
    }
    committed: Committed = save_artifact(
        folder / assignment.name / bench.pod.environment.attempt,
        trained.model,
        describe_model(bench.dataset, trained.architecture),
        bench.validation.features,
        manifest,
    )
    return bench.pod.judge(assignment.number, values, test, committed)


def _cross_validate(bench: Bench, assignment: TrialAssignment) -> TrialResult:
    settings, watch = bench.task.settings_for(assignment), _watch(bench, assignment)

    seeds = seeds_of(assignment, bench.task.evaluation.repeats)

    def train_fold(fold: Bench) -> tuple[Quality, Mapping[str, float]]:
        again = (replace(assignment, seed=seed) for seed in seeds)
        trained = [_train(fold, trial, settings, watch) for trial in again]
        quality = mean_quality([t.validation for t in trained])
        return quality, mean_extras([t.extras for t in trained])

    manifest = partial(_manifest, bench, assignment, settings)
    return cross_validate(bench, assignment, watch, train_fold, manifest)


def _train(
    bench: Bench,
    assignment: TrialAssignment,
    settings: Mapping[str, SettingValue],
    watch: TrialWatch,
) -> _Trained:
    architecture = _plan(bench, settings)
    check_size(architecture, memory_limit_bytes(), "search smaller sizes")
    random = seed_everything(assignment.seed)
    reset_peak_memory()
    model = Model(architecture).to(bench.train.targets.device)
    model.fit_scales(bench.train.features, bench.train.targets)
    training_plan = TrainingPlan(bench.dataset.kind, settings, bench.watched_metric)
    training = train(model, (bench.train, bench.validation), training_plan, random, watch)
    validation = bench.quality(model, bench.validation)
    return _Trained(model, architecture, validation, _extras(model, training))


def _watch(bench: Bench, assignment: TrialAssignment) -> TrialWatch:
    limits = Limits(
        # A final training is for the model that is kept: it goes to its end. Rungs are those of the
        # first fold, which only the pod of the first part trains.
        rungs=None if assignment.final_of or assignment.part > 1 else bench.pod.rungs,
        number=assignment.number,
        seconds=bench.seconds_per_trial,
    )
    return TrialWatch(assignment.name, bench.watched_metric, bench.page, bench.stop, limits=limits)


def _manifest(
    bench: Bench, assignment: TrialAssignment, settings: Mapping[str, SettingValue]
) -> dict[str, Any]:
    """The manifest of a trial that has been trained, but for what was measured."""
    return {
        **manifest_head(bench.pod.assignments.job, assignment, bench.pod.environment.attempt),
        **bench.pod.rungs.entry(assignment.number),
        "task": resolved_task(bench, settings),
        "environment": versions(),
        "createdAt": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _plan(bench: Bench, settings: Mapping[str, SettingValue]) -> Architecture:
    try:
        return plan(bench.task.family, settings, bench.dataset)
    except SettingError as error:
        raise TrialError("BadParameters", str(error)) from error


def _extras(model: Model, training: Training) -> dict[str, float]:
    return {
        "parameters": model.parameter_count,
        "epoch_seconds": training.epoch_seconds,
        "train_seconds": training.seconds,
        "peak_memory_bytes": peak_memory_bytes(),
        "train_loss": training.loss,
    }
