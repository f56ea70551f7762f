"""Pods that are played, of trials that reach the first rung and show it to a played Prometheus."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.support.scripted_prometheus import ScrapedTrial, ScriptedPrometheus
from tests.support.simulated_node import Ending, PodView, report
from winnow_contract.results import TrialResult


@dataclass(slots=True)
class Climbers:
    """Pods that show a value at the first rung, and go on until they are told to end."""

    prometheus: ScriptedPrometheus
    values: Mapping[int, float]
    """By number of the trial; one that is missing shows nothing."""
    job_uid: str = ""
    attempt: str = ""
    """In place of the pod's own."""
    ending: set[int] = field(default_factory=set)
    """Trials that succeed."""
    together: int = 1
    """How many trials must run before the first of them shows anything."""
    _seen: set[int] = field(default_factory=set)
    _shown: dict[str, ScrapedTrial] = field(default_factory=dict)
    """By pod, also what is not shown yet."""

    def __call__(self, pod: PodView) -> Ending | None:
        (trial,) = pod.trials
        self._seen.add(trial.number)
        value = self.values.get(trial.number)
        if value is not None and self.job_uid:
            self._shown[pod.name] = ScrapedTrial(
                trial.name, self.attempt or pod.attempt, self.job_uid, value, 1, {1: value}
            )
            # All at once: who is seen first at a rung may go on, whatever comes later.
            if len(self._seen) >= self.together:
                self.prometheus.trials.update(self._shown)
        if trial.number not in self.ending:
            return None
        self._shown.pop(pod.name, None)
        self.prometheus.trials.pop(pod.name, None)
        result = TrialResult(
            trial.number, "Succeeded", objective=value or 0.5, rungs={1: value or 0.5}
        )
        return report(pod, result)
