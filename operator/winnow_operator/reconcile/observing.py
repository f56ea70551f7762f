"""Looks at a job of any kind: its batches' Jobs afresh, what the watch has shown of its pods, and what they say.

What ended pods say is recorded here too, before anything is decided on it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from winnow_contract.assignments import AssignmentsError, decode_assignments
from winnow_operator.api.conditions import Reason
from winnow_operator.api.names import ANNOTATION_ASSIGNMENTS
from winnow_operator.domain.batches import BatchFact, read_batch
from winnow_operator.domain.compressions.measuring import read_measurement
from winnow_operator.domain.ledger import TrialRecord
from winnow_operator.domain.pods import Blockage, PodFact, read_pod
from winnow_operator.domain.searches.planning import lost_indexes, read_results
from winnow_operator.kube.resources import JOBS, PODS
from winnow_operator.reconcile import notes
from winnow_operator.reconcile.jobcontext import JobContext, Step, is_owned
from winnow_operator.reconcile.queries import of_batches, of_job
from winnow_operator.reconcile.recording import create_trial, record_outcomes

WAIT_FOR_DELETION_SECONDS = 5.0


async def observe(context: JobContext) -> Step:
    """Look at batches and pods, and record every outcome that they give."""
    bodies, strangers = await _jobs(context)
    batches = [batch for body in bodies if (batch := read_batch(body)) is not None]
    context.state.note_batches(b.name for b in batches)
    await _restore_lost(context, bodies, batches)
    pods = await _pods(context, batches)
    reading = read_results(pods, batches, context.state.ledger.open, context.trial_context)
    await record_outcomes(context, reading.settlements)
    await _tell_of_lost_batches(context, batches)
    _note_attempts(context, pods, batches, reading.released)
    step = Step(
        batches=tuple(batches),
        measurements=tuple(m for body in bodies if (m := read_measurement(body)) is not None),
        pods=tuple(pods),
        reading=reading,
        started=_started(context, batches),
        image=_image(context, pods),
        template_hash=_pinned_template(context),
        degraded=_edited_template(context),
    )
    return _waiting_for_deletion(context, step, strangers[0]) if strangers else step


async def _jobs(context: JobContext) -> tuple[list[dict[str, Any]], list[str]]:
    """Jobs of this job, and names of Jobs that a deleted namesake left behind."""
    owner = context.owner
    bodies = await context.gateway.list(
        JOBS, owner.namespace, labels=of_job(owner.kind, owner.name)
    )
    own = [body for body in bodies if is_owned(body, owner.uid)]
    strangers = [b["metadata"]["name"] for b in bodies if not is_owned(b, owner.uid)]
    return own, strangers


def _waiting_for_deletion(context: JobContext, step: Step, stranger: str) -> Step:
    words = (
        f"waiting for objects of a deleted {context.owner.kind} of the same name: Job {stranger} is still "
        "being removed"
    )
    return replace(
        step,
        blockage=Blockage(Reason.WAITING_FOR_DELETION, words),
        look_again=WAIT_FOR_DELETION_SECONDS,
    )


async def _restore_lost(
    context: JobContext, bodies: Iterable[Mapping[str, Any]], batches: Iterable[BatchFact]
) -> None:
    """Make Trials again that someone deleted while a batch runs them, with the same values."""
    records = context.state.ledger.records
    lost = sorted({n for b in batches for n in b.trials if n not in records})
    if not lost:
        return
    found = {record.number: record for body in bodies for record in _assigned(context, body)}
    restored = [n for n in lost if n in found]
    for number in restored:
        await create_trial(context, found[number])
    if restored:
        context.state.forget_engine()  # it has not heard of them
        await context.tools.recorder.record(context.body, notes.trials_deleted(restored))


async def _tell_of_lost_batches(context: JobContext, batches: Iterable[BatchFact]) -> None:
    """Say it where someone deleted a Job whose trials were open; they run again in another."""
    state, active = context.state, context.state.ledger.open
    standing = {batch.name: batch.trials for batch in batches if not batch.deleting}
    for name, trials in state.open_batches.items():
        if name not in standing and active.intersection(trials):
            await context.tools.recorder.record(context.body, notes.batch_lost(name))
    state.open_batches = {n: trials for n, trials in standing.items() if active & {*trials}}


def _assigned(context: JobContext, body: Mapping[str, Any]) -> list[TrialRecord]:
    """The trials of a Job as its assignment file has them."""
    annotations = body["spec"]["template"]["metadata"].get("annotations") or {}
    try:
        assignments = decode_assignments(annotations.get(ANNOTATION_ASSIGNMENTS, ""))
        return [context.record_of(trial) for trial in assignments.trials]
    except (AssignmentsError, KeyError):
        return []  # someone edited it: its trials are suggested anew


async def _pods(context: JobContext, batches: list[BatchFact]) -> list[PodFact]:
    """What the watch has shown; asked for where it may not have shown all that matters yet.

    That is where a pod should be and none was seen, and at the first look at a job: what ended
    while no operator was there must count before anything is decided (a deadline may have passed).
    """
    state, owner = context.state, context.owner
    if not state.pods_seen and (batches or state.ledger.active):
        await see_ended_pods(context, of_job(owner.kind, owner.name))
    state.pods_seen = True
    pods = context.tools.pods.pods(context.key, owner.uid)
    lost = lost_indexes(batches, pods, state.ledger.open)
    if not lost:
        return pods
    names = sorted({b.name for b, _ in lost})
    await see_ended_pods(context, of_batches(owner.kind, owner.name, names))
    return context.tools.pods.pods(context.key, owner.uid)


async def see_ended_pods(context: JobContext, labels: str) -> None:
    """Ask for pods and note those that have ended; the others are the watch's business."""
    for body in await context.gateway.list(PODS, context.owner.namespace, labels=labels):
        pod = read_pod(body)
        if pod is not None and pod.is_terminal:
            context.tools.pods.put(pod)


