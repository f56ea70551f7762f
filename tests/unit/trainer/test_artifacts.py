"""Artifacts: whole or not there, and a model comes back as it was."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load, load_file

from winnow_contract.comparing import SAMPLE
from winnow_contract.errors import ManifestError
from winnow_contract.manifests import Committed, read_artifact
from winnow_contract.models.settings import resolve_settings
from winnow_trainer.architectures import Model, plan
from winnow_trainer.artifacts import (
    GOLDEN_ROWS,
    SAMPLE_BYTES,
    SAMPLE_ROWS,
    load_golden,
    load_model,
    recorded_sample,
    save_artifact,
)
from winnow_trainer.data.dataset import Dataset
from winnow_trainer.errors import StorageError
from winnow_trainer.optimizers import FlatParameters
from winnow_trainer.task import DataKind

ROWS = torch.arange(60, dtype=torch.float32).reshape(20, 3)


@pytest.fixture
def model() -> Model:
    torch.manual_seed(0)
    settings = resolve_settings("MLP", {"width": 4, "norm": "batch"})
    targets = np.arange(20, dtype=np.float32)
    dataset = Dataset(ROWS.numpy(), targets, DataKind.REGRESSION, "")
    made = Model(plan("MLP", settings, dataset))
    made.fit_scales(ROWS, torch.from_numpy(targets))
    FlatParameters(made)  # as after a training: views of one long tensor
    return made


def save(folder: Path, model: Model) -> Committed:
    settings = resolve_settings("MLP", {"width": 4, "norm": "batch"})
    dataset = Dataset(ROWS.numpy(), np.arange(20, dtype=np.float32), DataKind.REGRESSION, "")
    description = plan("MLP", settings, dataset).to_json()
    return save_artifact(folder, model, description, ROWS, {"contractVersion": 1})


def test_a_model_comes_back_as_it_was(tmp_path: Path, model: Model) -> None:
    committed = save(tmp_path / "t1/aaaaaaaa", model)

    again = load_model(committed.folder, committed.digest)

    assert torch.equal(again(ROWS), model(ROWS))


def test_the_golden_batch_is_what_the_model_makes_of_raw_rows(tmp_path: Path, model: Model) -> None:
    folder = save(tmp_path / "a", model).folder

    inputs, outputs = load_golden(folder)

    assert torch.equal(inputs, ROWS[:GOLDEN_ROWS])
    assert torch.equal(load_model(folder)(inputs), outputs)


def test_the_rows_that_models_are_compared_by_are_recorded_as_many_as_fit(
    tmp_path: Path, model: Model
) -> None:
    wide = torch.ones(300, 30_000)

    recorded = load_file(save(tmp_path / "a", model).folder / SAMPLE)

    assert torch.equal(recorded["inputs"], ROWS[:SAMPLE_ROWS])
    assert 8 <= len(load(recorded_sample(wide))["inputs"]) < SAMPLE_ROWS
    assert len(recorded_sample(wide)) < SAMPLE_BYTES + 1000


def test_a_model_lies_there_as_plain_numbers_and_json(tmp_path: Path, model: Model) -> None:
    committed = save(tmp_path / "a", model)

    names = sorted(path.name for path in committed.folder.iterdir())
    sizes = sum(path.stat().st_size for path in committed.folder.iterdir())
    assert names == [
        "golden.safetensors",
        "manifest.json",
        "model.json",
        "model.onnx",
        "model.safetensors",
        "sample.safetensors",
    ]
    assert committed.size_bytes == sizes
    assert json.loads((committed.folder / "model.json").read_text())["family"] == "MLP"
    # The long tensor is not written once for each layer that is a view of it.
    assert (committed.folder / "model.safetensors").stat().st_size < 3000


def test_a_changed_file_is_found_out(tmp_path: Path, model: Model) -> None:
    committed = save(tmp_path / "a", model)
    weights = committed.folder / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)

    with pytest.raises(ManifestError, match="is not the file that the manifest names"):
        load_model(committed.folder, committed.digest)


def test_storage_that_fails_leaves_nothing_behind(tmp_path: Path, model: Model) -> None:
    (tmp_path / "a" / "manifest.json").mkdir(parents=True)  # the last rename cannot be made

    with pytest.raises(StorageError, match=r"the artifact in .* cannot be written: Is a directory"):
        save(tmp_path / "a", model)

    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ManifestError):
        read_artifact(tmp_path / "a")
