"""What the operator keeps in memory of a running search besides what it keeps of any job."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from typing_extensions import override

from winnow_operator.api.searchjob import (
    MAX_IMPORTANCES,
    AlgorithmName,
    Importance,
    LearnedBatch,
    SearchJobSpec,
)
from winnow_operator.api.trial import Outcome
from winnow_operator.domain.ledger import Ledger, TrialRecord
from winnow_operator.domain.pods import Blockage
from winnow_operator.domain.searches.early_stopping import empty_scores
from winnow_operator.domain.searches.finals import final_number, final_plan, missing_finals
from winnow_operator.domain.searches.metrics_condition import Listening
from winnow_operator.domain.searches.pareto import scores_of
from winnow_operator.domain.searches.warm_starts import KnownTrial
from winnow_operator.domain.spaces.space import Space, Value
from winnow_operator.engines import (
    Record,
    SearchEngine,
    is_adaptive,
    job_seed,
    make_engine,
    planned_trials,
    trial_seed,
)
from winnow_operator.engines.base import FEWEST_TO_RANK
from winnow_operator.reconcile.jobstate import JobState


@dataclass(frozen=True, slots=True)
class Reckoned:
    """What takes seconds, and is told only when a search ends."""

    ended: int
    """Trials that had an outcome."""
    importances: tuple[Importance, ...]
    learning: tuple[LearnedBatch, ...]


@dataclass(slots=True, kw_only=True)
class SearchState(JobState):
    """A search's engine, which is a cache of its ledger."""

    spec: SearchJobSpec
    space: Space
    known: Sequence[KnownTrial] = ()
    """Trials of other searches, which the engine knows from the start."""
    loss: Blockage | None = None
    """What is to be said where not all of them are there any more."""
    engine: SearchEngine | None = None
    exhausted: bool = False
    is_final: bool = False
    """Whether the search is over at this look, so that only a final training is left to do."""
    passed: dict[int, int] = field(default_factory=dict)
    """The last rung at which early stopping has let a trial go on, by number."""
    last_rungs_write: float = float("-inf")
    """When that was written, in monotonic seconds; progress does not wait for it."""
    listening: Listening = field(default_factory=Listening)
    """What is known of the metrics of running trials."""
    reckoned: Reckoned | None = None
    """What the end asked for last, so that a last write that failed pays for it once."""
    unheard_since: float | None = None
    """Since when pods have been running and Prometheus, which answers, has had no series of them, in
    monotonic seconds."""

    @override
    def __post_init__(self) -> None:
        JobState.__post_init__(self)
        self.ledger.compare_by(self.spec.objectives, empty_scores(self.spec))

    @override
    def reload(self, ledger: Ledger) -> None:
        JobState.reload(self, ledger)
        ledger.compare_by(self.spec.objectives, empty_scores(self.spec))
        self.exhausted = False

    @override
    def forget_engine(self) -> None:
        self.engine = None

    def suggest(self, numbers: Iterable[int], known: str) -> list[TrialRecord]:
        """Records of new trials; fewer than asked for when the space is exhausted.

        Runs in a thread: an adaptive engine may take a while.
        """
        engine = self._current_engine()
        made: list[TrialRecord] = []
        for number in numbers:
            assignment = engine.suggest(number)
            if assignment is None:
                self.exhausted = True
                break
            record = self._record(number, assignment, known if engine.adaptive else "")
            engine.observe(self._observation(record))  # now with the history that it names
            made.append(record)
        return made

    def final_records(self, most: int) -> list[TrialRecord]:
        """Records of the final trainings that are missing, at most so many."""
        plan = final_plan(self.spec)
        missing = [] if plan is None else missing_finals(self.ledger, plan)
        return [
            TrialRecord(
                number=number,
                texts=best.texts,
                seed=trial_seed(job_seed(self.spec), number),
                final_of=best.number,
            )
            for number, best in enumerate(missing[:most], final_number(self.ledger))
        ]

    def _record(self, number: int, assignment: Mapping[str, Value], history: str) -> TrialRecord:
        return TrialRecord(
            number=number,
            texts=self.space.to_texts(assignment),
            seed=trial_seed(job_seed(self.spec), number),
            history=history,
        )

    def reckon(self) -> Reckoned:
        """What is told when the search ends; the same again as long as no trial ends.

        Runs in a thread: it takes seconds where there are thousands of trials.
        """
        ended = len(self.ledger) - self.ledger.count(Outcome.ACTIVE)
        if self.reckoned is None or self.reckoned.ended != ended:
            self.reckoned = Reckoned(ended, self._importances(), self._learning())
        return self.reckoned

    def _importances(self) -> tuple[Importance, ...]:
        """Which parameters mattered, the most important for the first objective first."""
        # Optuna takes 40 MB and a moment: a search that has too few trials does not pay.
        if self.ledger.searched < FEWEST_TO_RANK:
            return ()
        from winnow_operator.engines.importances import importances

        found = importances(self.space, self._searched(), len(self.spec.objectives))
        ordered = sorted(found.items(), key=lambda item: (-item[1][0], item[0]))
        return tuple(
            Importance(parameter=name, values=tuple(f"{share:.4f}" for share in shares))
            for name, shares in ordered[:MAX_IMPORTANCES]
        )

    def _learning(self) -> tuple[LearnedBatch, ...]:
        """How the network of Generative has learnt; empty with other algorithms.

        The network is trained once more, from the histories in the Trials.
        """
        if self.spec.algorithm.name is not AlgorithmName.GENERATIVE:
            return ()
        from winnow_operator.engines.architectures.learning import learned

        return learned(self.spec, self.space, self._searched(), self.known)

    def _searched(self) -> list[Record]:
        """All trials of the search, by number."""
        numbers = sorted(self.ledger.records.keys() - self.ledger.finals.keys())
        return [self._observation(self.ledger.records[number]) for number in numbers]

    def _current_engine(self) -> SearchEngine:
        if self.engine is None:
            engine = make_engine(self.spec, self.space, self.known)
            for record in self._searched():
                engine.observe(record)
            self.engine = engine
        return self.engine

    @property
    def is_adaptive(self) -> bool:
        """Whether suggestions depend on results."""
        return is_adaptive(self.spec)

    @property
    @override
    def may_start_more(self) -> bool:
        """Not while a batch has pods to start by itself, and not once all trials are made."""
        slots = self.spec.budget.parallelism * self.spec.trials_per_pod
        if not self.is_adaptive and self.ledger.count(Outcome.ACTIVE) > slots:
            return False
        return not self.exhausted and self.ledger.searched < planned_trials(self.spec, self.space)

    @override
    def settle(self, record: TrialRecord) -> None:
        JobState.settle(self, record)
        if self.engine is not None and not record.final_of:
            self.engine.observe(self._observation(record))

    def _observation(self, record: TrialRecord) -> Record:
        valued = record.outcome in {Outcome.SUCCEEDED, Outcome.STOPPED}
        return Record(
            number=record.number,
            assignment=self.space.from_texts(record.texts),
            outcome=record.outcome,
            score=record.score if valued else None,
            scores=scores_of(record, self.spec.objectives) if valued and record.values else (),
            history=record.history,
            violation=record.violation,
            stopped_at=_stopped_at(record),
        )


def _stopped_at(record: TrialRecord) -> int:
    """The rung at which early stopping has stopped a trial; 0 if it has not."""
    if record.outcome is not Outcome.STOPPED or not record.rungs:
        return 0
    return record.rungs[-1][0]
