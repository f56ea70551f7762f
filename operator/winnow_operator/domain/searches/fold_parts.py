"""Trials whose folds are spread over pods: a trial has its outcome once all its parts are there.

What a part has measured stands in its pod's termination message alone, until all are there: pods of a
batch stay until its trials have outcomes. A part whose pod is gone is trained again with the trial's
others, which repeat at once what they have committed. A part that fails is the trial's failure.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from winnow_contract.folds import joined
from winnow_contract.results import PodResult, TrialResult
from winnow_operator.api.searchjob import SearchJobSpec
from winnow_operator.api.trial import Outcome
from winnow_operator.domain.batches import BatchFact
from winnow_operator.domain.pods import PodFact
from winnow_operator.domain.settlements import Run, Settlement, TrialContext, recorded


def pods_per_trial(spec: SearchJobSpec) -> int:
    """Over how many pods the folds of a trial are spread."""
    evaluation = None if spec.task is None else spec.task.evaluation
    if evaluation is None or not evaluation.folds or not evaluation.folds_per_pod:
        return 1
    return -(-evaluation.folds // evaluation.folds_per_pod)


def compares_folds(spec: SearchJobSpec) -> bool:
    """Whether trials are stopped by a comparison of their folds with the best one's."""
    return spec.task is not None and spec.task.evaluation.paired_test is not None


def is_part(trial: TrialResult) -> bool:
    """Whether a result is no outcome yet."""
    return bool(trial.part) and trial.outcome == Outcome.SUCCEEDED


def whole_trials(
    pods: Collection[PodFact],
    batches: Mapping[str, BatchFact],
    active: Collection[int],
    context: TrialContext,
    read: Callable[[PodFact], PodResult | None],
) -> list[Settlement]:
    """Outcomes of the trials all of whose parts are there.

    Args:
        pods: that have ended, or are done.
        batches: by uid; of a pod whose batch is gone only its own attempts are known.
        active: trials without an outcome.
        context: what is the same for all trials.
        read: what a pod says.
    """
    if context.pods_per_trial == 1:
        return []
    parts: dict[int, dict[int, TrialResult]] = {}
    runs: dict[int, tuple[Run, PodResult]] = {}
    for pod in pods:
        result = read(pod)
        for part in () if result is None else result.trials:
            is_own = part.number in active and part.parts == context.pods_per_trial
            if result is not None and is_own and is_part(part):
                parts.setdefault(part.number, {})[part.part] = part
                run = _run(pod, batches.get(pod.batch_uid), part.number)
                if part.number not in runs or run.attempts >= runs[part.number][0].attempts:
                    runs[part.number] = run, result
    return [
        recorded(trial, result=runs[number][1], run=runs[number][0], context=context)
        for number, found in sorted(parts.items())
        if (trial := joined(found, context.objective.metric)) is not None
    ]


def _run(pod: PodFact, batch: BatchFact | None, trial: int) -> Run:
    attempts = pod.attempt if batch is None else batch.runs_of(trial, pod.attempt)
    return Run(pod.batch, attempts)
