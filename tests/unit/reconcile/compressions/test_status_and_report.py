"""The operator's choice and that of the report's page are the same, in a later round too."""

from __future__ import annotations

from typing import Any, cast

import pytest

from tests.support.compressionjobs import DIGEST
from tests.support.largest_compression import figures, largest_job
from tests.support.recorded_rounds import (
    FIRST,
    NAME,
    OWNER,
    SECOND,
    URI,
    built_rounds,
    record,
    result_of,
)
from winnow_contract.measuring.measurements import decode_measurement, encode_measurement
from winnow_measure.reporting import choice_of
from winnow_operator.api.compressionjob import CompressionJob
from winnow_operator.api.compressionjob_status import SourceStatus
from winnow_operator.domain.compressions.sources import Origin
from winnow_operator.domain.compressions.status import choose_from
from winnow_operator.reconcile.compressions.building import CompressionContext
from winnow_operator.reconcile.compressions.compressionstate import CompressionState
from winnow_operator.reconcile.compressions.measuring import measurement_of
from winnow_operator.reconcile.jobcontext import Tools

P95 = "latency_p95_seconds@1"
FIRST_P95, SECOND_P95 = figures(1, 1)[P95][0], figures(1, 2)[P95][0]
BETWEEN = f"{(FIRST_P95 + SECOND_P95) / 2:.9f}"
ACCURATE = {"metric": "accuracy", "min": "0.95"}

ASKED: dict[str, list[dict[str, Any]]] = {
    "nothing": [],
    "a drop": [{"metric": "accuracy", "maxDrop": "0.02"}],
    "a speedup": [{"metric": "latency_p95_seconds", "minSpeedup": "1.2"}],
    "what the baseline meets in one round alone": [
        {"metric": "latency_p95_seconds", "max": BETWEEN}
    ],
    "what it misses in one round alone": [{"metric": "latency_p95_seconds", "min": BETWEEN}],
    "what nothing meets": [{"metric": "latency_p95_seconds", "minSpeedup": "100"}, ACCURATE],
}


@pytest.mark.parametrize("prefer", [[], ["latency_p95_seconds"], ["size_bytes", "cpu_seconds@64"]])
@pytest.mark.parametrize("goals", ASKED.values(), ids=ASKED)
def test_status_and_report_choose_the_same_for_the_same_reason(
    goals: list[dict[str, Any]], prefer: list[str]
) -> None:
    body = largest_job(NAME, met=True, rounds=2)
    body["spec"] |= {"goals": goals, "prefer": prefer}
    job = CompressionJob.model_validate(body)
    ledger = built_rounds(job.spec)
    record(ledger, 1, result_of(1, FIRST))
    origin = Origin(SourceStatus(uri=URI, digest=DIGEST), "accuracy")
    state = CompressionState(uid=OWNER.uid, ledger=ledger)
    context = CompressionContext(cast("Tools", None), {}, OWNER, job, state, origin)
    file = decode_measurement(encode_measurement(measurement_of(context, 2)))
    result = result_of(2, (1, *SECOND))

    page = choice_of(file, result)
    record(ledger, 2, result)
    status = choose_from(job.spec, ledger, OWNER.trial_name)

    assert FIRST_P95 != SECOND_P95
    assert status is not None
    assert page == status.choice
