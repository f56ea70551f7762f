"""What the operator keeps in memory of a running compression besides what it keeps of any job."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override

from winnow_operator.domain.ledger import Ledger, TrialRecord
from winnow_operator.engines import ChainEngine
from winnow_operator.reconcile.jobstate import JobState


@dataclass(slots=True, kw_only=True)
class CompressionState(JobState):
    """The engine of auto, which is a cache of the ledger, and how the measuring goes."""

    engine: ChainEngine | None = None
    exhausted: bool = False
    """Whether auto has no chain left to write."""
    lost_measurements: int = 0
    """Measuring pods that ended before they had measured, by nobody's fault."""
    server_image: str = ""
    """With its digest, once a node has resolved it."""

    @override
    def reload(self, ledger: Ledger) -> None:
        JobState.reload(self, ledger)
        self.exhausted = False

    @override
    def forget_engine(self) -> None:
        self.engine = None

    @override
    def settle(self, record: TrialRecord) -> None:
        JobState.settle(self, record)
        self.engine = None  # made anew for the next round, from a few dozen records at most
