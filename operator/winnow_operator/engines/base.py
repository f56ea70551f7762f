"""The interface of a search algorithm.

An engine is a cache: at any time it may be thrown away and rebuilt by observing the recorded
trials. All its random state comes from (seed, trial number), so that a rebuilt engine suggests
the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from winnow_operator.api.trial import Outcome
from winnow_operator.domain.searches.warm_starts import KnownTrial
from winnow_operator.domain.spaces.space import Value

FEWEST_TO_RANK = 10
"""Trials of which the best tenth is one at least; of fewer nothing is said."""


@dataclass(frozen=True, slots=True)
class Record:
    """A trial as the API server has it."""

    number: int
    assignment: Mapping[str, Value]
    outcome: Outcome
    score: float | None = None
    """Lower is better; None without a value, or with several objectives."""
    history: str = ""
    """Numbers of the trials whose outcome was known when it was suggested, `1-8,12`."""
    scores: tuple[float, ...] = ()
    """Of several objectives; lower is better, and empty without values."""
    violation: float = 0.0
    """How far it is from keeping the constraints; 0 if it does."""
    stopped_at: int = 0
    """Rung at which early stopping has stopped it, so that its score is only of that; 0 if it has not."""

    @property
    def results(self) -> tuple[float, ...]:
        """The score of each objective; empty without a value."""
        return self.scores or (() if self.score is None else (self.score,))


def known_records(trials: Sequence[KnownTrial]) -> list[Record]:
    """Trials of other searches as records that come before all trials of this one."""
    first = 1 - len(trials)
    return [
        Record(
            number=number,
            assignment=trial.assignment,
            outcome=Outcome.SUCCEEDED,
            score=trial.scores[0] if len(trial.scores) == 1 else None,
            scores=trial.scores if len(trial.scores) > 1 else (),
            violation=trial.violation,
        )
        for number, trial in enumerate(trials, first)
    ]


class SearchEngine(Protocol):
    """Suggests assignments."""

    @property
    def adaptive(self) -> bool:
        """Whether suggestions depend on results; if not, they come in large batches."""
        ...

    def observe(self, record: Record) -> None:
        """Take note of a recorded trial, active or finished; the same one twice is fine."""
        ...

    def suggest(self, number: int) -> Mapping[str, Value] | None:
        """The assignment of the trial with this number, or None when the space is exhausted.

        The engine remembers it as an active trial.
        """
        ...
