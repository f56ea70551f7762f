"""One model, all that can be said of it without a clock: it is verified, run, counted and judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from winnow_contract.manifests import ManifestError
from winnow_contract.measuring.measurements import MeasuredModel, Measurement
from winnow_contract.measuring.metrics import QUALITY_METRICS
from winnow_measure.claims import Facts, check_change, check_claims
from winnow_measure.evaluation import Evaluation, read_evaluation
from winnow_measure.memory import memory_of
from winnow_measure.models import BuiltModel, open_model
from winnow_measure.operators import executed_operators
from winnow_measure.quality import Measured
from winnow_runtime.agreement import Agreement, check_agreement
from winnow_runtime.artifacts import Tensor
from winnow_runtime.errors import ModelError
from winnow_runtime.sessions import Session, outputs_of

__all__ = ["Examined", "Examiner", "batches_of"]

FROM_THE_MANIFEST = ("parameters", "operations")
"""What only the model's torch form shows."""


@dataclass(frozen=True, slots=True)
class Examined:
    """A model that is what it claims to be."""

    built: BuiltModel
    facts: Facts
    agreement: Agreement
    validation: Mapping[str, Measured]
    test: Mapping[str, Measured]
    figures: Mapping[str, Measured]
    """What is measured of it besides quality and time, by metric."""
    claims: Mapping[str, str] = field(default_factory=dict)
    """What was found about each claim."""


class Examiner:
    """Examines the models of a round, its baseline first.

    Args:
        measurement: what the round is about.
        claims: folder where claims are mounted by name.
    """

    def __init__(self, measurement: Measurement, claims: Path) -> None:
        self._measurement = measurement
        self._claims = claims

    def baseline(self) -> tuple[Examined, Evaluation]:
        """The baseline, and the rows that it holds for everybody.

        Raises:
            ModelError: if it cannot be measured.
            OSError: if the storage cannot be read.
        """
        built = open_model(self._measurement.baseline, self._claims)
        evaluation = read_evaluation(built, self._claims)
        _check_objective(self._measurement.objective.metric, evaluation)
        return self._examine(built, evaluation), evaluation

    def candidate(
        self, model: MeasuredModel, baseline: Examined, evaluation: Evaluation
    ) -> Examined:
        """A candidate, held against its claims and against the baseline.

        Raises:
            ModelError: if it cannot be measured, is not what it claims, or changed nothing.
            OSError: if the storage cannot be read.
        """
        return self._examine(open_model(model, self._claims), evaluation, baseline)

    def _examine(
        self, built: BuiltModel, evaluation: Evaluation, parent: Examined | None = None
    ) -> Examined:
        threads = self._measurement.threads
        # First, in a process of its own: what cannot be run at all ends there.
        memory = memory_of(built.onnx, threads, self._measurement.batch_sizes)
        session = Session(built.onnx, threads)
        agreement = check_agreement(built.artifact, session)
        rows = evaluation.validation.inputs
        at_once = max(self._measurement.batch_sizes)  # as it is served, and no more memory
        outputs = outputs_of(session, rows, at_once)
        operators = executed_operators(built.onnx, threads, batches_of(rows, (1,))[1])
        facts = Facts(built.size_bytes, operators, outputs)
        found = {}
        if parent is not None:
            found = check_claims(built.mapping("claims"), facts, parent.facts)
            check_change(facts, parent.facts)
        return Examined(
            built=built,
            facts=facts,
            agreement=agreement,
            validation=evaluation.quality(evaluation.validation, outputs),
            test=evaluation.quality(
                evaluation.test, outputs_of(session, evaluation.test.inputs, at_once)
            ),
            figures={"memory_bytes": memory, **_figures(built, facts)},
            claims=found,
        )


def _figures(built: BuiltModel, facts: Facts) -> dict[str, Measured]:
    try:
        stated = built.artifact.extras()
    except ManifestError as error:
        raise ModelError("BadArtifact", str(error)) from error
    return {
        "size_bytes": (float(facts.size_bytes), None),
        **{name: stated[name] for name in FROM_THE_MANIFEST if name in stated},
        "quantized_share": (facts.operators.quantized_share, None),
    }


def _check_objective(metric: str, evaluation: Evaluation) -> None:
    known = QUALITY_METRICS[evaluation.kind]
    if metric not in known:
        raise ModelError(
            "BadTask",
            f"objective {metric!r} is not measured for {evaluation.kind.lower()}, allowed: "
            f"{', '.join(known)}",
        )


def batches_of(rows: Tensor, sizes: tuple[int, ...]) -> dict[int, Tensor]:
    """Real rows to run by batch size, from the first on, and again from there if they are few.

    Args:
        rows: (rows, *row) of the validation split.
        sizes: wanted.
    """
    return {size: rows.take(range(size), axis=0, mode="wrap").astype("float32") for size in sizes}
