"""How the trials of one pod are run: a pack takes them all and gives results as they come.

One after the other in this process for now; whatever trains several at once has the same shape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from winnow_contract.assignments import TrialAssignment
from winnow_contract.program import Stopping
from winnow_contract.results import TrialResult
from winnow_trainer.bench import Bench


class Pack(Protocol):
    """Runs trials; the order of the results is its own."""

    def run(self, trials: Sequence[TrialAssignment]) -> Iterator[TrialResult]:
        """Give the result of each trial once it has one.

        Raises:
            StorageError: if an artifact cannot be written.
            Stopping: when SIGTERM has come.
        """


@dataclass(frozen=True, slots=True)
class SequentialPack:
    """One trial after the other."""

    bench: Bench
    run_one: Callable[[Bench, TrialAssignment], TrialResult]
    """Runs a trial of a search, or a candidate of a compression, to its outcome."""

    def run(self, trials: Sequence[TrialAssignment]) -> Iterator[TrialResult]:
        """Give the result of each trial once it has one."""
        for trial in trials:
            if self.bench.stop.is_set():
                raise Stopping
            yield self.run_one(self.bench, trial)
