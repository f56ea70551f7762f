"""Says why pods do not start: on their Trials, in Events, and for the job's condition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from winnow_operator.api.conditions import ConditionType, Reason
from winnow_operator.api.trial import TrialStatus
from winnow_operator.domain.blockages import (
    MAX_ASKED,
    BlockedTrial,
    blockage_from_words,
    blocked_trials,
    job_blockage,
    next_to_ask,
    parse_time,
    podless_batches,
    seconds_to_look,
    started_trials,
    stuck_pods,
)
from winnow_operator.domain.job_conditions import condition_of
from winnow_operator.domain.pods import Blockage, PodFact
from winnow_operator.domain.searches.planning import open_indexes
from winnow_operator.domain.settlements import fit
from winnow_operator.kube.resources import CORE_EVENTS
from winnow_operator.reconcile import notes
from winnow_operator.reconcile.jobcontext import Context, JobContext, Step
from winnow_operator.reconcile.recording import write_trial


async def explain(context: JobContext, step: Step, refusal: Blockage | None) -> Step:
    """The step with what stops progress, after Trials and Events have been told."""
    now, active = context.tools.clock.now(), context.state.ledger.open
    live = [p for p in step.pods if not p.is_terminal and not p.deleting]
    told = await _from_events(context, step, live)
    blocked = [*blocked_trials(live, step.batches, active, now=now), *told.blocked]
    await _mark_blocked(context, blocked)
    marked = active & context.state.blocked.keys()
    await _unmark(context, started_trials(live, step.batches, marked))
    if refusal is not None:
        await tell_of(context, refusal)
    blockage = refusal or job_blockage(live, now=now)
    if blockage is None and not any(p.phase == "Running" for p in live):
        blockage = blocked[0].blockage if blocked else told.pulling
    wanted = sum(min(b.parallelism, len(open_indexes(b, active))) for b in step.batches)
    waiting = blockage is not None or any(p.is_waiting for p in live) or len(live) < wanted
    look_again = step.look_again
    if waiting:
        # What was refused is tried again by the look itself, so that it waits no longer each time.
        seen = None if refusal else (frozenset(p.uid for p in live), blockage)
        waited = context.state.seconds_since(seen, context.tools.clock.monotonic())
        look_again = seconds_to_look(waited, context.owner.uid)
    return replace(step, blockage=blockage, active_pods=len(live), look_again=look_again)


@dataclass(frozen=True, slots=True)
class _Told:
    """What only Events tell of pods that wait."""

    blocked: tuple[BlockedTrial, ...] = ()
    """No pod could be made at all, or a volume is missing."""
    pulling: Blockage | None = None
    """An image is on its way, which may take minutes; nothing is wrong."""


async def _from_events(context: JobContext, step: Step, live: list[PodFact]) -> _Told:
    now, active = context.tools.clock.now(), context.state.ledger.open
    found, pulling = list[BlockedTrial](), None
    for batch in podless_batches(step.batches, live, active, now=now)[:MAX_ASKED]:
        words = (await latest_event(context, "Job", batch.name)).warning
        numbers = [n for i in open_indexes(batch, active) for n in batch.trials_of(i)]
        found += [BlockedTrial(n, blockage_from_words(words)) for n in numbers[:1] if words]
    known = {b.uid: b for b in step.batches}
    for pod in next_to_ask(stuck_pods(live, now=now), step.batches, context.state.blocked):
        event, owner = await latest_event(context, "Pod", pod.name), known.get(pod.batch_uid)
        if event.warning and owner is not None:
            numbers = [n for n in owner.trials_of(pod.index) if n in active]
            found += [BlockedTrial(n, blockage_from_words(event.warning)) for n in numbers]
        elif event.reason == "Pulling":
            pulling = Blockage(Reason.PULLING_IMAGE, event.message)
    return _Told(tuple(found), pulling)


@dataclass(frozen=True, slots=True)
class Said:
    """What an Event says; nothing if there is none."""

    type: str = ""
    reason: str = ""
    message: str = ""

    @property
    def warning(self) -> str:
        """The words of a Warning; empty for another event."""
        return self.message if self.type == "Warning" else ""


async def latest_event(context: Context, kind: str, name: str) -> Said:
    """The last thing that was said about an object: an older Warning is over."""
    fields = f"involvedObject.kind={kind},involvedObject.name={name}"
    events = await context.gateway.list(CORE_EVENTS, context.owner.namespace, fields=fields)
    latest = max(events, key=_event_order, default=None)
    if latest is None:
        return Said()
    return Said(latest.get("type", ""), latest.get("reason", ""), latest.get("message", ""))


def _event_order(event: dict[str, Any]) -> tuple[datetime, int]:
    metadata = event["metadata"]
    times = (event.get("lastTimestamp"), event.get("eventTime"), metadata["creationTimestamp"])
    # Some times are in whole seconds; within one, the later written object counts.
    second = max(parse_time(t) for t in times if t).replace(microsecond=0)
    return second, int(metadata["resourceVersion"])


async def _mark_blocked(context: JobContext, blocked: Sequence[BlockedTrial]) -> None:
    known = context.state.blocked
    fresh = [b for b in blocked if known.get(b.number) != b.blockage.reason]
    for note in notes.cannot_start(fresh):  # first: a restart sees no news in what is written
        await context.tools.recorder.record(context.body, note)
    for trial in fresh:
        cause, words = str(trial.blockage.reason), fit(trial.blockage.message)
        await write_trial(context, trial.number, TrialStatus(cause=cause, message=words))
        known[trial.number] = cause


async def tell_of(context: JobContext, refusal: Blockage) -> None:
    """Say what was refused when it begins: its words count what is used, and change with each try."""
    before = condition_of(context.job.status, ConditionType.RECONCILING)
    if before is None or before.reason != refusal.reason:
        await context.tools.recorder.record(context.body, notes.refused(refusal))


async def _unmark(context: JobContext, started: Sequence[int]) -> None:
    """Take back what was said of trials whose pods run by now."""
    for number in started:
        await write_trial(context, number, TrialStatus())
        del context.state.blocked[number]
