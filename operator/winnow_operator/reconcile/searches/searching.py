"""The trials of a search: suggested by its engine, run in batches of one or more per pod."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from typing_extensions import override

from winnow_contract.assignments import (
    Assignments,
    JobIdentity,
    ObjectiveSpec,
    TrialAssignment,
    encode_assignments,
)
from winnow_operator.api.searchjob import SearchJob
from winnow_operator.domain.architectures.dimension import ARCHITECTURE, document_of
from winnow_operator.domain.intervals import format_intervals
from winnow_operator.domain.ledger import TrialRecord
from winnow_operator.domain.searches.early_stopping import rule_of
from winnow_operator.domain.searches.fold_parts import compares_folds, pods_per_trial
from winnow_operator.domain.searches.outcomes import TrialContext
from winnow_operator.domain.searches.winner import best_record
from winnow_operator.engines import planned_trials
from winnow_operator.manifests.jobs import PodSettings
from winnow_operator.metrics.own import SUGGEST_SECONDS
from winnow_operator.reconcile.assigning import (
    claims_of,
    max_pod_seconds,
    max_trial_seconds,
    task_document,
)
from winnow_operator.reconcile.jobcontext import JobContext
from winnow_operator.reconcile.searches.searchstate import SearchState


@dataclass(frozen=True, slots=True)
class SearchContext(JobContext):
    """One open SearchJob in one reconcile."""

    job: SearchJob
    state: SearchState

    @property
    @override
    def trials_per_pod(self) -> int:
        return self.job.spec.trials_per_pod

    @property
    @override
    def packing_field(self) -> str:
        return "spec.trialsPerPod"

    @override
    def pods_per_trial(self, records: Sequence[TrialRecord]) -> int:
        # A final training has no folds to spread.
        is_final = self.state.is_final or any(r.final_of for r in records)
        return 1 if is_final else pods_per_trial(self.job.spec)

    @property
    @override
    def fills_slots(self) -> bool:
        return self.state.is_adaptive or compares_folds(self.job.spec)

    @property
    @override
    def makes_in_order(self) -> bool:
        return self.state.is_adaptive

    @property
    @override
    def pod_fields(self) -> str:
        return "spec.podTemplate" if self.job.spec.trial is None else "spec.trial or podTemplate"

    @property
    @override
    def trial_context(self) -> TrialContext:
        return TrialContext(
            job=self.owner.name,
            objective=self.job.spec.objectives[0],
            artifacts_uri=self.artifacts_uri,
            own_image=self.job.spec.trial is not None,
            more=self.job.spec.objectives[1:],
            constraints=self.job.spec.constraints,
            pods_per_trial=pods_per_trial(self.job.spec),
            compares_folds=compares_folds(self.job.spec),
        )

    @override
    async def new_records(self, wanted: int) -> list[TrialRecord]:
        state, spec = self.state, self.job.spec
        if state.is_final:
            return state.final_records(wanted)
        if state.exhausted:
            return []
        missing = state.ledger.missing(planned_trials(spec, state.space))
        numbers = list(islice(missing, wanted))
        finished = state.ledger.finished() if state.is_adaptive else ()
        known = format_intervals(r.number for r in finished if not r.final_of)
        with SUGGEST_SECONDS.labels(spec.algorithm.name).time():
            return await asyncio.to_thread(state.suggest, numbers, known)

    @override
    def assignments_of(self, records: Sequence[TrialRecord]) -> str:
        owner, spec = self.owner, self.job.spec
        # The final trainings of finalists and winners go to their end.
        is_final = any(record.final_of for record in records)
        return encode_assignments(
            Assignments(
                job=JobIdentity(str(owner.kind), owner.namespace, owner.name, owner.uid),
                objectives=tuple(ObjectiveSpec(o.metric, o.goal) for o in spec.objectives),
                constraints=tuple(c.metric for c in spec.constraints),
                trials=tuple(map(self._assignment, records)),
                trials_per_pod=spec.trials_per_pod,
                pods_per_trial=self.pods_per_trial(records),
                rival=() if is_final else self._rival(),
                task=None if spec.task is None else task_document(spec.task),
                early_stopping=None if is_final else rule_of(spec),
                max_trial_seconds=max_trial_seconds(self),
            )
        )

    def _rival(self) -> tuple[float, ...]:
        """What trials are compared with: the folds of the best one so far."""
        best = best_record(self.state.ledger) if compares_folds(self.job.spec) else None
        return () if best is None else best.folds

    def _assignment(self, record: TrialRecord) -> TrialAssignment:
        parameters, nets = self.state.space.from_texts(record.texts), self.state.space.nets
        # Only who does not read its text needs a net as JSON, which takes much of the file's room.
        is_built_elsewhere = nets is not None and self.job.spec.trial is not None
        return TrialAssignment(
            name=self.owner.trial_name(record.number),
            number=record.number,
            seed=record.seed,
            parameters=parameters,
            final_of=record.final_of,
            architecture=document_of(str(parameters[ARCHITECTURE])) if is_built_elsewhere else None,
        )

    @override
    def record_of(self, trial: TrialAssignment) -> TrialRecord:
        return TrialRecord(
            trial.number,
            self.state.space.to_texts(trial.parameters),
            trial.seed,
            final_of=trial.final_of,
        )

    @override
    def pod_settings(self, image: str) -> PodSettings:
        spec, pinned = self.job.spec, self.job.status.trainer_image or ""
        own, task = spec.trial, spec.task
        return PodSettings(
            image=image if own is None or "@sha256:" in pinned else own.image,
            command=() if own is None else own.command,
            args=() if own is None else own.args,
            artifacts_uri=self.artifacts_uri,
            read_claims=() if task is None else claims_of("spec.task.data.uri", task.data.uri),
            template=spec.pod_template,
            max_pod_seconds=max_pod_seconds(self),
            retries=spec.budget.retries_per_trial,
            is_scraped=self.tools.settings.scrape_annotations,
        )
