"""Why a compression ends."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.compressionjobs import compression_job
from tests.support.facts import ledger_of, record_of
from winnow_operator.api.compressionjob import CompressionJobSpec
from winnow_operator.api.conditions import Reason
from winnow_operator.api.trial import Outcome
from winnow_operator.domain.compressions.endings import (
    CompressionProgress,
    find_compression_ending,
)
from winnow_operator.domain.compressions.rounds import rounds_of
from winnow_operator.domain.ledger import TrialRecord
from winnow_operator.domain.searches.endings import Ending

SPEC = CompressionJobSpec.model_validate(
    compression_job(budget={"maxFailedTrials": 1, "maxDuration": "1h"})["spec"]
)


def good(number: int) -> TrialRecord:
    return record_of(number, Outcome.SUCCEEDED)


def bad(number: int, **fields: Any) -> TrialRecord:
    return record_of(number, Outcome.FAILED, cause="NaN", message="the loss", **fields)


def ending(*records: TrialRecord, elapsed: float = 0.0, exhausted: bool = False) -> Ending | None:
    return find_compression_ending(
        CompressionProgress(
            spec=SPEC,
            ledger=ledger_of(*records),
            rounds=rounds_of(SPEC),
            exhausted=exhausted,
            elapsed_seconds=elapsed,
            max_duration_seconds=3600,
        )
    )


@pytest.mark.parametrize(
    "records",
    [
        [],
        [record_of(1), record_of(2)],
        [good(1), good(2), good(3)],
        [good(1), good(2), good(3), record_of(4)],
        [good(1), bad(2)],
    ],
    ids=["nothing yet", "active", "one missing", "one active", "a failure within the limit"],
)
def test_a_compression_goes_on_while_there_is_something_to_do(records: list[TrialRecord]) -> None:
    assert ending(*records) is None


@pytest.mark.parametrize(
    ("records", "facts", "reason", "failed"),
    [
        ([good(1), good(2), bad(3), good(4)], {}, Reason.SELECTED, False),
        ([good(1)], {"exhausted": True}, Reason.SELECTED, False),
        ([bad(1), record_of(2)], {}, Reason.JOB_FAULT, True),
        ([record_of(1), bad(2, job_fault=True)], {}, Reason.JOB_FAULT, True),
        ([good(1), bad(2), bad(3)], {}, Reason.TOO_MANY_FAILURES, True),
        ([good(1), record_of(2)], {"elapsed": 3600}, Reason.DEADLINE_REACHED, False),
        ([record_of(1)], {"elapsed": 3600}, Reason.DEADLINE_REACHED, True),
    ],
    ids=[
        "all measured",
        "nothing left to write",
        "no baseline",
        "a fault of all",
        "too many failures",
        "time is over with a baseline",
        "time is over without",
    ],
)
def test_the_first_ending_that_holds_wins(
    records: list[TrialRecord], facts: dict[str, Any], reason: Reason, *, failed: bool
) -> None:
    found = ending(*records, **facts)

    assert found is not None
    assert (found.reason, found.failed) == (reason, failed)


def test_the_words_say_how_many_were_measured() -> None:
    found = ending(good(1), good(2), bad(3), good(4))

    assert found is not None
    assert found.message == "2 of 3 candidates were measured beside the baseline"
