"""Starts what the free slots of a job allow: Trials first, then the Job that runs them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from winnow_operator.api.conditions import Reason
from winnow_operator.domain.batches import BatchFact
from winnow_operator.domain.blockages import blockage_from_words, format_time
from winnow_operator.domain.ledger import TrialRecord
from winnow_operator.domain.pods import Blockage
from winnow_operator.domain.searches.planning import (
    lingering_pods,
    spent_batches,
    spread_slots,
    surplus_pods,
    swept_batches,
)
from winnow_operator.errors import (
    AlreadyExistsError,
    ForbiddenError,
    InvalidSpecError,
    NotFoundError,
    RefusedError,
)
from winnow_operator.kube.resources import CLAIMS, JOBS, PODS
from winnow_operator.manifests.claims import DEFAULT_CLAIM, default_claim
from winnow_operator.manifests.jobs import Batch, batch_job
from winnow_operator.reconcile.assigning import fitting
from winnow_operator.reconcile.explaining import explain
from winnow_operator.reconcile.jobcontext import JobContext, Step
from winnow_operator.reconcile.queries import of_batches
from winnow_operator.reconcile.recording import create_trial
from winnow_operator.reconcile.sidebyside import side_by_side

LARGE_BATCH = 128
"""Trials of one batch where results do not matter for what comes next."""


async def advance(context: JobContext, step: Step) -> Step:
    """Spread slots, start what is free, and say what cannot start."""
    if step.blockage is not None:
        return step
    active, owner = context.state.ledger.open, context.owner
    if spent := spent_batches(step.pods, step.batches, active):
        await delete_batches(context, spent)
    for pod in surplus_pods(step.pods, step.batches, active):
        await context.gateway.delete(PODS, owner.namespace, pod.name, uid=pod.uid)
    open_trials = active - step.reading.released
    limit = context.job.spec.budget.parallelism
    lingering = lingering_pods(step.pods, step.batches, active)
    slots = spread_slots(step.batches, open_trials, limit=limit, lingering=lingering)
    await _patch_batches(context, slots.parallelism, slots.resume)
    again = sorted({*slots.unassigned, *step.reading.released})
    started, refusal = await _fill(context, slots.free, again, step)
    await _sweep(context, step)
    return await explain(context, replace(step, started=step.started or started), refusal)


async def suspend(context: JobContext, step: Step) -> None:
    """Delete the Jobs; the Trials stay Active and run again after the resume."""
    live = [batch.name for batch in step.batches if not batch.deleting]
    live += [measurement.name for measurement in step.measurements if not measurement.deleting]
    context.state.open_batches = {}  # they go because we say so
    if live:
        await delete_jobs(context, live)
    context.state.attempts = {}


async def delete_batches(context: JobContext, batches: Sequence[BatchFact]) -> None:
    """Delete batches in one call; their pods get SIGTERM."""
    await delete_jobs(context, [batch.name for batch in batches])


async def delete_jobs(context: JobContext, names: Sequence[str]) -> None:
    """Delete Jobs of this job in one call, batches or measurements."""
    owner = context.owner
    labels = of_batches(owner.kind, owner.name, names)
    await context.gateway.delete_all(JOBS, owner.namespace, labels=labels)


async def _patch_batches(
    context: JobContext, parallelism: dict[str, int], resume: Sequence[str]
) -> None:
    for name in sorted({*parallelism, *resume}):
        change: dict[str, Any] = {}
        if name in parallelism:
            change["parallelism"] = parallelism[name]
        if name in resume:
            change["suspend"] = False
        await context.gateway.merge(JOBS, context.owner.namespace, name, {"spec": change})


async def _fill(
    context: JobContext, free: int, again: Sequence[int], step: Step
) -> tuple[str | None, Blockage | None]:
    """Start batches in the free slots; gives the start time and what refused one."""
    started: str | None = None
    per_pod = context.trials_per_pod
    while free > 0:
        pods = context.pods_per_trial(())
        wanted = await _next_records(context, again, -(-free * per_pod // pods))
        records = fitting(context, wanted)
        if len(records) < len(wanted):
            context.state.forget_engine()  # it remembers suggestions that will not be recorded now
        if not records:
            break
        refusal = await _start(context, records, free, step)
        if refusal is not None:
            return started, refusal
        taken = {r.number for r in records}
        again = [n for n in again if n not in taken]
        free -= -(-len(records) // per_pod) * context.pods_per_trial(records)
        started = started or format_time(context.tools.clock.now())
    return started, None


async def _next_records(
    context: JobContext, again: Sequence[int], wanted: int
) -> list[TrialRecord]:
    """What runs next: trials that must run again, then new ones.

    Where results do not matter for what comes next both make one large batch, in the order of
    their numbers: so a search that was interrupted goes on in the batches of one that was not.
    """
    state = context.state
    if context.fills_slots:
        known = [state.ledger.records[n] for n in again[:wanted]]
        return known or await _new_records(context, wanted)
    wanted = max(wanted, LARGE_BATCH)
    known = [state.ledger.records[n] for n in again[:wanted]]
    fresh = await _new_records(context, wanted - len(known))
    return sorted([*known, *fresh], key=lambda record: record.number)


async def _new_records(context: JobContext, wanted: int) -> list[TrialRecord]:
    return await context.new_records(wanted) if wanted > 0 else []


async def _start(
    context: JobContext, records: list[TrialRecord], free: int, step: Step
) -> Blockage | None:
    """Make the Trials and then the Job of one batch; gives what refused it."""
    try:
        await _make(context, records, _manifest(context, records, free, step))
    except ForbiddenError as error:
        context.state.forget_engine()
        return Blockage(blockage_from_words(str(error)).reason, str(error))
    except AlreadyExistsError as error:
        context.state.forget_engine()
        return Blockage(Reason.WAITING_FOR_DELETION, f"{error}; looking again")
    except BaseException:
        # NB: the engine remembers suggestions that may not have been recorded.
        context.state.forget_engine()
        raise
    return None


async def _make(context: JobContext, records: list[TrialRecord], manifest: dict[str, Any]) -> None:
    await ensure_claim(context)
    await _dry_run(context, manifest)
    await _create_trials(context, records)
    await context.gateway.create(JOBS, context.owner.namespace, manifest)
    # From here on it is missed if it goes, even before a look has met it.
    context.state.open_batches[manifest["metadata"]["name"]] = tuple(r.number for r in records)


async def _create_trials(context: JobContext, records: Sequence[TrialRecord]) -> None:
    known = context.state.ledger.records
    fresh = [record for record in records if record.number not in known]
    if context.makes_in_order:
        # One after the other: a suggestion knows of those before it, so that a crash must not
        # leave a Trial without them.
        for record in fresh:
            await create_trial(context, record)
    else:
        await side_by_side(create_trial(context, record) for record in fresh)
    other = next((r.number for r in fresh if _values(known[r.number]) != _values(r)), None)
    if other is not None:
        raise AlreadyExistsError(f"Trial number {other} exists already, with other values")


def _values(record: TrialRecord) -> object:
    return record.texts, record.candidate


def _manifest(
    context: JobContext, records: list[TrialRecord], free: int, step: Step
) -> dict[str, Any]:
    state, per_pod = context.state, context.trials_per_pod
    numbers, pods = tuple(r.number for r in records), context.pods_per_trial(records)
    batch = Batch(
        number=state.next_batch(),
        trials=numbers,
        trials_per_pod=per_pod,
        parallelism=min(free, -(-len(numbers) // per_pod) * pods),
        pods_per_trial=pods,
        assignments=context.assignments_of(records),
        previous_attempts={n: state.attempts[n] for n in numbers if state.attempts.get(n)},
    )
    image = step.image or context.tools.settings.trainer_image
    return batch_job(context.owner, batch, context.pod_settings(image))


async def _dry_run(context: JobContext, manifest: dict[str, Any]) -> None:
    """Let the API server check the pod template before anything is recorded."""
    if context.state.checked:
        return
    try:
        await context.gateway.create(JOBS, context.owner.namespace, manifest, dry_run=True)
    except RefusedError as error:
        words = str(error).replace("spec.template.", "spec.podTemplate.")
        raise InvalidSpecError(f"{context.pod_fields} makes no valid pod: {words}") from error
    except AlreadyExistsError:
        pass  # a batch of that name was accepted before
    context.state.checked = True


async def ensure_claim(context: JobContext) -> None:
    """Make the namespace's default claim where the job names no storage."""
    settings, namespace = context.tools.settings, context.owner.namespace
    if context.state.checked or context.job.spec.storage or settings.storage_uri:
        return
    try:
        await context.gateway.get(CLAIMS, namespace, DEFAULT_CLAIM)
    except NotFoundError:
        size, storage_class = settings.storage_size, settings.storage_class
        body = default_claim(namespace, size=size, storage_class=storage_class)
        try:
            await context.gateway.create(CLAIMS, namespace, body)
        except AlreadyExistsError:
            return


async def _sweep(context: JobContext, step: Step) -> None:
    """Remove finished batches in one call, once there are many."""
    done = swept_batches(step.batches, context.state.ledger.open)
    if done:
        await delete_batches(context, done)
        context.tools.pods.drop(context.key, {b.uid for b in done})
