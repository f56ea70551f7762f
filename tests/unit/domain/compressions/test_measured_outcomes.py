"""From the result of a measurement to what stands on the Trials."""

from __future__ import annotations

from dataclasses import replace

from tests.support.compressionjobs import DIGEST, figures_of
from tests.support.facts import ACCURACY
from winnow_contract.measuring.measured import MeasuredCandidate, MeasurementResult
from winnow_operator.api.trial import Artifact, Outcome, TrialStatus
from winnow_operator.domain.compressions.measured_outcomes import MeasuredRound, measured_outcomes
from winnow_operator.domain.ledger import Candidate, Ledger, TrialRecord

BUILT = TrialStatus(
    artifact=Artifact(uri="pvc://m/built", digest=DIGEST, format="f", size_bytes=1),
    attempts=2,
    batch="small-k0001",
)
ROUND = MeasuredRound(1, ACCURACY, "pvc://m/small", {1: "small-c00001", 2: "small-c00002"})
BASELINE = MeasuredCandidate(1, "Succeeded", figures_of("baseline"), digest="1" * 64, size_bytes=5)
INT8 = MeasuredCandidate(
    2,
    "Succeeded",
    {"size_bytes": (4.0, None), **figures_of("int8")},
    test={"accuracy": (0.97, 0.01)},
    digest="2" * 64,
    size_bytes=7,
)


def record(number: int, status: TrialStatus | None = BUILT) -> TrialRecord:
    return TrialRecord(number, (), 0, candidate=Candidate(f"c{number}", (), ""), status=status)


def outcomes(
    *candidates: MeasuredCandidate, built: TrialStatus | None = BUILT
) -> list[TrialStatus]:
    ledger = Ledger()
    for number in (1, 2):
        ledger.put(record(number, built))
    result = MeasurementResult("0a1b2c3d", candidates)
    return [s.status for s in measured_outcomes(result, ledger, ROUND)]


def test_a_measured_candidate_has_its_values_the_objective_first_beside_the_baselines() -> None:
    baseline, int8 = outcomes(BASELINE, INT8)

    assert (int8.outcome, int8.score, int8.round) == (Outcome.SUCCEEDED, "-0.975", 1)
    assert int8.values[0].metric == "accuracy"
    assert baseline.values[0].value == "0.98"
    assert int8.baseline == baseline.baseline == (), "its own Trial has them"
    assert [(v.metric, v.value, v.standard_error) for v in int8.test] == [
        ("accuracy", "0.97", "0.01")
    ]
    assert (int8.attempts, int8.batch) == (2, "small-k0001")


def test_of_a_later_round_is_recorded_what_the_baseline_measured_otherwise_there() -> None:
    first, _ = outcomes(BASELINE, INT8)
    ledger = Ledger()
    ledger.put(replace(record(1, first), outcome=Outcome.SUCCEEDED))
    ledger.put(record(2))
    slower = {**BASELINE.values, "latency_p95_seconds@1": (0.009, 1e-5)}
    result = MeasurementResult("0a1b2c3d", (replace(BASELINE, values=slower), INT8))

    (settled,) = measured_outcomes(result, ledger, replace(ROUND, number=2))

    assert [(v.metric, v.value) for v in settled.status.baseline] == [
        ("latency_p95_seconds@1", "0.009")
    ]


def test_the_final_artifact_takes_the_place_of_the_built_one() -> None:
    _, int8 = outcomes(BASELINE, INT8)

    assert int8.artifact is not None
    assert int8.artifact.uri == "pvc://m/small/small-c00002/0a1b2c3d"
    assert int8.artifact.digest == f"sha256:{'2' * 64}"
    assert int8.artifact.format == "winnow/onnx-v1"
    assert int8.artifact.size_bytes == 7


def test_an_artifact_that_an_earlier_attempt_made_is_found_there() -> None:
    _, int8 = outcomes(BASELINE, replace(INT8, attempt="ffffffff"))

    assert int8.artifact is not None
    assert int8.artifact.uri.endswith("/ffffffff")


def test_a_failed_candidate_keeps_what_was_built_and_its_cause() -> None:
    failed = MeasuredCandidate(2, "Failed", cause="OutputsDiffer", message="by 0.3")

    _, status = outcomes(BASELINE, failed)

    assert (status.outcome, status.cause, status.message) == (
        Outcome.FAILED,
        "OutputsDiffer",
        "by 0.3",
    )
    assert status.artifact == BUILT.artifact
    assert status.score is None


def test_a_candidate_without_the_first_quality_metric_has_failed() -> None:
    _, status = outcomes(BASELINE, replace(INT8, values={"size_bytes": (4.0, None)}))

    assert (status.outcome, status.cause) == (Outcome.FAILED, "NoObjective")


def test_only_candidates_that_wait_for_the_result_get_an_outcome() -> None:
    stranger = replace(INT8, number=9)

    assert outcomes(BASELINE, INT8, stranger, built=TrialStatus()) == []
