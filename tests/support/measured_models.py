"""A compression as it might have been measured, for tests of choices and reports."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from winnow_contract.assignments import JobIdentity
from winnow_contract.choosing.goals import Goal, parse_goals
from winnow_contract.choosing.pareto import Candidate, Values
from winnow_contract.choosing.selection import choose, of_baseline
from winnow_measure.report import Entry, ReportInput

ROWS = 287
BATCH_SIZES = (1, 64)
PREFER = ("latency_p95_seconds@1", "size_bytes")
GOALS = parse_goals(
    [
        {"metric": "accuracy", "maxDrop": "0.015"},
        {"metric": "latency_p95_seconds", "minSpeedup": "1.5"},
    ],
    BATCH_SIZES,
)

CUT: dict[str, Any] = {
    "prune": {
        "unit": "Neuron",
        "amount": 0.5,
        "scope": "Global",
        "importance": "Taylor",
        "schedule": "Iterative",
        "rounds": 3,
        "epochs": 6,
        "learningRate": 0.001,
    },
    "report": {
        "amount": 0.5,
        "before_accuracy": 0.9930,
        "cut_accuracy": 0.0976,
        "after_accuracy": 0.9895,
        "parameters": {"before": 11_181_642, "after": 2_797_610},
        "layers": [
            {"layer": "blocks.0.conv1", "before": 64, "after": 32},
            {"layer": "blocks.0.conv2", "before": 64, "after": 24},
        ],
        "keptRound": 3,
        "sentences": [
            "50.0% of the neurons, channels and heads are gone, chosen by Taylor importance.",
            "Round 3 of 3 is kept.",
        ],
    },
}
INT8: dict[str, Any] = {
    "quantize": {
        "mode": "PostTraining",
        "layers": ["Linear", "Convolution"],
        "maxDrop": 0.015,
        "calibrationRows": 256,
    },
    "report": {
        "before_accuracy": 0.9895,
        "after_accuracy": 0.9861,
        "excluded": ["blocks.0.conv1"],
        "sensitivity": {"blocks.0.conv1": 0.0031, "head": 0.0003},
    },
}
MASK: dict[str, Any] = {"prune": {**CUT["prune"], "unit": "Weight", "amount": 0.9}}
STUDENT: dict[str, Any] = {
    "distill": {
        "student": {"width": 0.25, "depth": 1.0},
        "transfer": ["Outputs", "Parameters"],
        "temperature": 2.0,
        "alpha": 0.5,
        "epochs": 10,
        "learningRate": 0.002,
    },
    "report": {
        "teacher_accuracy": 0.9930,
        "initial_accuracy": 0.6842,
        "after_accuracy": 0.9826,
        "twin_accuracy": 0.9861,
        "initial_random_accuracy": 0.1021,
        "sentences": ["Taught by its teacher accuracy is 0.9826; the twin has 0.9861."],
    },
}


def measured(accuracy: float, latency: float, size: int, *, quantized: float = 0.0) -> Values:
    """All that is measured of one model; latency: p95 at batch size 1 in seconds."""
    error = math.sqrt(accuracy * (1 - accuracy) / ROWS)
    values: dict[str, tuple[float, float | None]] = {"accuracy": (accuracy, error)}
    for size_of_batch, factor in ((1, 1.0), (64, 36.0)):
        for percentile, share in ((50, 0.93), (95, 1.0), (99, 1.11)):
            key = f"latency_p{percentile}_seconds@{size_of_batch}"
            values[key] = (latency * factor * share, latency * factor * 0.012)
        rows = size_of_batch / (latency * factor)
        values[f"throughput_rows_per_second@{size_of_batch}"] = (rows, rows * 0.01)
        values[f"cpu_seconds@{size_of_batch}"] = (latency * factor * 0.93, None)
    values["size_bytes"] = (size, None)
    values["memory_bytes"] = (58e6 + 1.3 * size, 2e5)
    values["parameters"] = (size / (1 if quantized else 4), None)
    values["operations"] = (size * 33.0 / (1 if quantized else 4), None)
    values["quantized_share"] = (quantized, None)
    return values


BASELINE = of_baseline(1, "baseline", measured(0.9930, 2.49e-3, 44_761_000))
STEPS: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    "int8": (INT8,),
    "half": (CUT,),
    "half-int8": (CUT, INT8),
    "mask-90": (MASK,),
    "quarter-student": (STUDENT,),
    "student-int8": (STUDENT, INT8),
}
VALUES: Mapping[str, Values] = {
    "int8": measured(0.9930, 0.47e-3, 11_333_000, quantized=1.0),
    "half": measured(0.9861, 0.41e-3, 11_263_000),
    "half-int8": measured(0.9861, 0.18e-3, 2_920_000, quantized=0.95),
    "mask-90": measured(0.9895, 2.51e-3, 44_761_000),
    "quarter-student": measured(0.9756, 0.13e-3, 2_881_000),
    "student-int8": measured(0.9756, 0.098e-3, 806_000, quantized=1.0),
}
CANDIDATES = tuple(
    Candidate(number, name, values, BASELINE.values)
    for number, (name, values) in enumerate(VALUES.items(), 2)
)


def entry_of(candidate: Candidate) -> Entry:
    """The report's entry of a candidate."""
    source = {"kind": "source", "digest": f"sha256:{'ab' * 32}", "uri": "pvc://models/digits"}
    return Entry(
        candidate.number,
        candidate.name,
        steps=STEPS.get(candidate.name, ()),
        values=candidate.values,
        baseline=candidate.baseline,
        test={"accuracy": (candidate.values["accuracy"][0] - 0.004, 0.006)},
        claims={"masked": candidate.name == "mask-90"},
        lineage=(source,),
        uri=f"pvc://winnow-artifacts/demo/compressionjob/small-1a2b3c4d/small-c{candidate.number:05}/9f8e7d6c",
        digest=f"sha256:{candidate.number:02x}{'cd' * 31}",
    )


FAILED = Entry(
    9,
    "dynamic-int8",
    steps=({"quantize": {"mode": "Dynamic", "layers": ["Linear"]}},),
    outcome="Failed",
    cause="NothingChanged",
    message="the model runs the same operators, has the same size and answers the same as its parent",
)


def report_of(
    goals: tuple[Goal, ...] = GOALS, candidates: tuple[Candidate, ...] = CANDIDATES
) -> ReportInput:
    """A whole report with the choice that these goals lead to."""
    return ReportInput(
        job=JobIdentity("CompressionJob", "demo", "small", "1a2b3c4d-0000"),
        created_at="2026-11-25T05:00:00Z",
        source_uri="pvc://winnow-artifacts/demo/searchjob/digits-7e6b4690/digits-t00011/df02ab37",
        source_digest=f"sha256:{'ab' * 32}",
        quality="accuracy",
        entries=(*map(entry_of, (BASELINE, *candidates)), FAILED),
        choice=choose(BASELINE, candidates, goals=goals, prefer=PREFER),
        goals=goals,
        prefer=PREFER,
        batch_sizes=BATCH_SIZES,
        repetitions=5,
        task={"model": {"family": "ResNet"}, "data": {"uri": "builtin://digits"}},
        machine={"CPU": "8 cores, AVX512-VNNI", "ONNX Runtime": "1.32.0"},
        validation_rows=ROWS,
    )
