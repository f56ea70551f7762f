"""How large the records of the largest compression are, without what the API server adds.

`tests/integration/test_sizes.py` measures the same as it is stored.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.support.compressionjobs import DIGEST
from tests.support.largest_compression import largest_job, stored_bytes
from tests.support.recorded_rounds import NAME, OWNER, URI, recorded_rounds
from winnow_operator.api.compressionjob import CompressionJobSpec
from winnow_operator.api.compressionjob_status import CompressionJobStatus, SourceStatus
from winnow_operator.api.conditions import Reason
from winnow_operator.domain.compressions.status import (
    CompressionSituation,
    choose_from,
    make_compression_status,
)
from winnow_operator.domain.kinds import Kind
from winnow_operator.domain.ledger import Ledger
from winnow_operator.domain.searches.endings import Ending
from winnow_operator.manifests.trials import trial_object, trial_status

MAX_TRIAL_BYTES, MAX_STATUS_BYTES = 6_600, 8_200


def ended(spec: CompressionJobSpec, ledger: Ledger) -> CompressionJobStatus:
    """The last status, with every text as long as it gets."""
    image = f"registry.example.com/team/winnow/trainer@sha256:{'0' * 64}"
    situation = CompressionSituation(
        spec=spec,
        generation=12,
        previous=CompressionJobStatus(),
        now=datetime(2026, 1, 1, tzinfo=UTC),
        ledger=ledger,
        planned=20,
        started="2026-01-01T00:00:00Z",
        ending=Ending(Reason.SELECTED, "19 of 19 candidates were measured beside the baseline"),
        image=image,
        server_image=image,
        template_hash="0" * 64,
        kind=Kind.COMPRESSION,
        source=SourceStatus(
            uri=URI, digest=DIGEST, trial=f"{NAME}-t00001", family="Transformer", data=URI
        ),
        metric="accuracy",
        artifacts_uri=URI,
        chosen=choose_from(spec, ledger, OWNER.trial_name),
    )
    return make_compression_status(situation)


@pytest.mark.parametrize("met", [True, False], ids=["goals met", "goals missed"])
def test_the_status_of_the_largest_compression_stays_small(
    met: bool,  # noqa: FBT001 -- a column of the table
) -> None:
    spec = CompressionJobSpec.model_validate(largest_job(NAME, met=met, rounds=2)["spec"])

    status = ended(spec, recorded_rounds(spec))

    document = status.model_dump(by_alias=True, exclude_none=True, mode="json")
    assert status.selected is not None
    assert (status.selected.candidate == "baseline") is not met
    assert stored_bytes(document) <= MAX_STATUS_BYTES


def test_no_trial_of_the_largest_compression_is_large() -> None:
    spec = CompressionJobSpec.model_validate(largest_job(NAME, met=True, rounds=2)["spec"])

    records = recorded_rounds(spec).records.values()

    sizes = {}
    for record in records:
        assert record.status is not None
        status = trial_status(record.status, completed="2026-01-01T00:00:00Z")
        sizes[record.number] = stored_bytes({**trial_object(OWNER, record), "status": status})
    assert len(sizes) == 20
    assert max(sizes.values()) <= MAX_TRIAL_BYTES, sizes
