"""Reconciles one CompressionJob: observe, decide, act.

source known? --> build a round --> measure it --> next round | choose --> Complete | Failed
     |                ^                  |
waits for it          +---- auto --------+         edited goals choose again, without a pod
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from typing_extensions import override

from winnow_operator.api.compressionjob import CompressionJob
from winnow_operator.api.conditions import ConditionType, Reason
from winnow_operator.domain.checks.compressions import check_choice, check_compression
from winnow_operator.domain.compressions.endings import (
    CompressionProgress,
    find_compression_ending,
)
from winnow_operator.domain.compressions.rounds import rounds_of
from winnow_operator.domain.compressions.sources import (
    Origin,
    given_origin,
    pinned_origin,
    searched_origin,
)
from winnow_operator.domain.compressions.status import (
    CompressionSituation,
    choose_from,
    is_urgent_change,
    make_compression_status,
    told,
)
from winnow_operator.domain.job_conditions import condition_of
from winnow_operator.domain.kinds import Kind
from winnow_operator.domain.pods import Blockage
from winnow_operator.domain.searches.endings import Ending
from winnow_operator.errors import InvalidSpecError, NotFoundError
from winnow_operator.kube.resources import SEARCHJOBS
from winnow_operator.reconcile import notes
from winnow_operator.reconcile.compressions.building import CompressionContext
from winnow_operator.reconcile.compressions.compressionstate import CompressionState
from winnow_operator.reconcile.compressions.measuring import (
    check_measurable,
    end_measurements,
    is_measuring,
    measure,
    read_measurements,
    server_image,
)
from winnow_operator.reconcile.compressions.rechoosing import choose_again
from winnow_operator.reconcile.finishing import finish
from winnow_operator.reconcile.jobcontext import Step, owner_of
from winnow_operator.reconcile.lifecycle import (
    SOURCE_SECONDS,
    JobReconciler,
    as_seen,
    max_duration_seconds,
    soonest,
)
from winnow_operator.reconcile.observing import observe
from winnow_operator.reconcile.queue import Key
from winnow_operator.reconcile.starting import advance, suspend
from winnow_operator.reconcile.trialbook import is_whole, reload_ledger


class CompressionJobReconciler(JobReconciler[CompressionJob, CompressionState]):
    """Brings CompressionJobs to where their specs want them."""

    kind = Kind.COMPRESSION

    @override
    def _parse(self, body: dict[str, Any]) -> CompressionJob:
        return CompressionJob.model_validate(body)

    @override
    async def _end_unreadable(self, key: Key, body: dict[str, Any], sentence: str) -> float | None:
        return await self._end_early(key, body, _placeholder(), _invalid(sentence))

    @override
    async def _reconcile_finished(
        self, key: Key, body: dict[str, Any], job: CompressionJob
    ) -> float | None:
        if body["metadata"].get("generation") != job.status.observed_generation:
            owner = owner_of(body, self.kind)
            await self._apply(key, body, await choose_again(self.tools, body, job, owner))
        return await super()._reconcile_finished(key, body, job)

    @override
    async def _reconcile_open(
        self, key: Key, body: dict[str, Any], job: CompressionJob
    ) -> float | None:
        origin = await self._origin(key, job)
        if isinstance(origin, Ending):
            return await self._end_early(key, body, job, origin)
        if isinstance(origin, Blockage):
            return await self._wait(key, body, job, origin)
        self.tools.waiting.forget(key)
        try:
            _check(job, origin)
            if job.status.source is None:
                return await self._pin(key, body, job, origin)
            return await self._reconcile_known(await self._context(key, body, job, origin))
        except InvalidSpecError as error:
            ending = _invalid(str(error))
            if job.status.source is None:
                return await self._end_early(key, body, job, ending)
            context = await self._context(key, body, job, origin)
            return await self._end(context, await observe(context), ending)

    async def _origin(self, key: Key, job: CompressionJob) -> Origin | Blockage | Ending:
        """The source: as pinned, or as the spec names it, or why it is not there."""
        if job.status.source is not None and job.status.metric:
            return pinned_origin(job.status.source, job.status.metric)
        complaints = check_compression(job.spec)
        if complaints:
            return _invalid("; ".join(complaints))
        name = job.spec.model.search_job
        if name is None:
            return given_origin(job.spec)
        # First: what happens after the read wakes it.
        self.tools.waiting.note(key, Key(key.namespace, name, Kind.SEARCH))
        try:
            body = await self.tools.gateway.get(SEARCHJOBS, key.namespace, name)
        except NotFoundError:
            body = None
        return searched_origin(job.spec, body)

    async def _wait(
        self, key: Key, body: dict[str, Any], job: CompressionJob, why: Blockage
    ) -> float | None:
        """Say what is waited for."""
        situation = replace(self._situation(body, job), blockage=why)
        await self._write_if_changed(key, body, job, situation)
        return SOURCE_SECONDS

    async def _pin(
        self, key: Key, body: dict[str, Any], job: CompressionJob, origin: Origin
    ) -> float | None:
        """Write down the source before anything is made from it: from now on it stays the same."""
        situation = self._situation(body, job)
        situation = replace(situation, source=origin.source, metric=origin.metric)
        await self._write_if_changed(key, body, job, situation)
        return 0.0

    async def _context(
        self, key: Key, body: dict[str, Any], job: CompressionJob, origin: Origin
    ) -> CompressionContext:
        owner = owner_of(body, self.kind)
        state = self._state(key, owner.uid)
        if state is None:
            ledger = await self.first_ledgers.read(owner)
            state = self._keep(key, CompressionState(uid=owner.uid, ledger=ledger))
        context = CompressionContext(self.tools, body, owner, job, state, origin)
        if state.stale:
            await reload_ledger(context)
        return context

    async def _reconcile_known(self, context: CompressionContext) -> float | None:
        step = await observe(context)
        ending = await read_measurements(context, step) or await self._ending(context, step)
        if ending is not None:
            return await self._end(context, step, ending)
        step = await self._act(context, step)
        if await self._ending(context, step) is not None:
            return 0.0  # what was just made is not in the step: look again, then end
        again = await self._write_progress(context, step)
        return soonest(again, step.look_again, self._until_deadline(context, step))

    async def _act(self, context: CompressionContext, step: Step) -> Step:
        spec = context.job.spec
        if spec.suspend:
            await suspend(context, step)
            return step
        complaints = check_choice(spec, kind=context.origin.kind)
        if complaints:  # edited while it runs: what is there stays, and waits for better goals
            blockage = Blockage(Reason.INVALID_GOALS, "; ".join(complaints))
            return replace(step, blockage=blockage)
        await check_measurable(context, step)
        return await measure(context, await advance(context, step))

    async def _ending(self, context: CompressionContext, step: Step) -> Ending | None:
        job, state = context.job, context.state
        ending = find_compression_ending(
            CompressionProgress(
                spec=job.spec,
                ledger=state.ledger,
                rounds=context.rounds,
                exhausted=state.exhausted,
                elapsed_seconds=self._elapsed(context, step),
                max_duration_seconds=max_duration_seconds(job),
            )
        )
        if ending is None or ending.failed:
            return ending
        if check_choice(job.spec, kind=context.origin.kind):
            return None  # nothing can be chosen with these goals: wait until they are edited
        return ending if await is_whole(context) else None

    async def _end(self, context: CompressionContext, step: Step, ending: Ending) -> float | None:
        step = await finish(context, step, ending)
        await end_measurements(context, step)
        situation = replace(self._situation_of(context, step), ending=ending)
        if not ending.failed:
            ledger, name = context.state.ledger, context.owner.trial_name
            chosen = choose_from(context.job.spec, ledger, name)
            situation = replace(situation, chosen=chosen)
        return await self._close(context.key, context.body, context.job, situation)

    async def _end_early(
        self, key: Key, body: dict[str, Any], job: CompressionJob, ending: Ending
    ) -> float | None:
        """End a job of which nothing was made yet."""
        situation = replace(self._situation(body, job), ending=ending)
        return await self._close(key, body, job, situation)

    async def _close(
        self, key: Key, body: dict[str, Any], job: CompressionJob, situation: CompressionSituation
    ) -> float | None:
        """Say that a job has ended, then write its last status: after that nothing is done."""
        assert situation.ending is not None  # noqa: S101 -- all callers have set it
        status = make_compression_status(situation)
        ended = notes.ended(told(situation.ending, situation.chosen), None)
        said = (*notes.transitions(job.status, status), ended)
        await self._say_and_write(key, body, status, said)
        return self._ended(key, job, situation.ending)

    def _situation(self, body: dict[str, Any], job: CompressionJob) -> CompressionSituation:
        status = job.status
        return CompressionSituation(
            spec=job.spec,
            generation=int(body["metadata"].get("generation", 0)),
            previous=status,
            now=self.tools.clock.now(),
            planned=rounds_of(job.spec).planned,
            started=status.start_time,
            image=status.trainer_image,
            template_hash=status.pod_template_hash,
            kind=self.kind,
            source=status.source,
            metric=status.metric,
            server_image=status.server_image,
        )

    def _situation_of(self, context: CompressionContext, step: Step) -> CompressionSituation:
        ledger, index = context.state.ledger, context.round
        measuring = is_measuring(context)
        activity = f"round {index}: candidates are built"
        if measuring:
            activity = f"round {index}: one pod measures all candidates beside the baseline"
        planned = len(ledger) if context.state.exhausted else context.rounds.planned
        return replace(
            as_seen(self._situation(context.body, context.job), ledger, step),
            planned=planned,
            server_image=server_image(context),
            artifacts_uri=context.artifacts_uri,
            phase=Reason.MEASURING if measuring else Reason.RUNNING,
            activity=activity,
        )

    async def _write_progress(self, context: CompressionContext, step: Step) -> float | None:
        """Write the status at once or with the next progress write; gives the wait for that."""
        job, state = context.job, context.state
        situation = self._situation_of(context, step)
        status = make_compression_status(situation)
        if status == job.status:
            return None
        if not is_urgent_change(job.status, status) and (wait := self._wait_to_write(state)) > 0:
            return wait
        await self._write_if_changed(context.key, context.body, job, situation)
        state.last_status_write = self.tools.clock.monotonic()
        return None

    async def _write_if_changed(
        self, key: Key, body: dict[str, Any], job: CompressionJob, situation: CompressionSituation
    ) -> None:
        status = make_compression_status(situation)
        if status == job.status:
            return
        said = notes.transitions(job.status, status)
        blockage, before = situation.blockage, condition_of(job.status, ConditionType.RECONCILING)
        is_source = blockage is not None and blockage.reason is Reason.WAITING_FOR_SOURCE
        if blockage is not None and is_source and (not before or before.reason != blockage.reason):
            said.insert(0, notes.waiting_for_source(blockage))
        await self._say_and_write(key, body, status, said)


def _check(job: CompressionJob, origin: Origin) -> None:
    """Hold the spec against its source.

    Raises:
        InvalidSpecError: if the job cannot work. Once it has begun, goals and prefer are not
            looked at: they may be edited, and waiting for better ones loses nothing.
    """
    family = origin.source.family or ""
    complaints = check_compression(job.spec, family=family, kind=origin.kind)
    if job.status.start_time is not None:
        choice = set(check_choice(job.spec, kind=origin.kind))
        complaints = [sentence for sentence in complaints if sentence not in choice]
    if complaints:
        raise InvalidSpecError("; ".join(complaints))


def _invalid(sentence: str) -> Ending:
    return Ending(Reason.INVALID_SPEC, sentence, failed=True)


def _placeholder() -> CompressionJob:
    """A job whose own spec cannot be read, so that its status can be written all the same."""
    return CompressionJob.model_validate({"spec": {"model": {"searchJob": "unknown"}, "auto": {}}})
