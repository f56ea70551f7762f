"""The ledger: what is recorded of all trials of one running job, kept compactly.

A Trial with an outcome never changes, so it is read once (a paged list when the job is first
met, then the operator's own writes) and never again while the job runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from winnow_contract.rungscores import RungScores
from winnow_operator.api.searchjob import Goal, Objective
from winnow_operator.api.searchjob_rules import MAX_OBJECTIVES
from winnow_operator.api.trial import Outcome, TrialStatus
from winnow_operator.domain.searches.pareto import with_trial


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a Trial of a compression is besides its number and seed."""

    name: str
    steps: tuple[str, ...]
    """Each step as canonical JSON; none of the baseline."""
    parent: str
    """`sha256:` of the source artifact."""


@dataclass(frozen=True, slots=True)
class TrialRecord:
    """One Trial as the API server holds it."""

    number: int
    texts: tuple[tuple[str, str], ...]
    """(name, value) of each parameter, as recorded."""
    seed: int
    history: str = ""
    outcome: Outcome = Outcome.ACTIVE
    score: float | None = None
    """Lower is better; None unless there is an objective value."""
    values: tuple[float, ...] = ()
    """Of several objectives, each as measured; one objective has a score."""
    folds: tuple[float, ...] = ()
    """The objective on each fold, where trials are compared by them."""
    violation: float = 0.0
    """How far it is from keeping the constraints; 0 if it does."""
    standard_error: float | None = None
    rungs: tuple[tuple[int, float], ...] = ()
    """(rung, objective as measured) of early stopping, ascending."""
    cause: str = ""
    message: str = ""
    job_fault: bool = False
    attempts: int = 0
    batch: str = ""
    final_of: int = 0
    """Number of the trial that it trains once more, after the search; 0 of a trial of the search."""
    candidate: Candidate | None = None
    """Only in a compression."""
    status: TrialStatus | None = None
    """All that is recorded of it, where what comes later needs it: in a compression only."""

    @property
    def can_win(self) -> bool:
        """Whether it is a trial of the search that succeeded and keeps the constraints."""
        return self.outcome is Outcome.SUCCEEDED and not self.final_of and not self.violation

    @property
    def is_built(self) -> bool:
        """Whether its artifact is there and waits for its measurement."""
        return self.is_active and self.status is not None and self.status.artifact is not None

    @property
    def is_active(self) -> bool:
        """Whether it still waits for an outcome."""
        return self.outcome is Outcome.ACTIVE


@dataclass(slots=True)
class Ledger:
    """All Trials of one job, by number; what every look asks for is kept as they come.

    That is possible because an outcome is never taken back.
    """

    records: dict[int, TrialRecord] = field(default_factory=dict)
    finals: dict[int, TrialRecord] = field(default_factory=dict)
    """Those that train another one once more; all others are of the search itself."""
    leaders: tuple[TrialRecord, ...] = ()
    """Of the search: the two succeeded trials with the lowest scores, of equal ones those suggested first."""
    objectives: tuple[Objective, ...] = ()
    """Of the search, if it has several; set by `compare_by`."""
    front: tuple[TrialRecord, ...] = ()
    """Of several objectives: the succeeded trials that no other beats in all of them."""
    at_rungs: RungScores | None = None
    """Of early stopping by the operator: the scores of trials with an outcome; set by `compare_by`."""
    job_fault: TrialRecord | None = None
    """The first trial that failed for a reason that is the same for all."""
    _first: Objective | None = None
    _active: set[int] = field(default_factory=set)
    _open: set[int] = field(default_factory=set)
    _counts: dict[Outcome, int] = field(default_factory=dict)

    def put(self, record: TrialRecord) -> None:
        """Record a trial or what has become of it; an outcome is never taken back."""
        old = self.records.get(record.number)
        if old is not None:
            if not old.is_active:
                return
            self._count(old, -1)
        self.records[record.number] = record
        if record.final_of:
            self.finals[record.number] = record
        self._count(record, +1)
        if not record.is_active:
            self._note_end(record)

    def settle(self, number: int, **changes: Any) -> TrialRecord:
        """Record changes of a trial that was active; gives the record as it is now."""
        self.put(replace(self.records[number], **changes))
        return self.records[number]

    def _count(self, record: TrialRecord, by: int) -> None:
        self._counts[record.outcome] = self._counts.get(record.outcome, 0) + by
        if not record.is_active:
            return
        if by > 0:
            self._active.add(record.number)
        else:
            self._active.discard(record.number)
        if by > 0 and not record.is_built:
            self._open.add(record.number)
        else:
            self._open.discard(record.number)

    def _note_end(self, record: TrialRecord) -> None:
        if record.can_win and record.score is not None:
            self.leaders = tuple(sorted((*self.leaders, record), key=rank)[:2])
        self._note_compared(record)
        first = self.job_fault
        if record.job_fault and (first is None or record.number < first.number):
            self.job_fault = record

    def _note_compared(self, record: TrialRecord) -> None:
        if self.objectives and record.can_win:
            self.front = with_trial(self.front, record, self.objectives)
        if self._first is not None and self.at_rungs is not None and record.rungs:
            self.at_rungs.add(scores_of_rungs(dict(record.rungs), self._first))

    def compare_by(
        self, objectives: tuple[Objective, ...], at_rungs: RungScores | None = None
    ) -> None:
        """Keep the Pareto set from now on where there are several objectives, and scores at rungs.

        Args:
            objectives: of the search.
            at_rungs: where to put the scores; None: nothing is stopped by them here.
        """
        if self._first is not None:
            return
        self._first, self.at_rungs = objectives[0], at_rungs
        self.objectives = objectives if len(objectives) > 1 else ()
        for record in sorted(self.finished(), key=lambda record: record.number):
            self._note_compared(record)

    def count(self, outcome: Outcome) -> int:
        """How many trials have this outcome."""
        return self._counts.get(outcome, 0)

    @property
    def active(self) -> frozenset[int]:
        """Numbers of the trials without an outcome."""
        return frozenset(self._active)

    @property
    def open(self) -> frozenset[int]:
        """Numbers of the active trials that a pod must still run: in a search all of them."""
        return frozenset(self._open)

    def open_causes(self) -> dict[int, str]:
        """Why pods of trials without an outcome cannot start, where that was recorded."""
        return {n: cause for n in sorted(self._open) if (cause := self.records[n].cause)}

    def finished(self) -> Iterator[TrialRecord]:
        """Records with an outcome, in no special order."""
        return (record for record in self.records.values() if not record.is_active)

    @property
    def searched(self) -> int:
        """How many trials of the search itself there are."""
        return len(self.records) - len(self.finals)

    @property
    def searching(self) -> frozenset[int]:
        """Trials of the search itself without an outcome."""
        return frozenset(self._active - self.finals.keys())

    def missing(self, up_to: int) -> Iterator[int]:
        """Numbers from 1 to `up_to` without a record, in order."""
        return (n for n in range(1, up_to + 1) if n not in self.records)

    def __len__(self) -> int:
        return len(self.records)


