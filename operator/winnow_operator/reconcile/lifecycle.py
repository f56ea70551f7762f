"""The life of a bounded job of any kind: what is the same whatever its trials do.

    made --> running --> ending --> Complete | Failed --> (ttl) deleted
               |  ^
        suspend v  | resume
             suspended

A reconcile may stop after any single write and start again from nothing: what is to be done is
always read off the API server, never remembered.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from winnow_operator.api.compressionjob import CompressionJob
from winnow_operator.api.fields import duration_seconds
from winnow_operator.api.searchjob import SearchJob
from winnow_operator.api.trial import Outcome
from winnow_operator.domain.blockages import parse_time
from winnow_operator.domain.figures import identity_of, job_figures
from winnow_operator.domain.job_conditions import (
    JobSituation,
    elapsed_seconds,
    has_ended,
    is_at_rest,
    is_finished,
)
from winnow_operator.domain.jobs import Job
from winnow_operator.domain.kinds import Kind
from winnow_operator.domain.ledger import Ledger
from winnow_operator.domain.searches.endings import Ending
from winnow_operator.errors import NotFoundError, RefusedError
from winnow_operator.kube.recorder import Note
from winnow_operator.kube.resources import JOB_KINDS
from winnow_operator.metrics.own import JOBS_FINISHED, JOBS_HELD, TRIALS_ACTIVE
from winnow_operator.reconcile import notes
from winnow_operator.reconcile.firstledgers import FirstLedgers
from winnow_operator.reconcile.jobcontext import JobContext, Step, Tools
from winnow_operator.reconcile.jobstate import JobState
from winnow_operator.reconcile.queue import Key

PROGRESS_SECONDS = 10.0
"""At most one progress write per job in this time; what changes a condition goes at once."""

SOURCE_SECONDS = 60.0
"""How soon to look for another job that is waited for, besides that job's own events."""

JobT = TypeVar("JobT", SearchJob, CompressionJob)
StateT = TypeVar("StateT", bound=JobState)
SituationT = TypeVar("SituationT", bound=JobSituation)


