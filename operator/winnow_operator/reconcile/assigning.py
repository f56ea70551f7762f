"""What the assignment files of all kinds of jobs have in common: the task, and how much fits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from winnow_contract.assignments import MAX_BYTES
from winnow_contract.uris import ClaimUri, UriError, parse_uri
from winnow_operator.api.fields import duration_seconds
from winnow_operator.api.task import DEFAULT_VALIDATION, Evaluation, Task
from winnow_operator.domain.ledger import TrialRecord
from winnow_operator.errors import InvalidSpecError
from winnow_operator.reconcile.jobcontext import JobContext


def task_document(task: Task) -> dict[str, Any]:
    """The task as the trainer reads it."""
    return {
        "model": {
            "family": str(task.model.family),
            "settings": {s.name: s.value for s in task.model.settings},
        },
        "data": {
            "uri": task.data.uri,
            "target": task.data.target,
            "kind": str(task.data.kind),
        },
        "evaluation": {
            "test": task.evaluation.test,
            **_validation(task.evaluation),
            **({} if task.evaluation.repeats == 1 else {"repeats": task.evaluation.repeats}),
            "seed": task.evaluation.seed,
        },
    }


def _validation(evaluation: Evaluation) -> dict[str, Any]:
    """How the validation split is made: folds, or a share."""
    if evaluation.folds is not None:
        spread = evaluation.folds_per_pod
        level = evaluation.paired_test
        return {
            "folds": evaluation.folds,
            **({"foldsPerPod": spread} if spread else {}),
            **({"pairedTest": level} if level is not None else {}),
        }
    return {"validation": evaluation.validation or DEFAULT_VALIDATION}


def fitting(context: JobContext, records: list[TrialRecord]) -> list[TrialRecord]:
    """As many of the records as fit into one assignment file.

    Raises:
        InvalidSpecError: if not even one pod's trials fit.
    """
    kept = records
    while kept and _size(context, kept) > MAX_BYTES:
        per_pod = context.trials_per_pod
        groups = -(-len(kept) // per_pod)
        if groups == 1:
            raise InvalidSpecError(
                f"the assignments of one pod are over {MAX_BYTES} bytes: use fewer parameters or "
                f"steps, shorter names, or a lower {context.packing_field}"
            )
        kept = kept[: (groups * 3 // 4 or 1) * per_pod]
    return kept


def _size(context: JobContext, records: Sequence[TrialRecord]) -> int:
    return len(context.assignments_of(records).encode())


def max_trial_seconds(context: JobContext) -> int | None:
    """How long a trial may take, if the budget limits that."""
    limit = context.job.spec.budget.max_trial_duration
    return None if limit is None else duration_seconds(limit)


def max_pod_seconds(context: JobContext) -> int | None:
    """How long a pod may run, if the budget limits that."""
    per_trial = max_trial_seconds(context)
    return None if per_trial is None else per_trial * context.trials_per_pod


def claims_of(field: str, uri: str) -> tuple[str, ...]:
    """The claim that a URI of this field of the spec lies on; none if it lies on none.

    Raises:
        InvalidSpecError: if it is no URI.
    """
    try:
        parsed = parse_uri(uri)
    except UriError as error:
        raise InvalidSpecError(f"{field}: {error}") from error
    return (parsed.claim,) if isinstance(parsed, ClaimUri) else ()