def _note_attempts(
    context: JobContext,
    pods: Iterable[PodFact],
    batches: Iterable[BatchFact],
    released: frozenset[int],
) -> None:
    known, attempts = {b.uid: b for b in batches}, context.state.attempts
    for pod in pods:
        batch = known.get(pod.batch_uid)
        if batch is None or not pod.is_terminal:
            continue
        for number in set(batch.trials_of(pod.index)) & released:
            attempts[number] = max(attempts.get(number, 0), batch.runs_of(number, pod.attempt))


def _started(context: JobContext, batches: Iterable[BatchFact]) -> str | None:
    return context.job.status.start_time or min((b.created for b in batches), default=None)


def _image(context: JobContext, pods: Iterable[PodFact]) -> str | None:
    """The image of this job's pods, by digest as soon as a node has resolved it."""
    pinned, state = context.job.status.trainer_image, context.state
    if pinned and "@sha256:" in pinned:
        return pinned
    if not state.image:
        state.image = next((p.image for p in pods if p.image), "")
    return state.image or pinned


def _pinned_template(context: JobContext) -> str:
    return context.job.status.pod_template_hash or template_hash(context.job.spec.pod_template)


def _edited_template(context: JobContext) -> Blockage | None:
    pinned = context.job.status.pod_template_hash
    if not pinned or pinned == template_hash(context.job.spec.pod_template):
        return None
    words = (
        "spec.podTemplate was edited after the first batch: batches made since then use the "
        f"new one; to compare trials fairly make a new {context.owner.kind}"
    )
    return Blockage(Reason.TEMPLATE_EDITED, words)


def template_hash(template: Mapping[str, Any] | None) -> str:
    """The sha256 of `spec.podTemplate` in hex; the same for the same document."""
    text = json.dumps(template, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
