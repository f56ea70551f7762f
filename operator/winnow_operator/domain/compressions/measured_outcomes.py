"""From the result of a measurement to the outcomes of its candidates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from winnow_contract.choosing.recorded import differing
from winnow_contract.manifests import Values
from winnow_contract.measuring.measured import MeasuredCandidate, MeasurementResult
from winnow_operator.api.fields import decimal_text
from winnow_operator.api.searchjob import Objective
from winnow_operator.api.trial import Artifact, FaultScope, MetricValue, Outcome, TrialStatus
from winnow_operator.domain.compressions.choosing import measured_of
from winnow_operator.domain.compressions.rounds import BASELINE_NUMBER
from winnow_operator.domain.ledger import Ledger, TrialRecord
from winnow_operator.domain.settlements import (
    COMPRESSED_FORMAT,
    MAX_CAUSE,
    MAX_METRICS,
    Settlement,
    fit,
    score_text,
)

MAX_TEST = 8


@dataclass(frozen=True, slots=True)
class MeasuredRound:
    """What is the same for all candidates of a round."""

    number: int
    objective: Objective
    artifacts_uri: str
    names: Mapping[int, str]
    """Names of the Trials of its candidates."""


def measured_outcomes(
    result: MeasurementResult, ledger: Ledger, measured: MeasuredRound
) -> list[Settlement]:
    """The outcomes of the candidates that wait for this result."""
    baseline = next((c for c in result.candidates if c.number == BASELINE_NUMBER), None)
    found = {} if baseline is None else baseline.values
    recorded = measured_of(ledger).get(BASELINE_NUMBER)
    beside = {} if recorded is None else differing(found, recorded, measured.number)
    return [
        Settlement(c.number, _status(c, result, ledger.records[c.number], beside, measured))
        for c in result.candidates
        if c.number in measured.names
        and c.number in ledger.records
        and ledger.records[c.number].is_built
    ]


def _status(
    candidate: MeasuredCandidate,
    result: MeasurementResult,
    record: TrialRecord,
    beside: Values,
    measured: MeasuredRound,
) -> TrialStatus:
    built = record.status or TrialStatus()
    common = {
        "round": measured.number,
        "attempts": built.attempts,
        "batch": built.batch,
        "artifact": _artifact(candidate, result, measured) or built.artifact,
        "values": metric_values(candidate.values, measured.objective.metric),
        "test": metric_values(candidate.test, measured.objective.metric)[:MAX_TEST],
        "baseline": () if candidate.number == BASELINE_NUMBER else metric_values(beside),
    }
    value, _ = candidate.values.get(measured.objective.metric, (None, None))
    if candidate.outcome == Outcome.SUCCEEDED and value is not None:
        score = score_text(value, measured.objective)
        return TrialStatus.model_validate({**common, "outcome": Outcome.SUCCEEDED, "score": score})
    cause, words = candidate.cause, candidate.message
    if candidate.outcome == Outcome.SUCCEEDED:
        cause = "NoObjective"
        words = f"the measurement has no value for {measured.objective.metric}"
    failure = {
        "outcome": Outcome.FAILED,
        "cause": (cause or "Failed")[:MAX_CAUSE],
        "message": fit(
            words or "the candidate failed when it was measured, and no reason is given"
        ),
        "scope": FaultScope.TRIAL,
    }
    return TrialStatus.model_validate({**common, **failure})


def metric_values(values: Values, first: str = "") -> tuple[MetricValue, ...]:
    """Values as a Trial records them, that of `first` before all others."""
    keys = sorted(values, key=lambda key: key != first)
    return tuple(_metric(key, *values[key]) for key in keys)[:MAX_METRICS]


def _metric(key: str, value: float, error: float | None) -> MetricValue:
    text = None if error is None else decimal_text(error)
    return MetricValue(metric=key, value=decimal_text(value), standard_error=text)


def _artifact(
    candidate: MeasuredCandidate, result: MeasurementResult, measured: MeasuredRound
) -> Artifact | None:
    attempt = candidate.attempt or result.attempt
    if not candidate.digest or not attempt:
        return None
    return Artifact(
        uri=f"{measured.artifacts_uri}/{measured.names[candidate.number]}/{attempt}",
        digest=f"sha256:{candidate.digest}",
        format=COMPRESSED_FORMAT,
        size_bytes=candidate.size_bytes,
    )
