"""Cross-validation: one trial is a training on each fold, and its values are means over them.

The standard error is that of the mean of the folds' values, s / sqrt(k). Folds share training
rows, so it is rather too small than too large (Bengio and Grandvalet, "No Unbiased Estimator of
the Variance of K-Fold Cross-Validation", JMLR 2004).

No model is kept, for none of them is the one: the winner is trained once more at the end of the
search. What is committed is a manifest with the values of each fold, so that the trial need not
run again if its pod is gone before its result was read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import Any

from winnow_contract.assignments import TrialAssignment
from winnow_contract.manifests import FOLD_VALUES, FOLDS, value_entries
from winnow_contract.results import TrialResult
from winnow_contract.rungbook import EARLY_STOPPING
from winnow_trainer.artifacts import commit_artifact
from winnow_trainer.bench import Bench, Quality, each_fold, without_errors
from winnow_trainer.means import Extras, mean_extras, mean_quality
from winnow_trainer.paired_test import chance_to_be_better
from winnow_trainer.progress import TrialWatch
from winnow_trainer.task import Evaluation

TrainFold = Callable[[Bench], tuple[Quality, Extras]]
"""Trains on the bench of a fold; gives what was measured on it, and figures of the training."""


def cross_validate(
    bench: Bench,
    assignment: TrialAssignment,
    watch: TrialWatch,
    train_fold: TrainFold,
    manifest: Callable[[], Mapping[str, Any]],
) -> TrialResult:
    """Train on each fold, one after the other.

    Args:
        bench: of the pod; its task has folds.
        assignment: the trial.
        watch: follows it.
        train_fold: trains and measures.
        manifest: of the trial, but for what is measured; asked for once the folds are trained.

    Raises:
        TrialError: from a training.
        Stopping: when SIGTERM has come.
        StorageError, DeniedError: if the manifest cannot be written.
    """
    count, own = bench.task.evaluation.folds, folds_of(bench.task.evaluation, assignment)
    folds, each = list[tuple[Quality, Extras]](), list[float]()
    for number, fold in zip(own, each_fold(bench, own), strict=True):
        watch.enter(f"fold {number}/{count}")
        folds.append(train_fold(fold))
        each.append(_objective(bench, *folds[-1]))
        if (words := _hopeless(bench, each)) is not None:
            return _stopped(assignment, each, words)
    quality, extras = mean_quality([q for q, _ in folds]), mean_extras([e for _, e in folds])
    values = {**quality, **without_errors(extras)}
    asked = each if assignment.part or bench.task.evaluation.paired_test is not None else []
    judged = bench.pod.judge(assignment.number, values, {}, None)
    result = bench.pod.as_part(assignment, judged, asked)
    environment = bench.pod.environment
    if environment.artifacts is not None and result.outcome == "Succeeded":
        document = {
            **manifest(),
            "values": value_entries("validation", quality),
            "metrics": extras,
            **({FOLD_VALUES: asked} if asked else {}),
            FOLDS: [value_entries("validation", measured) for measured, _ in folds],
        }
        folder = environment.artifacts / assignment.name / environment.attempt
        commit_artifact(folder, {}, document)
    return result


def folds_of(evaluation: Evaluation, assignment: TrialAssignment) -> list[int]:
    """Numbers of the folds, from 1, that a pod trains: all, or those of its part."""
    everything = list(range(1, evaluation.folds + 1))
    if not assignment.part or not evaluation.folds_per_pod:
        return everything
    start = (assignment.part - 1) * evaluation.folds_per_pod
    return everything[start : start + evaluation.folds_per_pod]


def _stopped(assignment: TrialAssignment, each: Sequence[float], words: str) -> TrialResult:
    """The result of a hopeless trial: the mean of the folds that it was trained on."""
    number, value = assignment.number, fmean(each)
    return TrialResult(number, "Stopped", objective=value, cause=EARLY_STOPPING, message=words)


def _hopeless(bench: Bench, each: Sequence[float]) -> str | None:
    """Why a trial with these folds is not worth going on, if it is not."""
    evaluation, assignments = bench.task.evaluation, bench.pod.assignments
    rival, count = assignments.rival, evaluation.folds
    if evaluation.paired_test is None or len(each) == count or len(rival) != count:
        return None
    sign = -1 if assignments.objectives[0].goal == "Maximize" else 1
    chance = chance_to_be_better(each, rival, count, sign)
    if chance >= evaluation.paired_test:
        return None
    return (
        f"after {len(each)} of {count} folds {bench.objective} is {fmean(each):.4g}, the best trial's "
        f"there {fmean(rival[: len(each)]):.4g}: p {chance:.2g} of a paired t-test is below "
        f"{evaluation.paired_test:g}"
    )


def _objective(bench: Bench, measured: Quality, figures: Extras) -> float:
    """The objective on one fold."""
    return {**measured, **without_errors(figures)}[bench.objective][0]
