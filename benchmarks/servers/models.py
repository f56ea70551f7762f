"""The models that servers are compared by: a small perceptron and a ResNet-18, both with int8 weights.

Their shapes are those of the trainer's families; their weights are random, because only time is
measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save

from tests.support.onnx_graphs import Rows, quantized, run
from winnow_contract.files import write_file
from winnow_contract.manifests import write_manifest
from winnow_contract.models.settings import resolve_settings
from winnow_contract.version import CONTRACT_VERSION
from winnow_trainer.architectures import Model, plan
from winnow_trainer.data.dataset import Dataset, ImageShape, Layout
from winnow_trainer.export import trace_onnx
from winnow_trainer.task import DataKind

CLASSES, ROWS = 10, 8
COLOUR = ImageShape(32, 32, 3, Layout.HWC)


@dataclass(frozen=True, slots=True)
class Subject:
    """A model and the rows that are sent to it."""

    name: str
    about: str
    family: str
    settings: Mapping[str, str]
    columns: int
    image: ImageShape | None = None


SUBJECTS = (
    Subject("mlp", "MLP 64-128-128-10", "MLP", {"width": "128", "depth": "2"}, 64),
    Subject(
        "resnet", "ResNet-18 of width 16, 3x32x32", "ResNet", {"width": "16"}, 3 * 32 * 32, COLOUR
    ),
)


def rows_for(subject: Subject) -> Rows:
    """Some rows, the same ones each time."""
    random = np.random.default_rng(1)
    return random.normal(size=(ROWS, subject.columns)).round(3).astype(np.float32)


def make_artifact(subject: Subject, folder: Path) -> Path:
    """Write an artifact that can be served; gives the graph in it."""
    rows, graph = rows_for(subject), folder / "artifact/model.onnx"
    graph.parent.mkdir(parents=True)
    graph.write_bytes(quantized(_traced(subject, rows), folder, rows=rows))
    outputs = run(graph.read_bytes(), rows)
    write_file(graph.parent / "golden.safetensors", save({"inputs": rows, "outputs": outputs}))
    write_manifest(
        graph.parent,
        {
            "contractVersion": CONTRACT_VERSION,
            "format": "winnow/onnx-v1",
            "tolerance": {"absolute": 1e-6, "relative": 1e-3},
        },
    )
    return graph


def _traced(subject: Subject, rows: Rows) -> bytes:
    torch.manual_seed(1)
    names = tuple(map(str, range(CLASSES)))
    targets = np.arange(len(rows)) % CLASSES
    data = Dataset(rows, targets, DataKind.CLASSIFICATION, "", names, subject.image)
    settings = resolve_settings(subject.family, dict(subject.settings))
    model = Model(plan(subject.family, settings, data)).eval()
    return trace_onnx(model, torch.from_numpy(rows))
