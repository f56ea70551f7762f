"""CompressionJobs for tests, and what their pods report where no node is."""

from __future__ import annotations

import hashlib
from typing import Any

from tests.support.api import Body
from tests.support.simulated_node import Ending, PodView, Script, report
from winnow_contract.measuring.measured import MeasuredCandidate, MeasurementResult, encode_measured
from winnow_contract.measuring.measurements import MeasuredModel, Values
from winnow_contract.results import TrialResult

SOURCE = "pvc://models/digits/1"
DIGEST = "sha256:" + "5a" * 32
INT8 = {"name": "int8", "steps": [{"quantize": {"mode": "PostTraining"}}]}
HALF = {"name": "half", "steps": [{"prune": {"amount": "0.5"}}]}
HALF_INT8 = {
    "name": "half-int8",
    "steps": [{"prune": {"amount": "0.5"}}, {"quantize": {"mode": "Aware"}}],
}

FIGURES = {
    "baseline": (0.98, 8.0),
    "int8": (0.975, 4.0),
    "half": (0.95, 3.0),
    "half-int8": (0.972, 2.0),
}
"""Accuracy and p95 latency in milliseconds of each candidate."""


def compression_job(name: str = "small", **spec: Any) -> Body:
    """A CompressionJob of an artifact that is named by URI, with three candidates."""
    base: dict[str, Any] = {
        "model": {"uri": SOURCE, "digest": DIGEST},
        "candidates": [INT8, HALF, HALF_INT8],
        "goals": [{"metric": "accuracy", "maxDrop": "0.01"}],
        "prefer": ["latency_p95_seconds", "size_bytes"],
        "budget": {"parallelism": 2},
    }
    given = {key: value for key, value in {**base, **spec}.items() if value is not None}
    return {
        "apiVersion": "winnow.dev/v1alpha1",
        "kind": "CompressionJob",
        "metadata": {"name": name},
        "spec": given,
    }


def auto_job(name: str = "small", **auto: Any) -> Body:
    """A CompressionJob whose candidates are written for it, in two rounds."""
    given = {"maxCandidates": 4, "candidatesPerRound": 2, "seed": 3, **auto}
    return compression_job(name, candidates=None, auto=given)


def digest_of(*words: object) -> str:
    """A digest that follows from some words."""
    return hashlib.sha256("/".join(map(str, words)).encode()).hexdigest()


def build(pod: PodView) -> Ending:
    """Every candidate of a builder pod is built."""
    return report(
        pod,
        *(
            TrialResult(
                t.number,
                "Succeeded",
                objective=0.9,
                digest=digest_of("built", t.number),
                size_bytes=1000 + t.number,
            )
            for t in pod.trials
        ),
    )


def figures_of(name: str) -> Values:
    """Made-up figures of a candidate, the same whenever it is measured."""
    known = FIGURES.get(name)
    seed = int(digest_of(name)[:4], 16) / 0xFFFF
    accuracy, latency = known or (0.97 + 0.01 * seed, 1.0 + 6 * seed)
    return {
        "accuracy": (accuracy, 0.001),
        "latency_p95_seconds@1": (latency / 1000, latency / 1e6),
        "size_bytes": (round(latency * 10_000), None),
    }


def measured(model: MeasuredModel) -> MeasuredCandidate:
    """A model that was measured well."""
    values = figures_of(model.candidate)
    return MeasuredCandidate(
        number=model.number,
        outcome="Succeeded",
        values=values,
        test={"accuracy": values["accuracy"]},
        digest=digest_of("final", model.number),
        size_bytes=2000 + model.number,
    )


def give(pod: PodView, *candidates: MeasuredCandidate) -> Ending:
    """A measuring pod ends with this result."""
    return Ending(0, encode_measured(MeasurementResult(pod.attempt, candidates)))


def compress(pod: PodView) -> Ending:
    """Builder pods build, measuring pods measure, and all goes well."""
    if pod.measurement is None:
        return build(pod)
    return give(pod, *map(measured, pod.measurement.models))


def measuring(script: Script) -> Script:
    """Builder pods build; what measuring pods do is up to a script."""
    return lambda pod: build(pod) if pod.measurement is None else script(pod)
