"""Reads the Trials of a job into its ledger, and finds those that someone else deleted."""

from __future__ import annotations

from collections.abc import Mapping

from winnow_operator.domain.kinds import Kind
from winnow_operator.domain.ledger import Ledger, TrialRecord, read_trial
from winnow_operator.kube.gateway import Gateway
from winnow_operator.kube.resources import TRIALS
from winnow_operator.manifests.objects import Owner
from winnow_operator.reconcile import notes
from winnow_operator.reconcile.jobcontext import JobContext, is_owned
from winnow_operator.reconcile.queries import of_jobs
from winnow_operator.reconcile.recording import create_trial


async def read_ledger(gateway: Gateway, owner: Owner) -> Ledger:
    """All Trials of a job; those of a deleted namesake never count."""
    found = await read_ledgers(gateway, owner.namespace, owner.kind, {owner.name: owner.uid})
    return found[owner.name]


async def read_ledgers(
    gateway: Gateway, namespace: str, kind: Kind, uids: Mapping[str, str]
) -> dict[str, Ledger]:
    """The same of several jobs of one namespace and kind in one list.

    Args:
        gateway: to the API server.
        namespace: of the jobs.
        kind: of the jobs.
        uids: of each job by its name.
    """
    ledgers = {name: Ledger() for name in uids}
    async for page in gateway.pages(TRIALS, namespace, labels=of_jobs(kind, uids)):
        for body in page:
            name = body["metadata"]["labels"][kind.label]
            if is_owned(body, uids[name]):
                ledgers[name].put(read_trial(body))
    return ledgers


async def reload_ledger(context: JobContext) -> None:
    """Read the Trials again and make those again that are gone, to run with the same values.

    One that had an outcome runs again too: its result is not only what the ledger keeps of it,
    and a trial whose artifact is committed repeats its result at once.
    """
    state = context.state
    before = state.ledger.records
    state.reload(await read_ledger(context.gateway, context.owner))
    lost = [
        record for number, record in sorted(before.items()) if number not in state.ledger.records
    ]
    state.settling -= {record.number for record in lost}
    for record in lost:
        await create_trial(context, _as_suggested(record))
    if lost:
        note = notes.trials_deleted([record.number for record in lost])
        await context.tools.recorder.record(context.body, note)


async def is_whole(context: JobContext) -> bool:
    """Whether every Trial of the ledger is still there; asked once, before the job ends.

    Finished Trials are not watched, so this is where the deletion of one shows.
    """
    state = context.state
    if not state.verified:
        found = await read_ledger(context.gateway, context.owner)
        state.verified = found.records.keys() >= state.ledger.records.keys()
    if not state.verified:
        await reload_ledger(context)
    return state.verified


def _as_suggested(record: TrialRecord) -> TrialRecord:
    return TrialRecord(
        record.number,
        record.texts,
        record.seed,
        record.history,
        final_of=record.final_of,
        candidate=record.candidate,
    )
