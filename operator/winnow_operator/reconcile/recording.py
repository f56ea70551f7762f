"""Writes what became of trials: an outcome once and for good, or why a pod cannot start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from winnow_operator.api.names import API_VERSION
from winnow_operator.api.trial import Outcome, TrialStatus
from winnow_operator.domain.blockages import format_time
from winnow_operator.domain.causes import cause_word
from winnow_operator.domain.ledger import (
    TrialRecord,
    fold_values,
    read_trial,
    rungs_of,
    several_values,
)
from winnow_operator.domain.searches.outcomes import Settlement
from winnow_operator.errors import AlreadyExistsError, NotFoundError, RefusedError
from winnow_operator.kube.resources import TRIALS
from winnow_operator.manifests.trials import trial_object, trial_status
from winnow_operator.metrics.own import TRIALS_FINISHED
from winnow_operator.reconcile import notes
from winnow_operator.reconcile.jobcontext import JobContext, is_owned
from winnow_operator.reconcile.sidebyside import side_by_side


async def record_outcomes(context: JobContext, settlements: Sequence[Settlement]) -> None:
    """Record outcomes on their Trials, in the ledger and in the engine.

    Of a candidate that was built and waits for its measurement it is its artifact, not an outcome.
    """
    # Our own write takes the Trial out of the watch: that is no news for the ledger.
    context.state.settling.update(s.number for s in settlements if _is_final(s))
    await side_by_side(_record_one(context, settlement) for settlement in settlements)


async def _record_one(context: JobContext, settlement: Settlement) -> None:
    number, state = settlement.number, context.state
    failures = state.ledger.count(Outcome.FAILED)
    # NB: the Event first: once the outcome is written, a restart has nothing to say any more.
    if settlement.status.outcome is Outcome.FAILED and failures < notes.MAX_FAILURE_EVENTS:
        name = context.owner.trial_name(number)
        await context.tools.recorder.record(context.body, notes.failed_trial(name, settlement))
    record = await _written(context, settlement)
    state.blocked.pop(number, None)
    state.settle(record)
    if _is_final(settlement):
        controller, cause = context.owner.kind.word, cause_word(record.cause)
        TRIALS_FINISHED.labels(controller, record.outcome, cause).inc()


def _is_final(settlement: Settlement) -> bool:
    return settlement.status.outcome is not Outcome.ACTIVE


async def _written(context: JobContext, settlement: Settlement) -> TrialRecord:
    """Write an outcome; gives the record as the Trial has it then."""
    number, status = settlement.number, settlement.status
    completed = format_time(context.tools.clock.now()) if _is_final(settlement) else None
    try:
        await write_trial(context, number, status, completed=completed)
    except RefusedError:
        name = context.owner.trial_name(number)
        found = read_trial(await context.gateway.get(TRIALS, context.owner.namespace, name))
        if found.is_active:
            raise
        return found  # an earlier write came through, and its answer did not
    return _settled(context.state.ledger.records[number], status)


def _settled(record: TrialRecord, status: TrialStatus) -> TrialRecord:
    value = status.values[0] if status.values else None
    error = value.standard_error if value else None
    return replace(
        record,
        outcome=status.outcome,
        score=None if status.score is None else float(status.score),
        values=several_values(status),
        folds=fold_values(status.fold_values),
        violation=float(status.violation or 0),
        standard_error=None if error is None else float(error),
        rungs=rungs_of(status),
        cause=status.cause or "",
        message=status.message or "",
        job_fault=status.scope == "Job",
        attempts=status.attempts or 0,
        batch=status.batch or "",
        status=None if record.candidate is None else status,
    )


async def write_trial(
    context: JobContext, number: int, status: TrialStatus, *, completed: str | None = None
) -> None:
    """Apply the status of a Trial; one that someone deleted meanwhile is made again first."""
    document = {
        "apiVersion": API_VERSION,
        "kind": "Trial",
        "metadata": {
            "name": context.owner.trial_name(number),
            "namespace": context.owner.namespace,
        },
        "status": trial_status(status, completed=completed),
    }
    try:
        await context.gateway.apply_status(TRIALS, context.owner.namespace, document)
    except NotFoundError:
        await create_trial(context, context.state.ledger.records[number])
        await context.gateway.apply_status(TRIALS, context.owner.namespace, document)


async def create_trial(context: JobContext, record: TrialRecord) -> None:
    """Make a Trial and put it in the ledger; one that is there already counts as made.

    Raises:
        AlreadyExistsError: if a Trial of that name belongs to a deleted job.
        ForbiddenError: if a quota forbids.
    """
    body = trial_object(context.owner, record)
    try:
        await context.gateway.create(TRIALS, context.owner.namespace, body)
    except AlreadyExistsError:
        name = body["metadata"]["name"]
        found = await context.gateway.get(TRIALS, context.owner.namespace, name)
        if not is_owned(found, context.owner.uid):
            raise AlreadyExistsError(
                f"Trial {name} belongs to a deleted {context.owner.kind} and is still being removed"
            ) from None
        record = read_trial(found)
    context.state.ledger.put(record)
