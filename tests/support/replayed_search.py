"""A search in memory, whose records name the histories of their suggestions as Trials do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from winnow_operator.api.trial import Outcome
from winnow_operator.domain.intervals import format_intervals
from winnow_operator.domain.spaces.space import Value
from winnow_operator.engines import Record, SearchEngine

Point = Mapping[str, Value]


@dataclass
class ReplayedSearch:
    """Drives an engine as the operator does."""

    make: Callable[[], SearchEngine]
    score: Callable[[Point], float | tuple[float, ...]]
    """One number, or one for each of several objectives; lower is better."""
    records: dict[int, Record] = field(default_factory=dict)
    engine: SearchEngine = field(init=False)

    def __post_init__(self) -> None:
        self.engine = self.make()

    def active(self) -> list[int]:
        """Numbers of trials without an outcome."""
        return [n for n, r in sorted(self.records.items()) if r.outcome is Outcome.ACTIVE]

    def history(self) -> str:
        """The trials whose outcome is known now."""
        return format_intervals(
            n for n, r in self.records.items() if r.outcome is not Outcome.ACTIVE
        )

    def suggest(self, count: int = 1) -> list[Point | None]:
        """Make the next trials; all of them know the same."""
        history, points = self.history(), list[Point | None]()
        for _ in range(count):
            number = len(self.records) + 1
            points.append(point := self.engine.suggest(number))
            if point is None:
                break
            self.records[number] = Record(number, point, Outcome.ACTIVE, history=history)
            self.engine.observe(self.records[number])
        return points

    def end(self, number: int, outcome: Outcome = Outcome.SUCCEEDED) -> None:
        """A trial ends; only one that failed has no score."""
        record = self.records[number]
        found = () if outcome is Outcome.FAILED else self.score(record.assignment)
        results = {"scores": found} if isinstance(found, tuple) else {"score": found}
        self.records[number] = replace(record, outcome=outcome, **results)
        self.engine.observe(self.records[number])

    def run(self, trials: int, *, parallel: int = 1) -> None:
        """Trials that end in the order in which they were made."""
        for _ in range(trials):
            if self.suggest()[0] is None:
                break
            if len(self.active()) >= parallel:
                self.end(self.active()[0])

    def rebuilt(self) -> SearchEngine:
        """An engine that has only seen the records, as after a restart."""
        engine = self.make()
        for number in sorted(self.records):
            engine.observe(self.records[number])
        return engine
