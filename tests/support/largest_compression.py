"""The largest compression that the schema allows, with figures that nothing shortens.

Fifteen candidates with chains of eight steps, four batch sizes, eight goals and eight preferences
about figures of their own; and the same with a second round of candidates that auto writes.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any

from tests.support.api import Body
from tests.support.compressionjobs import compression_job, digest_of, give, measuring
from tests.support.simulated_node import Ending, PodView
from winnow_contract.choosing.goals import measured_keys
from winnow_contract.measuring.measured import MeasuredCandidate
from winnow_contract.measuring.measurements import MeasuredModel, Values
from winnow_contract.measuring.metrics import METRICS, metric_of

BATCH_SIZES = (1, 8, 64, 256)
KEYS = measured_keys("Classification", BATCH_SIZES)
QUALITY = KEYS[:4]
CUT = {
    "unit": "Neuron",
    "amount": "0.123456",
    "importance": "Magnitude",
    "schedule": "Iterative",
    "epochs": 1234,
    "learningRate": "0.00123456",
}
CHAIN: list[Body] = [
    {"distill": {"student": {"width": "0.123456", "depth": "0.654321"}, "temperature": "3.14159"}},
    *({"prune": {**CUT, "rounds": rounds}} for rounds in range(10, 15)),
    {"distill": {"temperature": "3.14159", "alpha": "0.271828", "learningRate": "0.00314159"}},
    {"quantize": {"mode": "Aware", "epochs": 1234, "learningRate": "0.000123456"}},
]
SECOND_ROUND = 4


def largest_job(name: str, *, met: bool, rounds: int = 1) -> Body:
    """The document; its goals are met by all candidates, or by none, not even the baseline."""
    speeds = [key.partition("@") for key in KEYS if metric_of(key).is_per_batch_size]
    goals: list[Body] = [
        {"metric": metric, "batchSize": int(size), "min" if met else "max": "0"}
        for metric, _, size in speeds[:8]
    ]
    candidates = [
        {"name": f"candidate-{number:02d}-{'x' * 27}", "steps": CHAIN} for number in range(2, 17)
    ]
    written = SECOND_ROUND * (rounds - 1)
    auto = {"maxCandidates": 15 + written, "candidatesPerRound": SECOND_ROUND}
    return compression_job(
        name,
        candidates=candidates,
        auto=auto if written else None,
        goals=goals,
        prefer=["".join(speed) for speed in speeds[8:16]],
        measurement={"batchSizes": list(BATCH_SIZES)},
        budget={"parallelism": 16},
    )


def figures(number: int, round_: int = 1, sizes: Sequence[int] = BATCH_SIZES) -> Values:
    """Figures of a model with all the digits that a clock gives; times differ between rounds."""
    dice = random.Random(1000 * number)  # noqa: S311 -- figures for a size, no secrets
    mood = random.Random(1000 * number + round_)  # noqa: S311 -- same
    keys = measured_keys("Classification", sizes)
    return {key: _figure(key, mood if _is_of_the_machine(key) else dice) for key in keys}


def _is_of_the_machine(key: str) -> bool:
    return metric_of(key).is_per_batch_size or key == "memory_bytes"


def _figure(key: str, dice: random.Random) -> tuple[float, float | None]:
    metric = metric_of(key)
    if metric is METRICS["throughput_rows_per_second"]:
        return dice.uniform(1e4, 9e4), dice.uniform(10, 90)
    if metric.is_per_batch_size:
        value = dice.uniform(1e-4, 9e-4)
        return value, value * dice.uniform(0.001, 0.009)
    if metric.kind:
        return dice.uniform(0.9, 1), dice.uniform(0.001, 0.01)
    if metric is METRICS["quantized_share"]:
        return dice.random(), None
    return float(dice.randint(10_000_000, 20_000_000)), None


def large(
    model: MeasuredModel, round_: int = 1, sizes: Sequence[int] = BATCH_SIZES
) -> MeasuredCandidate:
    """A model that was measured in a round."""
    values = figures(model.number, round_, sizes)
    return MeasuredCandidate(
        number=model.number,
        outcome="Succeeded",
        values=values,
        test={key: values[key] for key in QUALITY},
        digest=digest_of("final", model.number, round_),
        size_bytes=20_000_000 + model.number,
    )


def _measure(pod: PodView) -> Ending:
    assert pod.measurement is not None
    asked = pod.measurement
    return give(pod, *(large(model, asked.round, asked.batch_sizes) for model in asked.models))


compress_largest = measuring(_measure)
"""What pods do: all candidates are built and measured."""


def stored_bytes(body: Any) -> int:
    """Size of an object as the API server stores it: compact JSON, with managedFields."""
    return len(json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode())
