"""A search in memory, whose records name the histories of their suggestions as Trials do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from hypothesis import strategies as st

from winnow_operator.api.trial import Outcome
from winnow_operator.domain.intervals import format_intervals
from winnow_operator.domain.spaces.space import Value
from winnow_operator.engines import Record, SearchEngine

Point = Mapping[str, Value]
Course = list[tuple[int, list[tuple[int, Outcome]]]]
"""How a search goes on, step by step: how many trials begin, and then which of the active ones end how."""
_OUTCOMES = (Outcome.SUCCEEDED, Outcome.SUCCEEDED, Outcome.STOPPED, Outcome.FAILED)


def courses(shortest: int, longest: int) -> st.SearchStrategy[Course]:
    """Courses of so many steps."""
    ends = st.tuples(st.integers(0, 7), st.sampled_from(_OUTCOMES))
    step = st.tuples(st.integers(1, 4), st.lists(ends, min_size=1, max_size=6))
    return st.lists(step, min_size=shortest, max_size=longest)


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

    def go_on(self, course: Course) -> None:
        """Take a course; at each of its steps, an engine made anew suggests what the living one does."""
        for count, ends in course:
            rebuilt, first = self.rebuilt(), len(self.records) + 1
            points = self.suggest(count)
            assert points == [rebuilt.suggest(first + i) for i in range(len(points))]
            for pick, outcome in ends:
                if active := self.active():
                    self.end(active[pick % len(active)], outcome)
