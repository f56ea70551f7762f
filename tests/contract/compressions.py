"""CompressionJobs that work, and one change each that leaves them good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from typing_extensions import override

from tests.contract.base_specs import MISSING, BadSpec, Body, changed
from tests.contract.good_specs import GoodSpec

DIGEST = f"sha256:{'ab' * 32}"


def _job(**spec: Any) -> Body:
    base: Body = {
        "model": {"searchJob": "digits"},
        "candidates": [
            {"name": "int8", "steps": [{"quantize": {"mode": "PostTraining"}}]},
            {
                "name": "half-int8",
                "steps": [
                    {"prune": {"unit": "Neuron", "amount": "0.5"}},
                    {"distill": {}},
                    {"quantize": {"mode": "Aware"}},
                ],
            },
            {"name": "student", "steps": [{"distill": {"student": {"width": "0.5"}}}]},
        ],
        "goals": [
            {"metric": "accuracy", "maxDrop": "0.01"},
            {"metric": "latency_p95_seconds", "batchSize": 8, "minSpeedup": "1.5"},
        ],
        "prefer": ["latency_p95_seconds", "size_bytes"],
        "measurement": {"batchSizes": [1, 8], "threads": 1},
        "budget": {"parallelism": 2},
    }
    given = {key: value for key, value in {**base, **spec}.items() if value is not MISSING}
    return {
        "apiVersion": "winnow.dev/v1alpha1",
        "kind": "CompressionJob",
        "metadata": {"name": "bad"},
        "spec": given,
    }


COMPRESSION = _job()
AUTO = _job(candidates=MISSING, auto={"maxCandidates": 8, "steps": ["Quantize", "Prune"]})
ARTIFACT = _job(
    model={"uri": "pvc://models/resnet/1", "digest": DIGEST},
    task={"model": {"family": "ResNet"}, "data": {"uri": "builtin://digits"}},
)
REGRESSION = _job(
    task={"model": {"family": "MLP"}, "data": {"uri": "builtin://diabetes"}},
    goals=[{"metric": "rmse", "maxRatio": "1.05"}, {"metric": "size_bytes", "max": "100000"}],
)
COMPRESSIONS = {
    "compression": COMPRESSION,
    "auto": AUTO,
    "artifact": ARTIFACT,
    "regression": REGRESSION,
}


@dataclass(frozen=True, slots=True)
class BadCompression(BadSpec):
    """One change that makes a good CompressionJob a bad one."""

    base: str = "compression"

    @override
    def document(self) -> Body:
        return changed(COMPRESSIONS[self.base], self.path, self.value)


@dataclass(frozen=True, slots=True)
class GoodCompression(GoodSpec):
    """One change of a good CompressionJob that leaves it good."""

    base: str = "compression"

    @override
    def document(self) -> Body:
        return changed(COMPRESSIONS[self.base], self.path, self.value)


def good(what: str, path: str, value: Any, base: str = "compression") -> GoodCompression:
    """A row of the table below."""
    return GoodCompression(what, path, value, base)


STEP = "spec.candidates.0.steps.0"
STEPS = "spec.candidates.0.steps"
GOAL = "spec.goals.0"

_ALL_STEPS = [
    {"distill": {"student": {"width": "0.5", "depth": "0.5"}, "transfer": ["Parameters"]}},
    {"prune": {"unit": "Neuron", "importance": "Taylor", "schedule": "Iterative", "rounds": 3}},
    {"prune": {"unit": "Neuron", "amount": "1e-1", "scope": "Layer"}},
    {"distill": {"temperature": "4", "alpha": "1"}},
    {"prune": {"unit": "Weight", "amount": "0.3"}},
    {"prune": {"unit": "Weight", "amount": "0.6"}},
    {"distill": {"epochs": 3}},
    {"quantize": {"mode": "Aware", "epochs": 2, "learningRate": "0.0001", "maxDrop": "0"}},
]

GOOD_COMPRESSIONS = (
    *(good(f"the good {base}", "metadata.name", "good", base) for base in COMPRESSIONS),
    good("no goals and no preference", "spec.goals", []),
    good("no preference", "spec.prefer", []),
    good("a chain of eight", STEPS, _ALL_STEPS),
    good("all defaults", STEPS, [{"prune": {}}, {"distill": {}}, {"quantize": {}}]),
    good(
        "fifteen candidates",
        "spec.candidates",
        [{"name": f"c{i}", "steps": [{"quantize": {}}]} for i in range(15)],
    ),
    good("the same chain twice", "spec.candidates.1.steps", [{"quantize": {}}]),
    good("auto beside candidates", "spec.auto", {"maxCandidates": 3}),
    good("auto with nothing said", "spec.auto", {}, "auto"),
    good("a dynamic one", STEP, {"quantize": {"mode": "Dynamic", "layers": ["Linear"]}}),
    good("convolutions alone", STEP, {"quantize": {"layers": ["Convolution"]}}),
    good("convolutions of a ResNet", STEP, {"quantize": {"layers": ["Convolution"]}}, "artifact"),
    good(
        "a student with settings of its own",
        STEP,
        {"distill": {"student": {"settings": [{"name": "depth", "value": "1"}]}}},
    ),
    good(
        "a student that only takes parameters over",
        STEP,
        {"distill": {"student": {"depth": "0.5"}, "transfer": ["Parameters"]}},
    ),
    good("a drop of nothing", GOAL, {"metric": "accuracy", "maxDrop": "0"}),
    good(
        "a range of one metric",
        "spec.goals",
        [{"metric": "f1", "min": "0.5"}, {"metric": "f1", "max": "0.5"}],
    ),
    good(
        "the same bound at two batch sizes",
        "spec.goals",
        [
            {"metric": "latency_p99_seconds", "max": "0.01"},
            {"metric": "latency_p99_seconds", "batchSize": 8, "max": "0.02"},
        ],
    ),
    good("throughput", GOAL, {"metric": "throughput_rows_per_second", "minSpeedup": "2"}),
    good("a preferred batch size", "spec.prefer", ["throughput_rows_per_second@8", "cpu_seconds"]),
    good("four batch sizes", "spec.measurement.batchSizes", [1, 8, 64, 256]),
    good(
        "as many processors as threads",
        "spec.measurement",
        {
            "batchSizes": [8],
            "threads": 2,
            "repetitions": 3,
            "resources": {"requests": {"cpu": "500m"}, "limits": {"cpu": "2", "memory": "1Gi"}},
        },
    ),
    good("storage", "spec.storage", {"uri": "pvc://artifacts/compressed"}),
    good("a job that no failure ends", "spec.budget.maxFailedTrials", 99_999),
    good("an artifact without a task", "spec.task", MISSING, "artifact"),
)
