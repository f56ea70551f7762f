"""What one watch client saw of a run, and the figures that follow from it. Pure.

Definitions, the same for a search and for the bare Job beside it:

- trials per minute: trials that succeeded, over the time from the first Job's arrival to the last
  success. A trial of a search succeeds when its Trial has the outcome; one of the bare Job, which
  has no record, when its pod has ended.
- refill gap k: arrival of the (P+k)-th pod minus the end of the k-th, each sorted, for
  k = 1 .. N-P, where P is the parallelism and N the number of pods.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

SUCCEEDED = "Succeeded"


@dataclass(slots=True)
class Timeline:
    """First arrivals in seconds, by name of the object."""

    jobs_added: dict[str, float] = field(default_factory=dict)
    jobs_complete: dict[str, float] = field(default_factory=dict)
    pods_added: dict[str, float] = field(default_factory=dict)
    pods_ended: dict[str, float] = field(default_factory=dict)
    pods_succeeded: dict[str, float] = field(default_factory=dict)
    trials_ended: dict[str, float] = field(default_factory=dict)
    trials_succeeded: dict[str, float] = field(default_factory=dict)
    templates: list[dict[str, Any]] = field(default_factory=list)
    """Pod template of each Job, in the order of their arrival."""

    def see_job(self, body: dict[str, Any], at: float) -> None:
        """A Job was made or has changed."""
        name = body["metadata"]["name"]
        if name not in self.jobs_added:
            self.jobs_added[name] = at
            self.templates.append(body["spec"]["template"])
        conditions = body.get("status", {}).get("conditions", [])
        if any(c["type"] == "Complete" and c["status"] == "True" for c in conditions):
            self.jobs_complete.setdefault(name, at)

    def see_pod(self, body: dict[str, Any], at: float) -> None:
        """A pod was made or has changed."""
        name, phase = body["metadata"]["name"], body.get("status", {}).get("phase")
        self.pods_added.setdefault(name, at)
        if phase in {SUCCEEDED, "Failed"}:
            self.pods_ended.setdefault(name, at)
        if phase == SUCCEEDED:
            self.pods_succeeded.setdefault(name, at)

    def see_pod_gone(self, body: dict[str, Any], at: float) -> None:
        """A pod is there no more; one that was deleted need not have been seen to end."""
        self.pods_ended.setdefault(body["metadata"]["name"], at)

    def see_trial(self, body: dict[str, Any], at: float) -> None:
        """A Trial was made or has changed."""
        name, outcome = body["metadata"]["name"], body.get("status", {}).get("outcome")
        if outcome in {SUCCEEDED, "Failed", "Stopped"}:
            self.trials_ended.setdefault(name, at)
        if outcome == SUCCEEDED:
            self.trials_succeeded.setdefault(name, at)

    @property
    def started(self) -> float:
        """Arrival of the first Job."""
        return min(self.jobs_added.values())


def per_minute(succeeded: Iterable[float], started: float) -> float:
    """What has succeeded, or ended, per minute since `started`."""
    times = list(succeeded)
    return 60.0 * len(times) / (max(times) - started)


def refill_gaps(added: Iterable[float], ended: Iterable[float], parallelism: int) -> list[float]:
    """Seconds between the k-th end and the pod that took its place."""
    first, last = sorted(added)[parallelism:], sorted(ended)
    return [start - end for start, end in zip(first, last, strict=False)]


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
