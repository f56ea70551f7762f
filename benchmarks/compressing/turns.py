"""Measures the models of a subject side by side, as the measuring pod does, and PyTorch with them.

Each model is examined by winnow_measure (digests, claims, agreement with torch, quality); then all
answer requests in turns, in the order and with the clock of winnow_measure. The baseline takes
part a second time, as an uncompiled torch module.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn

from benchmarks.compressing.building import OBJECTIVE, Built
from benchmarks.compressing.report import EAGER, Row
from benchmarks.compressing.subjects import BATCH_SIZES, LATENCY, Subject
from benchmarks.machine import load
from winnow_contract.assignments import COMPRESSIONJOB, JobIdentity
from winnow_contract.choosing.pareto import Values
from winnow_contract.measuring.measurements import Measurement
from winnow_contract.measuring.metrics import metric_key
from winnow_contract.steps.resolved import step_text
from winnow_measure.evaluation import Evaluation
from winnow_measure.examining import Examined, Examiner, batches_of
from winnow_measure.timing import time_burst, time_model, turn_order
from winnow_runtime.artifacts import Tensor
from winnow_runtime.errors import ModelError
from winnow_trainer.architectures import Architecture, Model
from winnow_trainer.compress.chain import REPORT
from winnow_trainer.compress.source import DESCRIPTION, WEIGHTS
from winnow_trainer.training import outputs_of

THREADS = 1
WALL, PROCESSOR = (metric_key(name, BATCH_SIZES[0]) for name in (LATENCY, "cpu_seconds"))

Request = Callable[[], tuple[float, float]]
"""Answers requests for a moment; gives the median of their seconds, and processor time of each."""

Times = Sequence[tuple[float, float]]
"""The same of each turn."""


def measure_subject(subject: Subject, built: Built, turns: int) -> list[Row]:
    """A row for each model, and one for the baseline as PyTorch runs it.

    Raises:
        ModelError: if the baseline cannot be measured.
    """
    torch.set_num_threads(THREADS)
    examined, evaluation, failures = _examine(subject, built, turns)
    baseline = examined[built.baseline.candidate]
    eager = _eager_model(baseline.built.artifact.folder)
    rows = batches_of(evaluation.validation.inputs, BATCH_SIZES)
    requests: dict[str, Request] = {
        name: partial(_onnx_request, found.built.onnx, rows) for name, found in examined.items()
    }
    requests[EAGER] = partial(_eager_request, eager, rows[BATCH_SIZES[0]])
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in requests}
    run = _Run(subject.name, load(), built.revisions)
    for turn in range(turns):
        for name in turn_order(list(requests), turn):
            seconds[name].append(requests[name]())
        print(f"{subject.name}: turn {turn + 1} of {turns}", file=sys.stderr, flush=True)
    made = [run.row(found, seconds[name]) for name, found in examined.items()]
    made.append(run.eager_row(eager, evaluation, seconds[EAGER]))
    return [*made, *(run.failed(name, why) for name, why in failures.items())]


def _examine(
    subject: Subject, built: Built, turns: int
) -> tuple[dict[str, Examined], Evaluation, dict[str, str]]:
    """What can be measured, by name, and why the others cannot."""
    measurement = Measurement(
        job=JobIdentity(COMPRESSIONJOB, "benchmarks", subject.name, "benchmark"),
        round=1,
        baseline=built.baseline,
        candidates=built.candidates,
        objective=OBJECTIVE,
        batch_sizes=BATCH_SIZES,
        threads=THREADS,
        repetitions=turns,
    )
    examiner = Examiner(measurement, built.claims)
    baseline, evaluation = examiner.baseline()
    examined, failures = {built.baseline.candidate: baseline}, dict(built.failures)
    for model in built.candidates:
        try:
            examined[model.candidate] = examiner.candidate(model, baseline, evaluation)
        except ModelError as error:
            failures[model.candidate] = f"{error.cause}: {error}"
    return examined, evaluation, failures


def _eager_model(folder: Path) -> Model:
    """The baseline as a torch module, from its own files."""
    model = Model(Architecture.from_json(json.loads((folder / DESCRIPTION).read_text())))
    model.load_state_dict(load_file(folder / WEIGHTS))
    return model.eval()


def _onnx_request(path: Path, rows: Mapping[int, Tensor]) -> tuple[float, float]:
    timings = time_model(path, THREADS, rows, watch=lambda: None)
    return timings[WALL], timings[PROCESSOR]


@torch.inference_mode()
def _eager_request(model: nn.Module, rows: Tensor) -> tuple[float, float]:
    burst = time_burst(partial(model, torch.from_numpy(rows)))
    return float(np.median(burst.seconds)), burst.cpu / len(burst.seconds)


@dataclass(frozen=True, slots=True)
class _Run:
    """What all rows of a subject share."""

    subject: str
    load_before: float
    built_by: tuple[str, ...]

    def row(self, found: Examined, seconds: Times) -> Row:
        """Of a model in ONNX Runtime."""
        steps = found.built.objects("steps")
        return self._made(
            found.built.model.candidate,
            (found.validation, found.test),
            found.figures,
            seconds,
            [step_text({k: v for k, v in step.items() if k != REPORT}) for step in steps],
        )

    def eager_row(self, model: Model, evaluation: Evaluation, seconds: Times) -> Row:
        """Of the baseline in PyTorch, which has no file."""
        validation, test = (
            evaluation.quality(split, outputs_of(model, torch.from_numpy(split.inputs)))
            for split in (evaluation.validation, evaluation.test)
        )
        figures = {"parameters": (float(model.parameter_count), None)}
        return self._made(EAGER, (validation, test), figures, seconds, [])

    def failed(self, name: str, why: str) -> Row:
        """Of a candidate that could not be built or measured."""
        return replace(self._made(name, ({}, {}), {}, [], []), failure=why)

    def _made(
        self,
        name: str,
        quality: tuple[Values, Values],
        figures: Values,
        seconds: Times,
        steps: list[str],
    ) -> Row:
        validation, test = quality
        return Row(
            subject=self.subject,
            name=name,
            steps=steps,
            values={key: list(pair) for key, pair in {**validation, **figures}.items()},
            test={key: list(pair) for key, pair in test.items()},
            seconds=[wall for wall, _ in seconds],
            processor=[cpu for _, cpu in seconds],
            load_before=self.load_before,
            built_by=self.built_by,
        )
