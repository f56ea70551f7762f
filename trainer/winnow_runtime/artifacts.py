"""Artifacts that can be run: verified, with a graph and a golden batch.

What a manifest says is input to be checked: whoever writes to the claim can write anything there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file

from winnow_contract.manifests import Committed, ManifestError, read_artifact
from winnow_runtime.errors import ModelError

__all__ = ["GOLDEN", "MODEL", "Tensor", "open_artifact", "read_tensors"]

MODEL = "model.onnx"
GOLDEN = "golden.safetensors"
"""`inputs`, raw rows, and `outputs`, what the model made of them where it was built."""
BAD_ARTIFACT = "BadArtifact"

Tensor = npt.NDArray[Any]


def open_artifact(folder: Path, digest: str | None, uri: str) -> Committed:
    """Check every file of an artifact, and that it can be run.

    Args:
        folder: where it lies.
        digest: sha256 in hex that its manifest must have; None: any.
        uri: what it is called in sentences.

    Raises:
        ModelError: with cause BadArtifact, naming what is missing or different.
        OSError: if the storage cannot be read.
    """
    try:
        artifact = read_artifact(folder, digest)
    except ManifestError as error:
        raise ModelError(BAD_ARTIFACT, f"the artifact at {uri}: {error}") from error
    listed = {str(entry["path"]) for entry in artifact.document["files"]}
    for name in (MODEL, GOLDEN):
        if name not in listed:
            raise ModelError(
                BAD_ARTIFACT, f"the artifact at {uri} has no {name}: export it to ONNX first"
            )
    return artifact


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
