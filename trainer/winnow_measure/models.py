"""Models of a round as they were built, and what their manifests say about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from winnow_contract.manifests import Committed
from winnow_contract.measuring.measurements import MeasuredModel
from winnow_contract.uris import parse_claim
from winnow_runtime.artifacts import MODEL, open_artifact

__all__ = ["EVALUATION", "BuiltModel", "open_model"]

EVALUATION = "evaluation.safetensors"
"""Of the baseline: `validation_inputs`, `validation_targets`, `test_inputs`, `test_targets`."""


@dataclass(frozen=True, slots=True)
class BuiltModel:
    """An artifact of a trainer pod whose files are those that its manifest names."""

    model: MeasuredModel
    artifact: Committed

    @property
    def onnx(self) -> Path:
        """The model itself."""
        return self.artifact.folder / MODEL

    @property
    def size_bytes(self) -> int:
        """Size of the model itself, with weights that lie in a file of their own."""
        files = self.artifact.folder.glob(f"{MODEL}*")
        return sum(path.stat().st_size for path in files)

    def mapping(self, key: str) -> Mapping[str, Any]:
        """An object of the manifest; empty where there is none."""
        value = self.artifact.document.get(key)
        return value if isinstance(value, dict) else {}

    def objects(self, key: str) -> tuple[Mapping[str, Any], ...]:
        """The objects of a list of the manifest; empty where there is none."""
        value = self.artifact.document.get(key)
        listed = value if isinstance(value, list) else []
        return tuple(item for item in listed if isinstance(item, dict))


def open_model(model: MeasuredModel, claims: Path) -> BuiltModel:
    """Find an artifact and check every file of it.

    Args:
        model: where it lies, and the digest that it must have.
        claims: folder where claims are mounted by name.

    Raises:
        ModelError: with cause BadArtifact, naming what is missing or different.
        OSError: if the storage cannot be read.
    """
    folder = parse_claim(model.uri).local(claims)
    return BuiltModel(model, open_artifact(folder, model.digest, model.uri))
