"""The artifact of a trained model: weights, how to rebuild it, a golden batch, the manifest.

model.onnx            the model as it is served
model.safetensors     weights and buffers
model.json            the architecture, classes and feature names: all that `load_model` needs
golden.safetensors    a few raw validation rows and what the model made of them
sample.safetensors    more of them, without: other models are compared with this one by them
manifest.json         written last; only with it does the artifact count
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load, save
from torch import Tensor

from winnow_contract.comparing import SAMPLE
from winnow_contract.files import write_file
from winnow_contract.manifests import Committed, read_artifact, write_manifest
from winnow_trainer.architectures import Architecture, Model
from winnow_trainer.errors import storage_error
from winnow_trainer.export import FLOAT_TOLERANCE, trace_onnx

FORMAT = "winnow/safetensors-v1"
GRAPH, WEIGHTS, DESCRIPTION = "model.onnx", "model.safetensors", "model.json"
GOLDEN = "golden.safetensors"
GOLDEN_ROWS = 8
SAMPLE_ROWS, SAMPLE_BYTES = 256, 1 << 20
"""As many tell a share of 0.9 to within 0.02; of large rows there are as many as fit."""


def save_artifact(
    folder: Path,
    model: Model,
    description: Mapping[str, Any],
    golden_rows: Tensor,
    manifest: Mapping[str, Any],
) -> Committed:
    """Write an artifact, ready to be served, and commit it.

    Args:
        folder: `<artifacts>/<trial>/<attempt>`.
        model: the trained model; it is moved to the CPU.
        description: content of model.json.
        golden_rows: raw rows to record, the first ones with the model's outputs.
        manifest: without `files`.

    Raises:
        StorageError, DeniedError: if the storage does not take it.
    """
    files = model_files(model, description, golden_rows)
    files[GRAPH] = trace_onnx(model, golden_rows[:1].cpu())  # one row tells the form
    files[SAMPLE] = recorded_sample(golden_rows)
    head = {**manifest, "format": FORMAT, "tolerance": dict(FLOAT_TOLERANCE)}
    return commit_artifact(folder, files, head)


def model_files(
    model: Model, description: Mapping[str, Any], golden_rows: Tensor
) -> dict[str, bytes]:
    """Content by name of the files that hold a model: weights, description, golden batch.

    Args:
        model: is moved to the CPU.
        description: content of model.json.
        golden_rows: raw rows to record with the model's outputs.
    """
    model.cpu().eval()
    with torch.no_grad():
        rows = golden_rows[:GOLDEN_ROWS].cpu().contiguous()
        golden = {"inputs": rows, "outputs": model(rows).contiguous()}
    # Copies, because trained parameters are views of one long tensor.
    weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    return {
        WEIGHTS: save(weights),
        DESCRIPTION: json.dumps(description, indent=1).encode(),
        GOLDEN: save(golden),
    }


def recorded_sample(rows: Tensor) -> bytes:
    """Content of the file with the rows that models are compared by.

    Args:
        rows: (rows, ...) raw, of the validation split.
    """
    fitting = SAMPLE_BYTES // (rows[:1].numel() * rows.element_size())
    most = max(GOLDEN_ROWS, min(SAMPLE_ROWS, fitting))
    return save({"inputs": rows[:most].cpu().contiguous()})


def commit_artifact(
    folder: Path, files: Mapping[str, bytes], manifest: Mapping[str, Any]
) -> Committed:
    """Write files and, last of all, the manifest that makes them count.

    Raises:
        StorageError, DeniedError: if the storage does not take it; then nothing is left.
    """
    try:
        for name, content in files.items():
            write_file(folder / name, content)
        return write_manifest(folder, manifest)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)  # half an artifact only takes room
        raise storage_error(error, f"the artifact in {folder} cannot be written") from error


def load_model(folder: Path, digest: str | None = None) -> Model:
    """Rebuild a model from an artifact, every file checked against the manifest.

    Args:
        folder: where the artifact lies.
        digest: sha256 in hex that the manifest must have; None: any.

    Raises:
        ManifestError: if a file is missing or different.
        OSError: if the storage cannot be read.
    """
    read_artifact(folder, digest)
    description = json.loads((folder / DESCRIPTION).read_bytes())
    model = Model(Architecture.from_json(description))
    model.load_state_dict(load((folder / WEIGHTS).read_bytes()))
    return model.eval()


def load_golden(folder: Path) -> tuple[Tensor, Tensor]:
    """The recorded rows and outputs.

    Raises:
        OSError: if the storage cannot be read.
    """
    golden = load((folder / GOLDEN).read_bytes())
    return golden["inputs"], golden["outputs"]
