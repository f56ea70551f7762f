"""Which candidates each round of a compression builds and measures, by their numbers alone.

    1        baseline          round 1
    2..      named candidates  round 1; without any, the first that are written
    then     written ones      the following rounds, `candidatesPerRound` each

That follows from the spec, whose candidates and auto never change: nothing of it is remembered.
"""

from __future__ import annotations

from dataclasses import dataclass

from winnow_operator.api.compressionjob import CompressionJobSpec
from winnow_operator.domain.ledger import Ledger

BASELINE_NUMBER = 1
"""Number of the Trial that is the source as it is."""


@dataclass(frozen=True, slots=True)
class Rounds:
    """How many candidates there are, and how they are grouped."""

    named: int
    written: int
    """Candidates that auto may write."""
    per_round: int

    @property
    def planned(self) -> int:
        """All candidates, the baseline among them."""
        return 1 + self.named + self.written

    @property
    def first_written(self) -> int:
        """Number of the first candidate that auto writes."""
        return 2 + self.named

    def is_written(self, number: int) -> bool:
        """Whether auto writes the candidate with this number."""
        return number >= self.first_written

    def round_of(self, number: int) -> int:
        """The round that the candidate with this number belongs to."""
        first = self._first
        if number <= 1 + first:
            return 1
        return 2 + (number - 2 - first) // self.per_round

    def numbers(self, index: int) -> range:
        """Numbers of the candidates of a round, from 1; the first holds the baseline."""
        first = self._first
        if index == 1:
            return range(1, 2 + first)
        start = 2 + first + (index - 2) * self.per_round
        return range(start, min(start + self.per_round, self.planned + 1))

    @property
    def count(self) -> int:
        """How many rounds there are at most."""
        return self.round_of(self.planned)

    def current(self, ledger: Ledger, *, exhausted: bool) -> int | None:
        """The first round with a candidate that has no outcome yet; None once all have one.

        Args:
            ledger: what is recorded.
            exhausted: whether those that are not recorded will not be written any more.
        """
        return next(
            (
                index
                for index in range(1, self.count + 1)
                if any(_is_due(n, ledger, exhausted=exhausted) for n in self.numbers(index))
            ),
            None,
        )

    @property
    def _first(self) -> int:
        """Candidates of the first round besides the baseline."""
        return self.named or min(self.per_round, self.written)


def _is_due(number: int, ledger: Ledger, *, exhausted: bool) -> bool:
    record = ledger.records.get(number)
    return not exhausted if record is None else record.is_active


def rounds_of(spec: CompressionJobSpec) -> Rounds:
    """The rounds of a job."""
    named, auto = len(spec.candidates), spec.auto
    if auto is None:
        return Rounds(named, 0, 1)
    return Rounds(named, max(0, auto.max_candidates - named), auto.candidates_per_round)
