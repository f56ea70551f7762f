"""One round: all of its models are examined, timed in turns with the baseline, and written down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from winnow_contract.log import say
from winnow_contract.manifests import Committed, Values
from winnow_contract.measuring.amounts import amount_text, measured_text, seconds_text, size_text
from winnow_contract.measuring.measured import MeasuredCandidate
from winnow_contract.measuring.measurements import MeasuredModel, Measurement
from winnow_contract.measuring.metrics import metric_key
from winnow_measure.errors import RoundError
from winnow_measure.evaluation import Evaluation
from winnow_measure.examining import Examined, Examiner, batches_of
from winnow_measure.finals import write_final
from winnow_measure.machine import describe_machine
from winnow_measure.spread import summarise
from winnow_measure.timing import Timings, time_model, turn_order
from winnow_runtime.errors import ModelError

__all__ = ["Place", "measure_round"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a round is measured, and what it may not decide by itself."""

    claims: Path
    """Folder where claims are mounted by name."""
    artifacts: Path
    """Folder of the job's artifacts."""
    attempt: str
    now: Callable[[], datetime]
    watch: Callable[[], None]
    """Called now and then; what it raises ends the measurement."""


class _Round:
    """A round as far as it has come."""

    def __init__(self, measurement: Measurement, place: Place) -> None:
        self.measurement = measurement
        self.place = place
        self.examined: dict[int, Examined] = {}
        self.failures: dict[int, ModelError] = {}
        self.turns: dict[int, list[Timings]] = {}

    def fail(self, model: MeasuredModel, error: ModelError) -> None:
        """A model is out; without the baseline there is nothing to compare with.

        Raises:
            RoundError: if it is the baseline.
        """
        if model == self.measurement.baseline:
            raise RoundError(error.cause, f"the baseline cannot be measured: {error}") from error
        say(f"{model.candidate} Failed {error.cause}: {error}")
        self.failures[model.number] = error
        self.examined.pop(model.number, None)
        self.turns.pop(model.number, None)


def measure_round(measurement: Measurement, place: Place) -> tuple[MeasuredCandidate, ...]:
    """Measure all models of a round and write the final artifacts of those that can be served.

    Raises:
        RoundError: if the baseline cannot be measured.
        OSError: if the storage cannot be read or written.
    """
    current = _Round(measurement, place)
    evaluation = _examine_all(current)
    _time_all(current, evaluation)
    values = _values(current)
    return tuple(_conclude(current, model, values) for model in measurement.models)


def _examine_all(current: _Round) -> Evaluation:
    measurement = current.measurement
    examiner = Examiner(measurement, current.place.claims)
    try:
        baseline, evaluation = examiner.baseline()
    except ModelError as error:
        raise RoundError(error.cause, f"the baseline cannot be measured: {error}") from error
    current.examined[measurement.baseline.number] = baseline
    _say_examined(measurement, baseline)
    for model in measurement.candidates:
        current.place.watch()
        try:
            examined = examiner.candidate(model, baseline, evaluation)
        except ModelError as error:
            current.fail(model, error)
        else:
            current.examined[model.number] = examined
            _say_examined(measurement, examined)
    return evaluation


def _time_all(current: _Round, evaluation: Evaluation) -> None:
    measurement = current.measurement
    batches = batches_of(evaluation.validation.inputs, measurement.batch_sizes)
    for turn in range(measurement.repetitions):
        for number in turn_order(list(current.examined), turn):
            built = current.examined[number].built
            try:
                timings = time_model(built.onnx, measurement.threads, batches, current.place.watch)
            except ModelError as error:
                current.fail(built.model, error)
            else:
                current.turns.setdefault(number, []).append(timings)
        _say_turn(current, turn)


def _values(current: _Round) -> dict[int, dict[str, tuple[float, float | None]]]:
    """Everything that was measured of each model, by key."""
    numbers = list(current.examined)
    values = {
        number: {**examined.validation, **examined.figures}
        for number, examined in current.examined.items()
    }
    for key in current.turns[current.measurement.baseline.number][0]:
        table = np.asarray([[timings[key] for timings in current.turns[n]] for n in numbers])
        # A clock of coarse ticks may see nothing pass; the logarithm of a ratio must not care.
        for number, pair in zip(numbers, summarise(np.maximum(table, 1e-9)), strict=True):
            values[number][key] = pair
    return values


def _conclude(
    current: _Round, model: MeasuredModel, values: Mapping[int, Values]
) -> MeasuredCandidate:
    failure = current.failures.get(model.number)
    if failure is not None:
        return MeasuredCandidate(model.number, "Failed", cause=failure.cause, message=str(failure))
    examined = current.examined[model.number]
    final = _write(current, examined, values[model.number])
    say(f"{model.candidate} written to {model.name}/{final.attempt}, {size_text(final.size_bytes)}")
    return MeasuredCandidate(
        model.number,
        "Succeeded",
        values=values[model.number],
        test=dict(examined.test),
        digest=final.digest,
        size_bytes=final.size_bytes,
        attempt=final.attempt,
    )


def _write(current: _Round, examined: Examined, values: Values) -> Committed:
    place = current.place
    folder = place.artifacts / examined.built.model.name / place.attempt
    quality = {"validation": examined.validation, "test": examined.test}
    measured = _document(current, examined, values)
    return write_final(folder, examined.built, measured, values, quality)


def _document(current: _Round, examined: Examined, values: Values) -> dict[str, Any]:
    """Content of measurements.json: the figures, and what they were made from."""
    measurement, operators = current.measurement, examined.facts.operators
    baseline = measurement.baseline
    return {
        "round": measurement.round,
        "measuredAt": current.place.now().isoformat(timespec="seconds"),
        "machine": describe_machine(),
        "batchSizes": list(measurement.batch_sizes),
        "threads": measurement.threads,
        "repetitions": measurement.repetitions,
        "baseline": {"candidate": baseline.candidate, "digest": baseline.digest},
        "validationRows": len(examined.facts.outputs),
        "values": {key: {"value": v, "standardError": e} for key, (v, e) in values.items()},
        "turns": [dict(timings) for timings in current.turns[examined.built.model.number]],
        "operators": {
            "executed": dict(operators.counts),
            "integerLayers": dict(operators.integer),
            "floatLayers": dict(operators.floating),
            "floatProductsOfActivations": operators.products,
        },
        "agreement": {
            "rows": examined.agreement.rows,
            "largestDifference": examined.agreement.largest,
            "allowed": examined.agreement.allowed,
        },
        "claims": dict(examined.claims),
    }


def _say_examined(measurement: Measurement, examined: Examined) -> None:
    metric = measurement.objective.metric
    memory, _ = examined.figures["memory_bytes"]
    say(
        f"{examined.built.model.candidate}: {metric} {measured_text(*examined.validation[metric])}, "
        f"{size_text(examined.facts.size_bytes)}, memory {amount_text('memory_bytes', memory)}, "
        f"{examined.facts.operators.quantized_share:.0%} in integer kernels, outputs within "
        f"{examined.agreement.largest:.2g} of the recorded ones"
    )


def _say_turn(current: _Round, turn: int) -> None:
    key = metric_key("latency_p50_seconds", current.measurement.batch_sizes[0])
    medians = ", ".join(
        f"{current.examined[number].built.model.candidate} {seconds_text(turns[-1][key])}"
        for number, turns in sorted(current.turns.items())
    )
    say(f"turn {turn + 1}/{current.measurement.repetitions}, p50 of a request: {medians}")
