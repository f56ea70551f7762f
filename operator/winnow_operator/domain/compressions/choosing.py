"""What the Trials of a CompressionJob record for a choice, and how its figures are shown.

The choice itself is the contract's (`recorded`), which the report uses too. Nothing here reads a
test value.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from winnow_contract.choosing.goals import Goal
from winnow_contract.choosing.recorded import Recorded
from winnow_contract.choosing.selection import Candidate
from winnow_contract.choosing.verdicts import ratio_of, speedup_of
from winnow_contract.manifests import Values
from winnow_contract.measuring.amounts import size_text, speedup_text
from winnow_contract.measuring.metrics import METRICS, metric_key, metric_of
from winnow_operator.api.compressionjob_status import Ratio
from winnow_operator.api.fields import decimal_text
from winnow_operator.api.trial import MetricValue, Outcome, TrialStatus
from winnow_operator.domain.ledger import Ledger, TrialRecord

__all__ = [
    "measured_of",
    "ratios_of",
    "recorded_of",
    "shown_keys",
    "size_shown",
    "speed_key",
    "speedup_shown",
    "values_of",
]

LATENCY, SIZE, PARAMETERS = "latency_p95_seconds", "size_bytes", "parameters"
RATIO_DIGITS = 4
"""Significant digits of a ratio: no measurement here is better than that."""


def measured_of(ledger: Ledger) -> dict[int, Recorded]:
    """What is recorded of the candidates that succeeded, by number; the baseline is one of them."""
    return {
        number: recorded_of(record)
        for number, record in sorted(ledger.records.items())
        if record.outcome is Outcome.SUCCEEDED
    }


def recorded_of(record: TrialRecord) -> Recorded:
    """What a choice needs of a Trial."""
    status = record.status or TrialStatus()
    return Recorded(
        number=record.number,
        name=record.candidate.name if record.candidate else "",
        values=values_of(status.values),
        beside=values_of(status.baseline),
        round=status.round or 1,
    )


def values_of(recorded: Iterable[MetricValue]) -> Values:
    """Values with their standard errors by key; what is no metric that is measured is left out."""
    return {
        value.metric: (
            float(value.value),
            None if value.standard_error is None else float(value.standard_error),
        )
        for value in recorded
        if value.metric.partition("@")[0] in METRICS
    }


def shown_keys(goals: Sequence[Goal], prefer: Sequence[str], speed: str) -> tuple[str, ...]:
    """Keys whose figures a status shows, those of goals and prefer first; Trials have all."""
    named = (*(goal.key for goal in goals), *prefer, speed, SIZE, PARAMETERS)
    return tuple(dict.fromkeys(named))


def ratios_of(candidate: Candidate, keys: Iterable[str]) -> tuple[Ratio, ...]:
    """The candidate's values over the baseline's of its round, where there are both."""
    ratios = [(key, ratio_of(candidate, key)) for key in keys]
    return tuple(
        Ratio(metric=key, value=decimal_text(float(f"{ratio:.{RATIO_DIGITS}g}")))
        for key, ratio in ratios
        if ratio is not None
    )


def speed_key(goals: Sequence[Goal], prefer: Sequence[str], batch_size: int) -> str:
    """The metric whose gain is shown as the speedup.

    The first time or throughput that is preferred, or else that a goal is about; without any the
    95th percentile at the first batch size.
    """
    named = (*prefer, *(goal.key for goal in goals))
    return next((k for k in named if metric_of(k).is_speed), metric_key(LATENCY, batch_size))


def speedup_shown(candidate: Candidate, key: str) -> str | None:
    """How many times as fast as the baseline of its round, as a column shows it: `9.4x`."""
    speedup = speedup_of(candidate, key)
    return None if speedup is None else speedup_text(speedup)


def size_shown(candidate: Candidate) -> str | None:
    """Size of model.onnx as a column shows it: `97Ki`."""
    size, _ = candidate.values.get(SIZE, (None, None))
    return None if size is None else size_text(size)
