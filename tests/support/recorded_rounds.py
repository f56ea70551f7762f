"""The largest compression as its Trials record it, round by round."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tests.support.compressionjobs import DIGEST
from tests.support.facts import ACCURACY
from tests.support.largest_compression import SECOND_ROUND, large
from winnow_contract.measuring.measured import MeasurementResult, as_recorded
from winnow_contract.measuring.measurements import MeasuredModel
from winnow_operator.api.compressionjob import CompressionJobSpec
from winnow_operator.api.trial import Artifact, TrialStatus
from winnow_operator.domain.compressions.chains import goals_of, step_documents, step_texts
from winnow_operator.domain.compressions.measured_outcomes import MeasuredRound, measured_outcomes
from winnow_operator.domain.kinds import Kind
from winnow_operator.domain.ledger import Candidate, Ledger, TrialRecord
from winnow_operator.manifests.objects import Owner

NAME, UID = "j" * 40, "12345678-1234-1234-1234-123456789012"
OWNER = Owner("n" * 63, NAME, UID, kind=Kind.COMPRESSION)
URI = f"pvc://winnow-artifacts/{OWNER.namespace}/compressionjob/{NAME}-12345678"
FIRST, SECOND = range(1, 17), range(17, 17 + SECOND_ROUND)
BUILT = TrialStatus(
    artifact=Artifact(uri=URI, digest=DIGEST, format="f", size_bytes=1),
    attempts=1,
    batch=f"{NAME}-k0001",
)


def built_rounds(spec: CompressionJobSpec) -> Ledger:
    """All candidates of both rounds, built and not measured."""
    ledger = Ledger()
    chains = [("baseline", ())] + [
        (candidate.name, step_texts(step_documents(candidate), goals_of(spec), "accuracy"))
        for candidate in spec.candidates
    ]
    chains += [(f"auto-{'x' * 35}", chains[1][1][-3:]) for _ in SECOND]
    for number, (name, steps) in enumerate(chains, 1):
        candidate = Candidate(name, steps, DIGEST)
        ledger.put(TrialRecord(number, (), 2**52, candidate=candidate, status=BUILT))
    return ledger


def result_of(round_: int, numbers: Iterable[int]) -> MeasurementResult:
    """What a round of measurement has found, as it is recorded."""
    models = [MeasuredModel(n, OWNER.trial_name(n), "", URI, "0" * 64) for n in numbers]
    return as_recorded(MeasurementResult("abcd1234", tuple(large(m, round_) for m in models)))


def record(ledger: Ledger, round_: int, result: MeasurementResult) -> None:
    """Take over what a round has found."""
    names = {c.number: OWNER.trial_name(c.number) for c in result.candidates}
    for settled in measured_outcomes(result, ledger, MeasuredRound(round_, ACCURACY, URI, names)):
        known, status = ledger.records[settled.number], settled.status
        ledger.put(replace(known, outcome=status.outcome, status=status))


def recorded_rounds(spec: CompressionJobSpec) -> Ledger:
    """The records of both rounds."""
    ledger = built_rounds(spec)
    record(ledger, 1, result_of(1, FIRST))
    record(ledger, 2, result_of(2, (1, *SECOND)))
    return ledger
