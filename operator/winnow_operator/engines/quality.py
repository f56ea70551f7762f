"""Which of two trials is better: one order for all engines that go by ranks alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from winnow_operator.engines.base import Record

Quality = tuple[bool, float, float, float]
"""Whether it has no value, how far it is from keeping constraints, how early it was stopped, its
score; lower is better."""


def quality_of(record: Record) -> Quality:
    """Of a trial that has ended: one that failed is worse than all with a value.

    One that early stopping has stopped is worse than all that ran on, since its score is only that of a
    rung, and the later the rung, the better.
    """
    stopped = 1 / record.stopped_at if record.stopped_at else 0.0
    return record.score is None, record.violation, stopped, record.score or 0.0


def merits(qualities: Sequence[Quality]) -> npt.NDArray[np.float64]:
    """Ranks from 0, the worst, to 1, the best; trials that are alike share the middle of theirs."""
    levels = {quality: level for level, quality in enumerate(sorted(set(qualities), reverse=True))}
    found = np.array([levels[quality] for quality in qualities])
    ordered = np.sort(found)
    low, high = np.searchsorted(ordered, found, "left"), np.searchsorted(ordered, found, "right")
    return (low + high - 1) / 2 / max(1, len(found) - 1)
