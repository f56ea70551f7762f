"""How large the status of the largest searches is, without what the API server adds.

`tests/integration/test_sizes.py` measures the same as it is stored, of a search with 32 parameters.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.facts import ledger_of, record_of, spec_of
from tests.support.largest_compression import stored_bytes
from winnow_operator.api.conditions import Reason
from winnow_operator.api.searchjob import (
    ChosenAlgorithm,
    FinalistStanding,
    Importance,
    LearnedBatch,
    ParetoTrial,
    SearchJobStatus,
    WarmSource,
    Winner,
)
from winnow_operator.api.searchjob_rules import MAX_OBJECTIVES
from winnow_operator.api.searchjob_status import MAX_IMPORTANCES, MAX_LEARNED, MAX_PARETO
from winnow_operator.api.trial import Artifact, Assignment, MetricValue, Outcome
from winnow_operator.domain.searches.endings import Ending
from winnow_operator.domain.searches.status import Situation, make_status

MAX_STATUS_BYTES = 12_288
"""Whatever there is of each list; docs/design/0009-sizes-of-records.md has the figures."""
NAME = "j" * 40
TRIAL = f"{NAME}-t10000"
DIGITS = "0.123456789012345678"
IMAGE = f"registry.example.com/team/winnow/trainer@sha256:{'0' * 64}"
WORDS = "x" * 256


def shares(count: int) -> tuple[str, ...]:
    return ("0.1234",) * count


def winner(objectives: int) -> Winner:
    """With 32 parameters, 8 metrics with standard errors, and every sentence."""
    figure = MetricValue(metric="balanced_accuracy", value=DIGITS, standard_error=DIGITS)
    return Winner(
        trial=TRIAL,
        parameters=tuple(
            Assignment(name=f"parameter_number_{n:02d}", value=DIGITS) for n in range(32)
        ),
        values=(figure,) * 8,
        final_trial=TRIAL,
        test=(figure,),
        artifact=Artifact(
            uri=f"pvc://winnow-artifacts/{'n' * 40}/searchjob/{NAME}-12345678/{TRIAL}/12345678",
            digest=f"sha256:{'0' * 64}",
            format="winnow/model-v1",
            size_bytes=10**9,
        ),
        reason=WORDS if objectives > 1 else None,
        warning=WORDS,
    )


def ended(objectives: int, **more: Any) -> SearchJobStatus:
    """The last status, with every text as long as it usually gets."""
    situation = Situation(
        spec=spec_of(),
        name=NAME,
        generation=12,
        previous=SearchJobStatus(),
        now=datetime(2026, 1, 1, tzinfo=UTC),
        ledger=ledger_of(record_of(1, Outcome.SUCCEEDED, score=-0.5)),
        planned=10_000,
        started="2026-01-01T00:00:00Z",
        ending=Ending(Reason.BUDGET_SPENT, WORDS),
        image=IMAGE,
        template_hash="0" * 64,
        winner=winner(objectives),
        warm_start=(
            WarmSource(search_job=NAME, uid="0" * 36, trials=10_000, left_out=0, digest="0" * 64),
        )
        * 4,
        importances=tuple(
            Importance(parameter=f"parameter_number_{n:02d}", values=shares(objectives))
            for n in range(MAX_IMPORTANCES)
        ),
        **more,
    )
    return make_status(situation)


LARGEST = {
    "several objectives": (
        MAX_OBJECTIVES,
        {
            "pareto": (ParetoTrial(trial=TRIAL, values=(DIGITS,) * MAX_OBJECTIVES),) * MAX_PARETO,
            "algorithm": ChosenAlgorithm(name="NSGAII", reason=WORDS),
        },
    ),
    "a network that writes nets": (
        1,
        {
            "learning": (
                LearnedBatch(
                    known=10_000,
                    loss=DIGITS,
                    entropy=DIGITS,
                    written=1_000,
                    mean_value=DIGITS,
                ),
            )
            * MAX_LEARNED,
        },
    ),
    "finalists": (
        MAX_OBJECTIVES,
        {
            "finalists": (
                FinalistStanding(
                    trial=TRIAL,
                    values=(DIGITS,) * MAX_OBJECTIVES,
                    standard_error=DIGITS,
                    trainings=32,
                ),
            )
            * 10,
        },
    ),
}


@pytest.mark.parametrize("largest", LARGEST.values(), ids=LARGEST)
def test_the_status_of_the_largest_search_stays_small(largest: tuple[int, Any]) -> None:
    objectives, more = largest

    status = ended(objectives, **more)

    document = status.model_dump(by_alias=True, exclude_none=True, mode="json")
    print(stored_bytes(document))  # noqa: T201 -- the figure, for whoever runs the test with -s
    assert stored_bytes(document) <= MAX_STATUS_BYTES