class JobReconciler(ABC, Generic[JobT, StateT]):
    """Brings jobs of one kind to where their specs want them."""

    kind: ClassVar[Kind]

    def __init__(self, tools: Tools) -> None:
        self.tools = tools
        self.first_ledgers = FirstLedgers(tools.gateway)
        self._states: dict[Key, StateT] = {}
        # Counted when somebody asks, so that no reconcile pays for it.
        JOBS_HELD[self.kind].set_function(lambda: len(self._states))
        TRIALS_ACTIVE.labels(self.kind.word).set_function(self._active_trials)

    def _active_trials(self) -> int:
        return sum(state.ledger.count(Outcome.ACTIVE) for state in self._states.values())

    async def reconcile(self, key: Key) -> float | None:
        """One look at a job; gives the seconds after which to look again, if any.

        Raises:
            KubernetesError: if the API server refused or was away; the queue tries again, later
                each time. That it refuses for good is said by an Event: no status could say it.
        """
        try:
            return await self._reconcile(key)
        finally:
            self.first_ledgers.drop(key)  # what was read for this look is not for a later one

    async def _reconcile(self, key: Key) -> float | None:
        try:
            body = await self.tools.gateway.get(JOB_KINDS[self.kind], key.namespace, key.name)
        except NotFoundError:
            self.forget(key)
            self.tools.shown.forget(key.kind, key.namespace, key.name)
            return None
        if "deletionTimestamp" in body["metadata"]:
            self.forget(key)
            return None
        try:
            return await self._look(key, body)
        except RefusedError as error:
            await self.tools.recorder.record(body, notes.write_refused(str(error)))
            raise

    async def _look(self, key: Key, body: dict[str, Any]) -> float | None:
        try:
            job = self._parse(body)
        except ValidationError as error:
            if has_ended(body):  # that was said; a job that cannot be read never changes again
                self.forget(key)
                return None
            return await self._end_unreadable(key, body, first_sentence(error))
        self.tools.shown.note(job_figures(identity_of(self.kind, body["metadata"]), job.status))
        if is_finished(job.status):
            self.forget(key)
            return await self._reconcile_finished(key, body, job)
        return await self._reconcile_open(key, body, job)

    @abstractmethod
    def _parse(self, body: dict[str, Any]) -> JobT:
        """The job as a model.

        Raises:
            ValidationError: if it is none.
        """

    @abstractmethod
    async def _end_unreadable(self, key: Key, body: dict[str, Any], sentence: str) -> float | None:
        """End a job that is no model."""

    @abstractmethod
    async def _reconcile_open(self, key: Key, body: dict[str, Any], job: JobT) -> float | None:
        """Bring a job that has not ended further."""

    async def _reconcile_finished(self, key: Key, body: dict[str, Any], job: JobT) -> float | None:
        """Nothing, until the time to live has passed; then the job and all it owns go."""
        ttl = job.spec.ttl_seconds_after_finished
        if ttl is None or job.status.completion_time is None:
            return None
        end = parse_time(job.status.completion_time) + timedelta(seconds=ttl)
        left = (end - self.tools.clock.now()).total_seconds()
        if left > 0:
            return left
        uid = body["metadata"]["uid"]
        await self.tools.gateway.delete(JOB_KINDS[self.kind], key.namespace, key.name, uid=uid)
        return None

    def meet(self, key: Key, body: Mapping[str, Any]) -> bool:
        """The watch begins with this job; True if it must be looked at.

        It need not be where nothing is left to do: then all that a look would do is to show it in metrics.
        """
        if key in self._states:
            return True
        if is_at_rest(body):
            return not self._show(body)
        trials = (body.get("status") or {}).get("trials") or {}
        self.first_ledgers.expect(key, body["metadata"]["uid"], int(trials.get("total") or 0))
        return True

    def _show(self, body: Mapping[str, Any]) -> bool:
        """Show a job in metrics; False if it is no model."""
        try:
            job = self._parse(dict(body))
        except ValidationError:
            return False
        self.tools.shown.note(job_figures(identity_of(self.kind, body["metadata"]), job.status))
        return True

    def forget(self, key: Key) -> None:
        """Drop all that is kept of a job."""
        self.tools.waiting.forget(key)
        self.forget_state(key)
        self.tools.pods.forget(key)

    def forget_state(self, key: Key) -> None:
        """Drop ledger and engine, which the next look reads again; what pods said is kept."""
        self._states.pop(key, None)

    def mark_stale(self, key: Key, number: int) -> bool:
        """A Trial left the watch; True if that is news, because someone else did it."""
        state = self._states.get(key)
        if state is None:
            self.first_ledgers.drop(key)
            return False
        if number in state.settling or number not in state.ledger.active:
            return False
        state.stale = True
        return True

    def is_urgent(self, key: Key) -> bool:
        """Whether something may have to be started when a pod has ended."""
        state = self._states.get(key)
        return state is None or state.may_start_more

    def _state(self, key: Key, uid: str) -> StateT | None:
        """What is kept of the job with this uid; that of a namesake before it never counts."""
        state = self._states.get(key)
        return state if state is not None and state.uid == uid else None

    def _keep(self, key: Key, state: StateT) -> StateT:
        self._states[key] = state
        return state

    def _elapsed(self, context: JobContext, step: Step) -> float:
        job, now = context.job, self.tools.clock.now()
        return elapsed_seconds(job.status, spec=job.spec, started=step.started, now=now)

    def _until_deadline(self, context: JobContext, step: Step) -> float | None:
        limit = max_duration_seconds(context.job)
        if limit is None or step.started is None or context.job.spec.suspend:
            return None
        return max(0.1, limit - self._elapsed(context, step))

    def _wait_to_write(self, state: JobState, seconds: float = PROGRESS_SECONDS) -> float:
        """How long to wait until the last status write is so many seconds ago."""
        waited = self.tools.clock.monotonic() - state.last_status_write
        return max(0.0, seconds - waited)

    async def _say_and_write(
        self, key: Key, body: dict[str, Any], status: BaseModel, said: Iterable[Note]
    ) -> None:
        """Events first: once the status is written, a restart sees no transition any more."""
        for note in said:
            await self.tools.recorder.record(body, note)
        await self._apply(key, body, status)

    def _ended(self, key: Key, job: JobT, ending: Ending) -> float | None:
        """Forget a job whose last status is written; gives when its time to live is over."""
        JOBS_FINISHED[self.kind].labels(ending.reason).inc()
        self.forget(key)
        ttl = job.spec.ttl_seconds_after_finished
        return None if ttl is None else float(ttl)

    async def _apply(self, key: Key, body: dict[str, Any], status: BaseModel) -> None:
        """Write the status of the very object that it was made from.

        Raises:
            ConflictError: if the job has changed since, or is another one of the same name (for
                which the API server has no other guard: it ignores a uid here).
        """
        document = status_document(body, status)
        await self.tools.gateway.apply_status(JOB_KINDS[self.kind], key.namespace, document)


def status_document(body: dict[str, Any], status: BaseModel) -> dict[str, Any]:
    """The status of the very object that it was made from, to be applied."""
    metadata = body["metadata"]
    return {
        "apiVersion": body["apiVersion"],
        "kind": body["kind"],
        "metadata": {key: metadata[key] for key in ("name", "namespace", "resourceVersion")},
        "status": status.model_dump(by_alias=True, exclude_none=True, mode="json"),
    }


def as_seen(situation: SituationT, ledger: Ledger, step: Step) -> SituationT:
    """The situation with what a look at the job has found."""
    return replace(
        situation,
        ledger=ledger,
        active_pods=step.active_pods,
        started=step.started,
        blockage=step.blockage,
        degraded=step.degraded,
        image=step.image,
        template_hash=step.template_hash,
    )


def max_duration_seconds(job: Job) -> float | None:
    """The budget's time, if it has one."""
    limit = job.spec.budget.max_duration
    return None if limit is None else duration_seconds(limit)


def soonest(*waits: float | None) -> float | None:
    """The shortest of the waits that there are."""
    return min((wait for wait in waits if wait is not None), default=None)


def first_sentence(error: ValidationError) -> str:
    """What is wrong with a document, in a sentence."""
    first = error.errors()[0]
    field_name = ".".join(str(part) for part in first["loc"])
    given = repr(first.get("input"))[:80]
    return f"{field_name} is {given}: {first['msg']}"
