"""The causes of failed trials that Winnow's own parts give; docs/operations.md explains each.

An image of a user's own may name others: a metric shows them as one, so that it does not grow.
"""

from __future__ import annotations

CAUSES = frozenset(
    {
        *("NaN", "BadParameters", "NotSupported", "NothingToPrune", "NoCalibrationData"),
        *("NothingChanged", "ClaimNotKept", "OutputsDiffer", "CannotRun", "BadArtifact"),
        *("OutOfMemory", "OOMKilled", "Crash", "StartError", "Evicted", "DeadlineExceeded"),
        *("NoArtifact", "NoObjective", "NoResult", "Permanent", "Failed", "StorageUnavailable"),
        *("Lost", "BadData", "StorageDenied", "BadSource", "BadTask", "BadAssignments"),
        *("ContractVersion", "ContractMismatch"),
    }
)
STOP_CAUSES = frozenset({"EarlyStopping", "Diverged"})
"""Why trials are stopped; those that go with their job have none."""
OTHER_CAUSE = "Other"


def cause_word(cause: str) -> str:
    """The cause as a label of bounded size; empty if there is none."""
    return cause if not cause or cause in CAUSES | STOP_CAUSES else OTHER_CAUSE
