"""Ends a job of any kind: stops what runs, and tidies up."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable
from dataclasses import replace

from winnow_contract.exit_codes import ExitCode
from winnow_operator.api.trial import Outcome, TrialStatus
from winnow_operator.domain.batches import BatchFact
from winnow_operator.domain.compressions.measuring import MeasurementFact
from winnow_operator.domain.ledger import TrialRecord
from winnow_operator.domain.pods import PodFact
from winnow_operator.domain.searches.endings import Ending
from winnow_operator.domain.searches.outcomes import Settlement
from winnow_operator.errors import NotFoundError
from winnow_operator.kube.resources import JOBS
from winnow_operator.reconcile.jobcontext import JobContext, Step
from winnow_operator.reconcile.observing import see_ended_pods
from winnow_operator.reconcile.queries import of_batches
from winnow_operator.reconcile.recording import record_outcomes
from winnow_operator.reconcile.starting import delete_batches

NOT_RESTARTED = frozenset({ExitCode.STOPPED, ExitCode.CONTRACT, ExitCode.PERMANENT})
"""Exit codes that end an index, by the Job's failure policy."""


async def finish(context: JobContext, step: Step, ending: Ending) -> Step:
    """Record what is stopped before its pods are ended; let ended pods stay for a while."""
    words = f"the {context.owner.kind.noun} ended: {ending.reason}"
    ledger = context.state.ledger
    stopped = [Settlement(n, _stopped(ledger.records[n], words)) for n in sorted(ledger.active)]
    await record_outcomes(context, stopped)
    running = await _running(context, step)
    if running:
        await delete_batches(context, running)
    gone = {b.uid for b in running}
    await expire(context, (b for b in step.batches if b.uid not in gone and not b.deleting))
    return replace(step, active_pods=0)


def _stopped(record: TrialRecord, words: str) -> TrialStatus:
    """What was built stays recorded, although it was not measured."""
    built = record.status if record.is_built and record.status is not None else TrialStatus()
    return built.model_copy(update={"outcome": Outcome.STOPPED, "message": words})


async def stop_search(context: JobContext) -> None:
    """Stop what a search still runs when it is over and its final training is to begin."""
    ledger, words = context.state.ledger, "the search is over"
    stopped = [Settlement(n, _stopped(ledger.records[n], words)) for n in sorted(ledger.searching)]
    await record_outcomes(context, stopped)


async def _running(context: JobContext, step: Step) -> list[BatchFact]:
    """Batches that would go on although nothing of them is needed any more.

    The watch may lag, so where no pod of an index was seen it is asked for.
    """
    live, pods = [b for b in step.batches if b.is_live], step.pods
    seen = {(pod.batch_uid, pod.index) for pod in pods}
    unseen = [b for b in live if any((b.uid, i) not in seen for i in b.open_indexes())]
    if unseen:
        owner, names = context.owner, [b.name for b in unseen]
        await see_ended_pods(context, of_batches(owner.kind, owner.name, names))
        pods = tuple(context.tools.pods.pods(context.key, context.owner.uid))
    return [batch for batch in live if goes_on(batch, pods)]


def goes_on(batch: BatchFact, pods: Collection[PodFact]) -> bool:
    """Whether a live batch has pods that run, or indexes that its Job may start (again)."""
    own = [pod for pod in pods if pod.batch_uid == batch.uid]
    over = {pod.index for pod in own if _is_the_last(pod)}
    return any(pod.is_running for pod in own) or not over.issuperset(batch.open_indexes())


def _is_the_last(pod: PodFact) -> bool:
    """Whether the Job starts no further pod for the index of this one."""
    if pod.phase == "Succeeded" or pod.is_done:
        return True
    return pod.termination is not None and pod.termination.exit_code in NOT_RESTARTED


async def expire(context: JobContext, batches: Iterable[BatchFact | MeasurementFact]) -> None:
    """Leave the last pods for a while so that their logs can be read, then let them go."""
    ttl = context.tools.settings.finished_pod_ttl_seconds
    for batch in batches:
        if batch.ttl is None:
            change = {"spec": {"ttlSecondsAfterFinished": ttl}}
            with contextlib.suppress(NotFoundError):
                await context.gateway.merge(JOBS, context.owner.namespace, batch.name, change)
