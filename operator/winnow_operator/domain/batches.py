"""What the operator knows of a batch: one Indexed Job and the trials that its indexes run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from winnow_operator.api.names import (
    ANNOTATION_ATTEMPTS,
    ANNOTATION_PODS_PER_TRIAL,
    ANNOTATION_TRIALS,
    ANNOTATION_TRIALS_PER_POD,
)
from winnow_operator.domain.intervals import parse_intervals
from winnow_operator.domain.kinds import batch_number

QUEUE_LABEL = "kueue.x-k8s.io/queue-name"
"""A Job with this label belongs to Kueue's queue; then only Kueue touches `suspend`."""


@dataclass(frozen=True, slots=True)
class BatchFact:
    """One batch."""

    name: str
    uid: str
    trials: tuple[int, ...]
    """Numbers of its trials; index i runs `trials[i * k : (i + 1) * k]`."""
    trials_per_pod: int
    parallelism: int
    suspended: bool
    queued: bool
    """Whether Kueue decides when it runs."""
    completed: frozenset[int]
    failed: frozenset[int]
    finished: bool
    deleting: bool
    active: int
    ttl: int | None
    previous_attempts: Mapping[int, int]
    """Runs of a trial in earlier batches, for those that run again."""
    created: str
    pods_per_trial: int = 1
    """Indexes over which the folds of each trial are spread; then an index runs one trial's part."""

    @property
    def number(self) -> int:
        """Number of the batch in its job, from 1."""
        return batch_number(self.name)

    @property
    def indexes(self) -> range:
        """All indexes of the Job."""
        return range(-(-len(self.trials) // self.trials_per_pod) * self.pods_per_trial)

    @property
    def is_live(self) -> bool:
        """Whether its open indexes still run or will run."""
        return not self.finished and not self.deleting

    def trials_of(self, index: int) -> tuple[int, ...]:
        """Numbers of the trials that this index runs."""
        start = index // self.pods_per_trial * self.trials_per_pod
        return self.trials[start : start + self.trials_per_pod]

    def runs_of(self, trial: int, attempt: int) -> int:
        """How often a trial has run with this attempt of its index, in earlier batches too."""
        return self.previous_attempts.get(trial, 0) + attempt

    def open_indexes(self) -> list[int]:
        """Indexes that the Job has not counted as completed or failed."""
        return [i for i in self.indexes if i not in self.completed and i not in self.failed]


def read_batch(body: Mapping[str, Any]) -> BatchFact | None:
    """The facts of a Job, or None if it was not made by the operator."""
    metadata, spec, status = body["metadata"], body["spec"], body.get("status") or {}
    annotations = spec["template"].get("metadata", {}).get("annotations") or {}
    if ANNOTATION_TRIALS not in annotations:
        return None
    return BatchFact(
        name=metadata["name"],
        uid=metadata["uid"],
        trials=tuple(_ordered_intervals(annotations[ANNOTATION_TRIALS])),
        trials_per_pod=int(annotations.get(ANNOTATION_TRIALS_PER_POD, "1")),
        parallelism=int(spec.get("parallelism", 1)),
        suspended=bool(spec.get("suspend", False)),
        queued=QUEUE_LABEL in (metadata.get("labels") or {}),
        completed=frozenset(parse_intervals(status.get("completedIndexes", ""))),
        failed=frozenset(parse_intervals(status.get("failedIndexes", ""))),
        finished=is_over(body),
        deleting="deletionTimestamp" in metadata,
        active=int(status.get("active", 0)),
        ttl=spec.get("ttlSecondsAfterFinished"),
        previous_attempts=_attempts(annotations.get(ANNOTATION_ATTEMPTS, "")),
        created=metadata.get("creationTimestamp", ""),
        pods_per_trial=int(annotations.get(ANNOTATION_PODS_PER_TRIAL, "1")),
    )


def _ordered_intervals(text: str) -> list[int]:
    # The order matters here: index i runs the i-th group, so parts are not merged or sorted.
    return [number for part in text.split(",") if part for number in parse_intervals(part)]


def is_over(body: Mapping[str, Any]) -> bool:
    """Whether a Job has ended, well or not."""
    conditions = (body.get("status") or {}).get("conditions") or ()
    return any(
        c.get("type") in {"Complete", "Failed"} and c.get("status") == "True" for c in conditions
    )


def _attempts(text: str) -> dict[int, int]:
    pairs = (part.split(":") for part in text.split(",") if part)
    return {int(number): int(count) for number, count in pairs}
