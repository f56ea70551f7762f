"""What the operator keeps in memory of a running job: all of it can be made again from the API.

Engines change it in a thread. No lock is needed: the queue never gives a job to two workers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from winnow_operator.domain.kinds import batch_number
from winnow_operator.domain.ledger import Ledger, TrialRecord


@dataclass(slots=True)
class JobState:
    """Ledger, batches and what was last written of one running job of any kind."""

    uid: str
    ledger: Ledger
    last_batch: int = 0
    last_status_write: float = float("-inf")
    """Monotonic seconds."""
    checked: bool = False
    """Whether the API server accepted the pod template in a dry run."""
    stale: bool = False
    """Whether a Trial was changed by someone else, so that the ledger must be read again."""
    pods_seen: bool = False
    """Whether pods that ended before the first look were asked for."""
    verified: bool = False
    """Whether the ledger was held against the API server before the end."""
    settling: set[int] = field(default_factory=set)
    """Trials that this process gave an outcome, so that their leaving the watch is no news."""
    image: str = ""
    blocked: dict[int, str] = field(init=False)
    """Cause that stands on a Trial whose pod cannot start."""
    open_batches: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Trials of each Job with open ones at the last look, so that it is missed if it goes."""
    attempts: dict[int, int] = field(default_factory=dict)
    """Runs of trials that were let go of, to be carried into their next batch."""

    waits: tuple[object, float] | None = None
    """What the last look has seen of pods that wait, and since when all looks have seen just that."""

    def __post_init__(self) -> None:
        self.blocked = self.ledger.open_causes()

    def reload(self, ledger: Ledger) -> None:
        """Take a ledger that was read anew; the engine follows from it."""
        self.ledger = ledger
        self.blocked = ledger.open_causes()
        self.stale = False
        self.forget_engine()

    def forget_engine(self) -> None:
        """Make the engine anew from the ledger when it is next needed."""

    def settle(self, record: TrialRecord) -> None:
        """Take note of what was just recorded of a trial."""
        self.ledger.put(record)

    def seconds_since(self, seen: object, now: float) -> float:
        """For how long looks have seen nothing else of what waits; 0 if it is None.

        Args:
            seen: by this look.
            now: monotonic seconds.
        """
        if self.waits is None or seen is None or self.waits[0] != seen:
            self.waits = seen, now
        return now - self.waits[1]

    @property
    def may_start_more(self) -> bool:
        """Whether the slot of the next pod that ends may have to be filled with something new."""
        return True

    def note_batches(self, names: Iterable[str]) -> None:
        """Remember the highest batch number ever seen, so that a name is never used again."""
        self.last_batch = max([self.last_batch, *(batch_number(name) for name in names)])

    def next_batch(self) -> int:
        """The number of the next batch."""
        known = (batch_number(r.batch) for r in self.ledger.records.values() if r.batch)
        self.last_batch = max([self.last_batch, *known]) + 1
        return self.last_batch