def rank(record: TrialRecord) -> tuple[float, int]:
    """Lower is better; of equal scores, the trial that was suggested first."""
    return (record.score if record.score is not None else float("inf"), record.number)


def read_trial(body: Mapping[str, Any]) -> TrialRecord:
    """The record of a Trial object; tolerant, since a person may have edited its status."""
    spec, status = body["spec"], body.get("status") or {}
    values, candidate = status.get("values") or (), _candidate(spec)
    return TrialRecord(
        number=int(spec["number"]),
        texts=tuple((p["name"], p["value"]) for p in spec.get("parameters") or ()),
        seed=int(spec.get("seed", 0)),
        history=spec.get("history", ""),
        final_of=int(spec.get("finalOf") or 0),
        outcome=Outcome(status.get("outcome", "Active")),
        score=_number(status.get("score")),
        values=_several(status),
        folds=fold_values(status.get("foldValues")),
        violation=_number(status.get("violation")) or 0.0,
        standard_error=_number(values[0].get("standardError")) if values else None,
        rungs=_rungs(status),
        cause=status.get("cause") or "",
        message=status.get("message") or "",
        job_fault=status.get("scope") == "Job",
        attempts=int(status.get("attempts") or 0),
        batch=status.get("batch") or "",
        candidate=candidate,
        status=None if candidate is None else _status(status),
    )


def several_values(status: TrialStatus) -> tuple[float, ...]:
    """The first values of a trial without a score: its objectives, if it has several."""
    if status.score is not None:
        return ()
    return tuple(float(value.value) for value in status.values[:MAX_OBJECTIVES])


def fold_values(text: object) -> tuple[float, ...]:
    """The objective on each fold as a Trial has it; none where it makes no sense."""
    numbers = [_number(word) for word in text.split()] if isinstance(text, str) else []
    return tuple(n for n in numbers if n is not None)


def _several(status: Mapping[str, Any]) -> tuple[float, ...]:
    """The same of a status as it was read."""
    if "score" in status:
        return ()
    numbers = (_number(v.get("value")) for v in (status.get("values") or ())[:MAX_OBJECTIVES])
    return tuple(n for n in numbers if n is not None)


def scores_of_rungs(values: Mapping[int, float], objective: Objective) -> dict[int, float]:
    """Values at rungs as scores, of which lower is better."""
    sign = 1.0 if objective.goal is Goal.MINIMIZE else -1.0
    return {rung: sign * value for rung, value in values.items()}


def rungs_of(status: TrialStatus) -> tuple[tuple[int, float], ...]:
    """What is recorded of rungs."""
    return tuple((entry.rung, float(entry.value)) for entry in status.rungs)


def _rungs(status: Mapping[str, Any]) -> tuple[tuple[int, float], ...]:
    """The same of a status as it was read."""
    entries = ((e.get("rung"), _number(e.get("value"))) for e in status.get("rungs") or ())
    return tuple((rung, value) for rung, value in entries if rung and value is not None)


def _candidate(spec: Mapping[str, Any]) -> Candidate | None:
    name = spec.get("candidate")
    if not name:
        return None
    return Candidate(name, tuple(spec.get("steps") or ()), spec.get("parent") or "")


def _status(status: Mapping[str, Any]) -> TrialStatus | None:
    try:
        return TrialStatus.model_validate(status)
    except ValidationError:
        return None  # someone edited it: its artifact is not known, so that it is built again


def _number(text: object) -> float | None:
    try:
        return float(text) if isinstance(text, str) else None
    except ValueError:
        return None
