"""Reconciles one SearchJob: observe, decide, act. The way of every SearchJob goes through here."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from typing_extensions import override

from winnow_operator.api.conditions import Reason
from winnow_operator.api.searchjob import AlgorithmName, SearchJob, SearchJobSpec, SearchJobStatus
from winnow_operator.domain.checks.searches import check_spec
from winnow_operator.domain.kinds import Kind
from winnow_operator.domain.pods import Blockage
from winnow_operator.domain.searches.early_stopping import read_passed, show_passed
from winnow_operator.domain.searches.endings import Ending, Progress, find_ending, is_after_search
from winnow_operator.domain.searches.metrics_condition import Listening
from winnow_operator.domain.searches.status import Situation, is_urgent, make_status
from winnow_operator.domain.spaces.space import parse_space
from winnow_operator.engines import as_chosen, choose_algorithm, planned_trials
from winnow_operator.errors import InvalidSpecError
from winnow_operator.reconcile import notes
from winnow_operator.reconcile.finishing import finish, stop_search
from winnow_operator.reconcile.jobcontext import Step, Tools, owner_of
from winnow_operator.reconcile.lifecycle import (
    PROGRESS_SECONDS,
    SOURCE_SECONDS,
    JobReconciler,
    as_seen,
    max_duration_seconds,
    soonest,
)
from winnow_operator.reconcile.observing import observe
from winnow_operator.reconcile.queue import Key
from winnow_operator.reconcile.recording import record_outcomes
from winnow_operator.reconcile.searches.preparing import is_prepared, known_again, take_from_others
from winnow_operator.reconcile.searches.searching import SearchContext
from winnow_operator.reconcile.searches.searchstate import SearchState
from winnow_operator.reconcile.searches.stopping import listen, propose
from winnow_operator.reconcile.searches.trialfeed import LIVE_SECONDS, TrialFeed
from winnow_operator.reconcile.searches.winners import (
    finalists_of,
    known_winner,
    pareto_of,
    winner_so_far,
)
from winnow_operator.reconcile.starting import advance, suspend
from winnow_operator.reconcile.trialbook import is_whole, reload_ledger


class SearchJobReconciler(JobReconciler[SearchJob, SearchState]):
    """Brings SearchJobs to where their specs want them."""

    kind = Kind.SEARCH

    def __init__(self, tools: Tools, feed: TrialFeed) -> None:
        super().__init__(tools)
        self.feed = feed

    @override
    def forget(self, key: Key) -> None:
        super().forget(key)
        self.feed.forget(key)

    @override
    def _parse(self, body: dict[str, Any]) -> SearchJob:
        return as_chosen(SearchJob.model_validate(body))

    @override
    async def _end_unreadable(self, key: Key, body: dict[str, Any], sentence: str) -> float | None:
        return await self._end_invalid(key, body, None, sentence)

    @override
    async def _reconcile_open(self, key: Key, body: dict[str, Any], job: SearchJob) -> float | None:
        try:
            if complaints := check_spec(job.spec):
                raise InvalidSpecError("; ".join(complaints))  # noqa: TRY301 -- ends as all of them do
            if not is_prepared(job):
                return await self._prepare(key, body, job)
            context = await self._context(key, body, job)
            step = await observe(context)
            ending = await self._ending(context, step)
            context.state.is_final = is_after_search(self._progress(context, step))
            if ending is not None:
                return await self._end(context, step, ending)
            listens = listen(context, step, self.feed)
            waits = await self._stop_early(context, step)
            if waits == 0:
                return waits
            step = await self._act(context, step)
            if await self._ending(context, step) is not None:
                return 0.0  # what was just made is not in the step: look again, then end
        except InvalidSpecError as error:
            return await self._end_invalid(key, body, job, str(error))
        again = await self._write_progress(context, step)
        return soonest(again, listens, waits, step.look_again, self._until_deadline(context, step))

    async def _stop_early(self, context: SearchContext, step: Step) -> float | None:
        """Record what early stopping decides; gives when to look again, 0 if the status was written.

        What goes on is one write for all, and no more often than progress is written, which it does
        not hold up: until then it counts as not decided.
        """
        proposal = propose(context, step)
        await record_outcomes(context, proposal.stops)
        if not proposal.passed:
            return None
        job, state, now = context.job, context.state, self.tools.clock.monotonic()
        if (wait := state.last_rungs_write + PROGRESS_SECONDS - now) > 0:
            return wait
        shown = show_passed({**state.passed, **proposal.passed}, state.ledger.active)
        status = job.status.model_copy(update={"rungs": shown})
        await self._apply(context.key, context.body, status)
        state.passed, state.last_rungs_write = read_passed(shown), now
        return 0.0

    async def _prepare(self, key: Key, body: dict[str, Any], job: SearchJob) -> float:
        """Write down what is to be known before anything is made: from now on it stays the same."""
        space, situation = parse_space(job.spec.space), self._situation(body, job)
        taken = await take_from_others(self.tools, key, job, space)
        if isinstance(taken, Blockage):
            await self._say_that_it_waits(key, body, job, taken)
            return SOURCE_SECONDS
        if job.spec.algorithm.name is AlgorithmName.AUTO:
            situation = replace(situation, algorithm=choose_algorithm(job.spec, space))
        status = make_status(replace(situation, warm_start=tuple(t.source for t in taken)))
        await self._say_and_write(key, body, status, notes.transitions(job.status, status))
        return 0.0

    async def _say_that_it_waits(
        self, key: Key, body: dict[str, Any], job: SearchJob, why: Blockage
    ) -> None:
        status = make_status(replace(self._situation(body, job), blockage=why))
        if status == job.status:
            return
        said, before = notes.transitions(job.status, status), job.status.state
        if before != why.reason:
            said.insert(0, notes.waiting_for_source(why))
        await self._say_and_write(key, body, status, said)

    async def _act(self, context: SearchContext, step: Step) -> Step:
        if context.job.spec.suspend:
            await suspend(context, step)
            return step
        if context.state.is_final:
            await stop_search(context)
        return await advance(context, step)

    async def _context(self, key: Key, body: dict[str, Any], job: SearchJob) -> SearchContext:
        owner = owner_of(body, self.kind)
        state = self._state(key, owner.uid)
        if state is None:
            ledger, space = (
                await self.first_ledgers.read(owner),
                parse_space(job.spec.space),
            )
            state = SearchState(
                uid=owner.uid,
                ledger=ledger,
                spec=job.spec,
                space=space,
                passed=read_passed(job.status.rungs),
                listening=Listening(self.feed.is_configured),
            )
            if job.status.warm_start:
                state.known, state.loss = await known_again(self.tools, key, job, space)
            self._keep(key, state)
        state.spec = job.spec
        context = SearchContext(self.tools, body, owner, job, state)
        if state.stale:
            await reload_ledger(context)
        return context

    def _progress(self, context: SearchContext, step: Step) -> Progress:
        job, state = context.job, context.state
        return Progress(
            spec=job.spec,
            ledger=state.ledger,
            planned=planned_trials(job.spec, state.space),
            exhausted=state.exhausted,
            elapsed_seconds=self._elapsed(context, step),
            max_duration_seconds=max_duration_seconds(job),
        )

    async def _ending(self, context: SearchContext, step: Step) -> Ending | None:
        ending = find_ending(self._progress(context, step))
        if ending is None or ending.failed or await is_whole(context):
            return ending
        return None

    async def _end(self, context: SearchContext, step: Step, ending: Ending) -> float | None:
        step = await finish(context, step, ending)
        winner = await winner_so_far(context)
        reckoned = await asyncio.to_thread(context.state.reckon)
        situation = replace(
            self._situation_of(context, step),
            ending=ending,
            winner=winner,
            importances=reckoned.importances,
            learning=reckoned.learning,
        )
        return await self._close(context.key, context.body, context.job, situation)

    async def _end_invalid(
        self, key: Key, body: dict[str, Any], job: SearchJob | None, sentence: str
    ) -> float | None:
        ending = Ending(Reason.INVALID_SPEC, sentence, failed=True)
        context = None if job is None else await self._context_if_valid(key, body, job)
        if context is not None:
            return await self._end(context, await observe(context), ending)
        job = job or _placeholder()
        situation = replace(self._situation(body, job), ending=ending)
        return await self._close(key, body, job, situation)

    async def _context_if_valid(
        self, key: Key, body: dict[str, Any], job: SearchJob
    ) -> SearchContext | None:
        """The context of a job that may have started before its spec was edited or we restarted."""
        try:
            planned_trials(job.spec, parse_space(job.spec.space))
            return await self._context(key, body, job)
        except InvalidSpecError:
            return None  # with such a space nothing was ever started

    async def _close(
        self, key: Key, body: dict[str, Any], job: SearchJob, situation: Situation
    ) -> float | None:
        """Say that a job has ended, then write its last status: after that nothing is done."""
        assert situation.ending is not None  # noqa: S101 -- both callers have set it
        status, ended = make_status(situation), notes.ended(situation.ending, situation.winner)
        said = (*notes.transitions(job.status, status), ended)
        await self._say_and_write(key, body, status, said)
        return self._ended(key, job, situation.ending)

    def _situation(self, body: dict[str, Any], job: SearchJob) -> Situation:
        return Situation(
            spec=job.spec,
            name=body["metadata"]["name"],
            generation=int(body["metadata"].get("generation", 0)),
            previous=job.status,
            now=self.tools.clock.now(),
            started=job.status.start_time,
            image=job.status.trainer_image,
            template_hash=job.status.pod_template_hash,
            algorithm=job.status.algorithm,
            warm_start=job.status.warm_start,
            listening=Listening(self.feed.is_configured),
        )

    def _situation_of(self, context: SearchContext, step: Step) -> Situation:
        seen = as_seen(self._situation(context.body, context.job), context.state.ledger, step)
        return replace(
            seen,
            degraded=seen.degraded or context.state.loss,
            planned=_planned(context),
            pareto=pareto_of(context),
            finalists=finalists_of(context),
            listening=context.state.listening,
            passed=context.state.passed,
            **_phase(context),
        )

    async def _write_progress(self, context: SearchContext, step: Step) -> float | None:
        """Write the status at once or with the next progress write; gives the wait for that."""
        job, state = context.job, context.state
        situation = self._situation_of(context, step)
        status = make_status(replace(situation, winner=known_winner(context)))
        if status == job.status:
            return None
        if not is_urgent(job.status, status) and (wait := self._wait(job, status, state)) > 0:
            return wait
        winner = known_winner(context) or await winner_so_far(context)
        status = make_status(replace(situation, winner=winner))
        said = notes.transitions(job.status, status)
        await self._say_and_write(context.key, context.body, status, said)
        state.last_status_write = self.tools.clock.monotonic()
        return None

    def _wait(self, job: SearchJob, status: SearchJobStatus, state: SearchState) -> float:
        """Seconds until the next write is due: of what runs alone more seldom than of what has ended."""
        is_live_alone = status.model_copy(update={"live": job.status.live}) == job.status
        return self._wait_to_write(state, LIVE_SECONDS if is_live_alone else PROGRESS_SECONDS)


def _planned(context: SearchContext) -> int:
    """How many trials there will be, as far as is known."""
    if context.state.exhausted:
        return context.state.ledger.searched
    return planned_trials(context.job.spec, context.state.space)


def _phase(context: SearchContext) -> dict[str, Any]:
    """What goes on after the search, in place of what goes on in it."""
    if not context.state.is_final:
        return {}
    activity = "the search is over, and its best trials are trained once more"
    return {"phase": Reason.TRAINING_FINAL, "activity": activity}


def _placeholder() -> SearchJob:
    """A job whose own spec cannot be read, so that its status can be written all the same."""
    spec = SearchJobSpec.model_validate(
        {
            "objectives": [{"metric": "unknown", "goal": "Maximize"}],
            "space": {"parameters": [{"name": "unknown", "choice": {"values": ["unknown"]}}]},
        }
    )
    return SearchJob(spec=spec, status=SearchJobStatus())
