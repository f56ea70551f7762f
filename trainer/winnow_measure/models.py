"""Artifacts as they were built: verified, and what their manifests say about them.

What a manifest says is input to be checked: whoever writes to the claim can write anything there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file

from winnow_contract.manifests import Committed, ManifestError, read_artifact
from winnow_contract.measurements import MeasuredModel
from winnow_contract.uris import parse_claim
from winnow_measure.errors import ModelError

__all__ = ["EVALUATION", "GOLDEN", "MODEL", "BuiltModel", "Tensor", "open_model", "read_tensors"]

MODEL = "model.onnx"
GOLDEN = "golden.safetensors"
"""`inputs`, raw rows, and `outputs`, what the model made of them where it was built."""
EVALUATION = "evaluation.safetensors"
"""Of the baseline: `validation_inputs`, `validation_targets`, `test_inputs`, `test_targets`."""
BAD_ARTIFACT = "BadArtifact"

Tensor = npt.NDArray[Any]


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
    try:
        built = BuiltModel(model, read_artifact(folder, model.digest))
    except ManifestError as error:
        raise ModelError(BAD_ARTIFACT, f"the artifact at {model.uri}: {error}") from error
    listed = {entry.get("path") for entry in built.objects("files")}
    for name in (MODEL, GOLDEN):
        if name not in listed:
            raise ModelError(
                BAD_ARTIFACT, f"the artifact at {model.uri} has no {name}: export it to ONNX first"
            )
    return built


def read_tensors(path: Path, *names: str) -> tuple[Tensor, ...]:
    """Tensors of a safetensors file, in the order of their names.

    Raises:
        ModelError: with cause BadArtifact, if the file is damaged or lacks one.
        OSError: if the storage cannot be read.
    """
    try:
        tensors = load_file(path)
    except FileNotFoundError as error:
        raise ModelError(BAD_ARTIFACT, f"{path.name} is missing in {path.parent.name}") from error
    except (SafetensorError, ValueError) as error:
        raise ModelError(BAD_ARTIFACT, f"{path.name} is no safetensors file: {error}") from error
    for name in names:
        if name not in tensors:
            raise ModelError(
                BAD_ARTIFACT, f"{path.name} has {', '.join(tensors) or 'nothing'}, but no {name}"
            )
        if not np.isfinite(tensors[name]).all():
            raise ModelError(BAD_ARTIFACT, f"{name} of {path.name} has numbers that are not finite")
    return tuple(tensors[name] for name in names)
