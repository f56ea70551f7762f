"""What is kept of a candidate: model.onnx and all that explains it.

model.onnx               the model as it is served
model.safetensors        weights and buffers, and
model.json               how to rebuild the model in torch; of a quantized graph model.json alone
golden.safetensors       a few raw rows and what torch made of them: ONNX Runtime must, too
sample.safetensors       more of them, to compare other models with this one
evaluation.safetensors   of the baseline: the rows of validation and test, by which all are judged
README.md                a model card
SHA256SUMS               for `sha256sum -c`
manifest.json            written last; only with it does the artifact count
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from safetensors.torch import save

from winnow_contract.assignments import TrialAssignment
from winnow_contract.comparing import SAMPLE
from winnow_contract.manifests import manifest_head, value_entries
from winnow_contract.steps.chains import BASELINE
from winnow_trainer.artifacts import (
    DESCRIPTION,
    GOLDEN,
    GOLDEN_ROWS,
    GRAPH,
    model_files,
    recorded_sample,
)
from winnow_trainer.bench import Bench, Quality, describe_model, resolved_task, versions
from winnow_trainer.compress.chain import Chained
from winnow_trainer.compress.delivery import Delivery
from winnow_trainer.compress.lineage import lineage_from
from winnow_trainer.compress.model_card import model_card
from winnow_trainer.compress.operations import count_operations
from winnow_trainer.compress.origin import Origin

FORMAT = "winnow/onnx-v1"
EVALUATION = "evaluation.safetensors"
CARD, SUMS = "README.md", "SHA256SUMS"
LIBRARIES = ("onnx", "onnxscript", "onnxruntime", "torchao", "torch-pruning")
"""Besides torch, what decides how a candidate comes out."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A candidate that was built, with all that is said about it."""

    bench: Bench
    origin: Origin
    assignment: TrialAssignment
    chained: Chained
    delivery: Delivery
    validation: Quality
    """Of the torch form, as the next."""
    test: Quality

    @property
    def metrics(self) -> dict[str, float]:
        """Figures that belong to no split."""
        return {
            "parameters": self.chained.work.model.parameter_count,
            "operations": count_operations(self.chained.work.architecture),
        }

    @property
    def description(self) -> dict[str, Any]:
        """Content of model.json."""
        return describe_model(self.bench.dataset, self.chained.work.architecture)

    def manifest(self, created_at: str) -> dict[str, Any]:
        """The manifest without its files.

        Args:
            created_at: RFC 3339.
        """
        job, attempt = self.bench.pod.assignments.job, self.bench.pod.environment.attempt
        source = self.origin.source
        return {
            **manifest_head(job, self.assignment, attempt),
            "format": FORMAT,
            "candidate": self.assignment.candidate,
            "task": self._task(),
            "lineage": lineage_from(source.artifact, source.reference.uri),
            "steps": [dict(step) for step in self.chained.steps],
            "claims": dict(self.chained.claims),
            "tolerance": dict(self.delivery.tolerance),
            "values": [
                *value_entries("validation", self.validation),
                *value_entries("test", self.test),
            ],
            "metrics": self.metrics,
            "environment": {**versions(), **{name: version(name) for name in LIBRARIES}},
            "createdAt": created_at,
        }

    def _task(self) -> dict[str, Any]:
        shaped = self.chained.work.architecture.settings
        return resolved_task(self.bench, {**self.origin.settings, **shaped})

    def files(self, manifest: Mapping[str, Any]) -> dict[str, bytes]:
        """Content of all files but the manifest, by name."""
        sample = recorded_sample(self.bench.validation.features)
        files = {GRAPH: self.delivery.content, **self._model_files(), SAMPLE: sample}
        if self.assignment.candidate == BASELINE:
            files[EVALUATION] = self._evaluation()
        files[CARD] = model_card(manifest, self.description).encode()
        return {**files, SUMS: checksums(files)}

    def _model_files(self) -> dict[str, bytes]:
        rows = self.bench.validation.features[:GOLDEN_ROWS]
        if not self.delivery.is_integer:
            return model_files(self.chained.work.model, self.description, rows)
        rows = rows.cpu().contiguous()
        golden = {"inputs": rows, "outputs": self.delivery.run(rows).contiguous()}
        description = json.dumps(self.description, indent=1).encode()
        return {DESCRIPTION: description, GOLDEN: save(golden)}

    def _evaluation(self) -> bytes:
        """The rows that the measuring pod judges all candidates by, the baseline's among them."""
        parts = {"validation": self.bench.validation, "test": self.bench.test}
        tensors = {
            f"{split}_{what}": tensor.cpu().contiguous()
            for split, part in parts.items()
            for what, tensor in (("inputs", part.features), ("targets", part.targets))
        }
        return save(tensors)


def checksums(files: Mapping[str, bytes]) -> bytes:
    """Content of SHA256SUMS: a line for each file, as `sha256sum` writes it."""
    lines = (f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    return "".join(lines).encode()
