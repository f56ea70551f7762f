"""The rows that all models of a round are judged by, and how good a model is on them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from winnow_contract.errors import UriError
from winnow_contract.measuring.metrics import QUALITY_METRICS
from winnow_contract.uris import parse_claim
from winnow_measure.models import EVALUATION, BuiltModel
from winnow_measure.quality import Array, Measured, measure_all
from winnow_runtime.artifacts import Tensor, open_artifact, read_tensors
from winnow_runtime.errors import ModelError

__all__ = ["Evaluation", "Split", "read_evaluation"]


@dataclass(frozen=True, slots=True)
class Split:
    """Rows that nothing was trained on."""

    inputs: Tensor
    """(rows, ...) raw: preprocessing is part of the model."""
    targets: Tensor
    """(rows,) class indices, or values."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What quality is counted on."""

    kind: str
    """Classification or Regression."""
    validation: Split
    """What goals and choice read."""
    test: Split
    """Shown for the selected candidate and the baseline only."""

    def quality(self, split: Split, outputs: Array) -> dict[str, Measured]:
        """All quality metrics of the outputs for a split.

        Args:
            split: whose targets are compared with.
            outputs: (rows, classes) logits, or (rows, 1) values.

        Raises:
            ModelError: with cause CannotRun, if there are fewer outputs than classes.
        """
        classes = int(split.targets.max()) + 1 if self.kind == "Classification" else 1
        if outputs.shape[1] < classes:
            raise ModelError(
                "CannotRun",
                f"the model has {outputs.shape[1]} outputs, the data needs at least {classes}",
            )
        return measure_all(self.kind, outputs, split.targets)


def read_evaluation(baseline: BuiltModel, claims: Path) -> Evaluation:
    """The rows that the baseline's artifact holds for everybody.

    Args:
        baseline: as it was built, or, in a later round, the final artifact made of that.
        claims: folder where claims are mounted by name.

    Raises:
        ModelError: with cause BadArtifact, if they are missing or do not fit together.
        OSError: if the storage cannot be read.
    """
    names = [
        f"{split}_{part}" for split in ("validation", "test") for part in ("inputs", "targets")
    ]
    tensors = read_tensors(_folder_of_rows(baseline, claims) / EVALUATION, *names)
    data = baseline.mapping("task").get("data")
    kind = data.get("kind") if isinstance(data, dict) else None
    if not isinstance(kind, str) or kind not in QUALITY_METRICS:
        raise ModelError(
            "BadArtifact",
            f"task.data.kind of the baseline's manifest is {str(kind)[:40]!r}, allowed are "
            f"{', '.join(QUALITY_METRICS)}",
        )
    validation, test = Split(*tensors[:2]), Split(*tensors[2:])
    for name, split in (("validation", validation), ("test", test)):
        _check(name, split)
    return Evaluation(kind, validation, test)


def _folder_of_rows(baseline: BuiltModel, claims: Path) -> Path:
    """Where the rows lie: a final artifact has none, they are in the built one, its parent."""
    lineage = baseline.objects("lineage")
    has_rows = any(entry.get("path") == EVALUATION for entry in baseline.objects("files"))
    if has_rows or not lineage or lineage[-1].get("kind") != "candidate":
        return baseline.artifact.folder
    parent = lineage[-1]
    uri, digest = str(parent.get("uri")), str(parent.get("digest"))
    try:
        folder = parse_claim(uri).local(claims)
    except UriError as error:
        raise ModelError("BadArtifact", f"the lineage of the baseline: {error}") from error
    return open_artifact(folder, digest, uri).folder


def _check(name: str, split: Split) -> None:
    rows, targets = split.inputs.shape, split.targets.shape
    if len(rows) < 2 or len(targets) != 1 or rows[0] != targets[0] or not rows[0]:  # noqa: PLR2004 -- rows and at least one column
        raise ModelError(
            "BadArtifact",
            f"the {name} split of {EVALUATION} has inputs {rows} and targets {targets}: as many of "
            "both are needed, at least one",
        )
