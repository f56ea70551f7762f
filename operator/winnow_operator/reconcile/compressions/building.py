"""The trials of a compression, built in pods: named candidates and those that auto writes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from typing_extensions import override

from winnow_contract.assignments import (
    Assignments,
    JobIdentity,
    ObjectiveSpec,
    Source,
    TrialAssignment,
    encode_assignments,
)
from winnow_contract.choosing.recorded import Recorded, as_candidate
from winnow_contract.steps.chains import BASELINE, StepError, step_text
from winnow_operator.api.compressionjob import CompressionJob
from winnow_operator.domain.compressions.chain_scores import chain_score
from winnow_operator.domain.compressions.chain_space import (
    chain_key,
    chain_name,
    chain_of,
    chain_space,
    point_of,
)
from winnow_operator.domain.compressions.chains import (
    goals_of,
    prefer_of,
    read_steps,
    step_documents,
    step_texts,
)
from winnow_operator.domain.compressions.choosing import measured_of
from winnow_operator.domain.compressions.rounds import BASELINE_NUMBER, Rounds, rounds_of
from winnow_operator.domain.compressions.sources import Origin
from winnow_operator.domain.intervals import format_intervals
from winnow_operator.domain.ledger import Candidate, TrialRecord
from winnow_operator.domain.searches.outcomes import TrialContext
from winnow_operator.engines import ChainEngine, Record, trial_seed
from winnow_operator.manifests.jobs import PodSettings
from winnow_operator.metrics.own import SUGGEST_SECONDS
from winnow_operator.reconcile.assigning import (
    claims_of,
    max_pod_seconds,
    max_trial_seconds,
    task_document,
)
from winnow_operator.reconcile.compressions.compressionstate import CompressionState
from winnow_operator.reconcile.jobcontext import JobContext


@dataclass(frozen=True, slots=True)
class CompressionContext(JobContext):
    """One open CompressionJob with a known source in one reconcile."""

    job: CompressionJob
    state: CompressionState
    origin: Origin

    @property
    def rounds(self) -> Rounds:
        """How the candidates are grouped."""
        return rounds_of(self.job.spec)

    @property
    def round(self) -> int | None:
        """The round that is built or measured now; None once all candidates have an outcome."""
        return self.rounds.current(self.state.ledger, exhausted=self.state.exhausted)

    @property
    @override
    def trials_per_pod(self) -> int:
        return self.job.spec.candidates_per_pod

    @property
    @override
    def packing_field(self) -> str:
        return "spec.candidatesPerPod"

    @property
    @override
    def fills_slots(self) -> bool:
        return False  # the candidates of a round do not depend on each other

    @property
    @override
    def makes_in_order(self) -> bool:
        return True  # auto looks at those before when it writes one

    @property
    @override
    def pod_fields(self) -> str:
        return "spec.podTemplate"

    @property
    @override
    def trial_context(self) -> TrialContext:
        return TrialContext(
            job=self.owner.name,
            objective=self.origin.objective,
            artifacts_uri=self.artifacts_uri,
            own_image=False,
            kind=self.owner.kind,
        )

    @property
    def identity(self) -> JobIdentity:
        """The job as it stands in files."""
        owner = self.owner
        return JobIdentity(str(owner.kind), owner.namespace, owner.name, owner.uid)

    @override
    async def new_records(self, wanted: int) -> list[TrialRecord]:
        index, known = self.round, self.state.ledger.records
        if index is None or self.state.exhausted:
            return []
        missing = [n for n in self.rounds.numbers(index) if n not in known][:wanted]
        given = [self._given(n) for n in missing if not self.rounds.is_written(n)]
        written = [n for n in missing if self.rounds.is_written(n)]
        return [*given, *(await self._written(written) if written else ())]

    def _given(self, number: int) -> TrialRecord:
        """The baseline, or a candidate that the user has named."""
        if number == BASELINE_NUMBER:
            return self._record(number, BASELINE, ())
        candidate = self.job.spec.candidates[number - 2]
        texts = step_texts(step_documents(candidate), goals_of(self.job.spec), self.origin.metric)
        return self._record(number, candidate.name, texts)

    def _record(
        self, number: int, name: str, steps: tuple[str, ...], history: str = ""
    ) -> TrialRecord:
        auto = self.job.spec.auto
        return TrialRecord(
            number=number,
            texts=(),
            seed=trial_seed(0 if auto is None else auto.seed, number),
            history=history,
            candidate=Candidate(name, steps, self.origin.source.digest),
        )

    async def _written(self, numbers: list[int]) -> list[TrialRecord]:
        auto = self.job.spec.auto
        assert auto is not None  # noqa: S101 -- without it no number is a written one's
        with SUGGEST_SECONDS.labels(f"Chains{auto.algorithm}").time():
            return await asyncio.to_thread(self._write, numbers)

    def _write(self, numbers: list[int]) -> list[TrialRecord]:
        state, goals = self.state, goals_of(self.job.spec)
        state.engine = engine = state.engine or self._engine()
        taken = {r.candidate.name for r in state.ledger.records.values() if r.candidate}
        taken |= {candidate.name for candidate in self.job.spec.candidates}
        history = format_intervals(r.number for r in state.ledger.finished())
        made: list[TrialRecord] = []
        for number in numbers:
            point = engine.suggest(number)
            if point is None:
                state.exhausted = True
                break
            name = chain_name(point, number, taken)
            texts = step_texts(chain_of(point), goals, self.origin.metric)
            made.append(self._record(number, name, texts, history))
            taken.add(name)
        return made

    def _engine(self) -> ChainEngine:
        spec, auto = self.job.spec, self.job.spec.auto
        assert auto is not None  # noqa: S101 -- without it nothing is written
        engine = ChainEngine(
            kinds=frozenset(str(kind).lower() for kind in auto.steps),
            family=self.origin.source.family or "",
            algorithm=auto.algorithm,
            seed=auto.seed,
            named={chain_key(step_documents(candidate)) for candidate in spec.candidates},
        )
        space, measured = chain_space(engine.kinds), measured_of(self.state.ledger)
        for number, record in sorted(self.state.ledger.records.items()):
            steps = read_steps(record.candidate.steps) if record.candidate else ()
            point = point_of(steps, space) if steps else None
            if point is not None:
                score = self._score(number, measured)
                engine.observe(Record(number, point, record.outcome, score))
        return engine

    def _score(self, number: int, measured: Mapping[int, Recorded]) -> float | None:
        baseline = measured.get(BASELINE_NUMBER)
        if baseline is None or number not in measured:
            return None
        spec = self.job.spec
        candidate = as_candidate(measured[number], baseline)
        return chain_score(candidate, goals_of(spec), prefer_of(spec))

    @override
    def assignments_of(self, records: Sequence[TrialRecord]) -> str:
        source, task = self.origin.source, self.job.spec.task
        objective = self.origin.objective
        return encode_assignments(
            Assignments(
                job=self.identity,
                objectives=(ObjectiveSpec(objective.metric, str(objective.goal)),),
                trials=tuple(self._assignment(record) for record in records),
                trials_per_pod=self.trials_per_pod,
                max_trial_seconds=max_trial_seconds(self),
                task=None if task is None else task_document(task),
                source=Source(source.uri, source.digest.removeprefix("sha256:")),
            )
        )

    def _assignment(self, record: TrialRecord) -> TrialAssignment:
        candidate = record.candidate
        return TrialAssignment(
            name=self.owner.trial_name(record.number),
            number=record.number,
            seed=record.seed,
            parameters={},
            candidate=candidate.name if candidate else "",
            steps=read_steps(candidate.steps) if candidate else (),
        )

    @override
    def record_of(self, trial: TrialAssignment) -> TrialRecord:
        try:
            steps = tuple(step_text(step) for step in trial.steps)
        except StepError as error:
            raise KeyError(str(error)) from error
        candidate = Candidate(trial.candidate, steps, self.origin.source.digest)
        return TrialRecord(trial.number, (), trial.seed, candidate=candidate)

    @override
    def pod_settings(self, image: str) -> PodSettings:
        spec, source = self.job.spec, self.origin.source
        data = spec.task.data.uri if spec.task is not None else source.data
        return PodSettings(
            image=image,
            artifacts_uri=self.artifacts_uri,
            read_claims=(
                *claims_of("status.source.uri", source.uri),
                *(() if data is None else claims_of("spec.task.data.uri", data)),
            ),
            template=spec.pod_template,
            max_pod_seconds=max_pod_seconds(self),
            retries=spec.budget.retries_per_trial,
            is_scraped=self.tools.settings.scrape_annotations,
        )
