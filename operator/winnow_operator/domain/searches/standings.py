"""What a finalist has come to: the mean over its final trainings, and the one whose model is kept.

The seeds are fresh, so the mean says nothing of the luck by which a trial came out first in the
search. The model is that of the median training: not the luckiest one, whose value would promise
more than the model holds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from winnow_operator.api.fields import decimal_text
from winnow_operator.api.trial import MetricValue
from winnow_operator.domain.ledger import TrialRecord, rank


@dataclass(frozen=True, slots=True)
class Standing:
    """A trial of the search with its final trainings; with none, as the search has it."""

    record: TrialRecord
    finals: tuple[TrialRecord, ...]
    score: float | None
    """Mean; lower is better. None of several objectives."""
    values: tuple[float, ...]
    """Means of several objectives, as measured."""
    standard_error: float | None
    violation: float

    @property
    def number(self) -> int:
        """Of the trial of the search."""
        return self.record.number

    @property
    def kept(self) -> TrialRecord | None:
        """The final training whose model is kept: the median one, of an even number the better."""
        if not self.finals:
            return None
        ordered = sorted(self.finals, key=_order)
        return ordered[(len(ordered) - 1) // 2]


def standing_of(record: TrialRecord, finals: Sequence[TrialRecord]) -> Standing:
    """What a trial has come to by its final trainings, or without any by the search."""
    ran = tuple(finals) or (record,)
    scores = [r.score for r in ran if r.score is not None]
    return Standing(
        record=record,
        finals=tuple(finals),
        score=fmean(scores) if scores else None,
        values=tuple(fmean(column) for column in zip(*(r.values for r in ran), strict=False)),
        standard_error=_error(ran, scores),
        violation=fmean(r.violation for r in ran),
    )


def mean_values(trained: Sequence[Sequence[MetricValue]]) -> tuple[MetricValue, ...]:
    """What was measured, over several trainings: means with their standard errors."""
    columns: dict[str, list[float]] = {}
    for values in trained:
        for value in values:
            columns.setdefault(value.metric, []).append(float(value.value))
    if len(trained) == 1:
        return tuple(trained[0])
    return tuple(
        MetricValue(
            metric=metric,
            value=decimal_text(fmean(column)),
            standard_error=decimal_text(stdev(column) / math.sqrt(len(column))),
        )
        for metric, column in columns.items()
        if len(column) == len(trained)
    )


def close_finish(found: Sequence[Standing], winner: Standing, metric: str) -> str | None:
    """A sentence where the winner's lead over the next finalist is below one standard error."""
    others = [s for s in found if s.number != winner.number and s.score is not None]
    second = min(others, key=lambda s: (s.violation, s.score), default=None)
    if second is None or second.score is None or winner.score is None:
        return None
    margin = second.score - winner.score
    error = max(winner.standard_error or 0.0, second.standard_error or 0.0)
    if second.violation > winner.violation or (margin > 0 and margin >= error):
        return None
    return (
        f"trained again, the lead over trial number {second.number} is {margin:.4g} {metric}, less "
        f"than one standard error ({error:.4g}): the two cannot be told apart"
    )


def _error(ran: Sequence[TrialRecord], scores: Sequence[float]) -> float | None:
    """Of a mean over several trainings s / sqrt(n); of one, its own."""
    if len(ran) == 1:
        return ran[0].standard_error
    return stdev(scores) / math.sqrt(len(scores)) if len(scores) > 1 else None


def _order(record: TrialRecord) -> tuple[float, float, int]:
    """By the score; of several objectives by the first value."""
    first = record.values[0] if record.values else 0.0
    return (rank(record)[0], first, record.number)
