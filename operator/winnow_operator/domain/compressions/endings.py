"""Why a compression ends: a chain of pure checks, one reason each, the first that holds wins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from winnow_operator.api.conditions import Reason
from winnow_operator.api.trial import Outcome
from winnow_operator.domain.compressions.rounds import BASELINE_NUMBER, Rounds
from winnow_operator.domain.searches.endings import (
    Ending,
    JobProgress,
    contract_mismatch,
    fault_of_the_job,
    too_many_failures,
)


@dataclass(frozen=True, slots=True)
class CompressionProgress(JobProgress):
    """What the checks of a compression look at."""

    rounds: Rounds
    exhausted: bool
    """Whether auto has no chain left to write."""

    @property
    def has_baseline(self) -> bool:
        """Whether the baseline is measured, so that something can be chosen."""
        record = self.ledger.records.get(BASELINE_NUMBER)
        return record is not None and record.outcome is Outcome.SUCCEEDED


Check = Callable[[CompressionProgress], Ending | None]


def baseline_failed(progress: CompressionProgress) -> Ending | None:
    """The source itself cannot be built or measured: there is nothing to compare with."""
    record = progress.ledger.records.get(BASELINE_NUMBER)
    if record is None or record.outcome is not Outcome.FAILED:
        return None
    words = f"the baseline failed: {record.cause}: {record.message}"
    return Ending(Reason.JOB_FAULT, words, failed=True)


def deadline_reached(progress: CompressionProgress) -> Ending | None:
    """The budget's time is spent; what is measured until then is chosen from."""
    if not progress.is_over_time:
        return None
    limit = progress.spec.budget.max_duration
    words = f"the compression ran for spec.budget.maxDuration, {limit}"
    if progress.has_baseline:
        return Ending(Reason.DEADLINE_REACHED, words)
    return Ending(
        Reason.DEADLINE_REACHED, f"{words}, and nothing was measured until then", failed=True
    )


def everything_measured(progress: CompressionProgress) -> Ending | None:
    """All candidates have an outcome."""
    ledger = progress.ledger
    if ledger.active or (len(ledger) < progress.rounds.planned and not progress.exhausted):
        return None
    others = len(ledger) - 1
    succeeded = ledger.count(Outcome.SUCCEEDED) - 1
    words = f"{succeeded} of {others} candidates were measured beside the baseline"
    return Ending(Reason.SELECTED, words)


CHAIN: tuple[Check, ...] = (
    contract_mismatch,  # nothing that runs can be read
    fault_of_the_job,  # every further candidate would fail in the same way
    baseline_failed,  # nothing to compare with
    too_many_failures,  # the user's limit
    deadline_reached,  # no time left
    everything_measured,  # nothing left to do
)


def find_compression_ending(progress: CompressionProgress) -> Ending | None:
    """The first ending of the chain that holds, or None while the compression goes on."""
    return next((ending for check in CHAIN if (ending := check(progress))), None)
