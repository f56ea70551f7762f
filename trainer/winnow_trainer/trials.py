"""The life of one trial of a search: settings, model, training, measures, artifact, result."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import UTC, datetime

from winnow_contract.assignments import TrialAssignment
from winnow_contract.manifests import manifest_head, value_entries
from winnow_contract.pod import Pod
from winnow_contract.results import TrialResult
from winnow_contract.settings import SettingError, SettingValue
from winnow_trainer.architectures import Architecture, Model, plan
from winnow_trainer.artifacts import save_artifact
from winnow_trainer.bench import Bench, describe_model, lay_out, resolved_task, versions
from winnow_trainer.data.dataset import Dataset
from winnow_trainer.determinism import seed_everything
from winnow_trainer.errors import TaskError, TrialError
from winnow_trainer.isolation import check_size, run_alone
from winnow_trainer.progress import TrialWatch
from winnow_trainer.resources import memory_limit_bytes, peak_memory_bytes, reset_peak_memory
from winnow_trainer.task import Task
from winnow_trainer.training import Training, TrainingPlan, train


def set_up(pod: Pod, task: Task, dataset: Dataset, stop: threading.Event) -> Bench:
    """Split the data, put it on the device, and check the rest of what all trials share.

    Raises:
        TaskError: if the objective is not measured, or the family does not fit the data.
        DataError: if a split would be empty.
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
    return run_alone(bench, assignment, lambda: _train_and_save(bench, assignment))


def _train_and_save(bench: Bench, assignment: TrialAssignment) -> TrialResult:
    settings = bench.task.settings_for(assignment)
    architecture = _plan(bench, settings)
    check_size(architecture, memory_limit_bytes(), "search smaller sizes")
    random = seed_everything(assignment.seed)
    reset_peak_memory()
    model = Model(architecture).to(bench.train.targets.device)
    model.fit_scales(bench.train.features, bench.train.targets)
    watch = TrialWatch(assignment.name, bench.watched_metric, bench.page, bench.stop)
    training_plan = TrainingPlan(bench.dataset.kind, settings, bench.watched_metric)
    training = train(model, (bench.train, bench.validation), training_plan, random, watch)
    validation, test = bench.quality(model, bench.validation), bench.quality(model, bench.test)
    extras = _extras(model, training)
    values = {**validation, **{name: (value, None) for name, value in extras.items()}}
    folder = bench.pod.environment.artifacts
    result = bench.pod.judge(assignment.number, values, test, None)
    if folder is None or result.outcome != "Succeeded":
        return result
    manifest = {
        **manifest_head(bench.pod.assignments.job, assignment, bench.pod.environment.attempt),
        "task": resolved_task(bench, settings),
        "values": [*value_entries("validation", validation), *value_entries("test", test)],
        "metrics": extras,
        "environment": versions(),
        "createdAt": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    committed = save_artifact(
        folder / assignment.name / bench.pod.environment.attempt,
        model,
        describe_model(bench.dataset, architecture),
        bench.validation.features,
        manifest,
    )
    return bench.pod.judge(assignment.number, values, test, committed)


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
