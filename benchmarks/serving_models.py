"""The models that servers are compared by: a small perceptron and a ResNet-18, both with int8 weights.

Their shapes are those of the trainer's families; their weights are random, because only time is
measured.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
from safetensors.numpy import save
from typing_extensions import override

from winnow_contract.files import write_file
from winnow_contract.manifests import write_manifest
from winnow_contract.settings import resolve_settings
from winnow_contract.version import CONTRACT_VERSION
from winnow_trainer.architectures import Model, plan
from winnow_trainer.data.dataset import Dataset, ImageShape, Layout
from winnow_trainer.export import trace_onnx
from winnow_trainer.task import DataKind

CLASSES, ROWS = 10, 8
COLOUR = ImageShape(32, 32, 3, Layout.HWC)
Rows = np.ndarray[Any, np.dtype[Any]]


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
    Subject("resnet", "ResNet-18, 3x32x32", "ResNet", {"width": "64"}, 3 * 32 * 32, COLOUR),
)


class _Calibration(CalibrationDataReader):  # type: ignore[misc] # it has no types
    def __init__(self, rows: Rows) -> None:
        self._rows: Iterator[Rows] = iter((rows,))

    @override
    def get_next(self) -> dict[str, Rows] | None:
        rows = next(self._rows, None)
        return None if rows is None else {"rows": rows}


def rows_for(subject: Subject) -> Rows:
    """Some rows, the same ones each time."""
    random = np.random.default_rng(1)
    return random.normal(size=(ROWS, subject.columns)).round(3).astype(np.float32)


def make_artifact(subject: Subject, folder: Path) -> Path:
    """Write an artifact that can be served; gives the graph in it."""
    rows = rows_for(subject)
    float_graph, graph = folder / "float.onnx", folder / "artifact/model.onnx"
    float_graph.parent.mkdir(parents=True, exist_ok=True)
    graph.parent.mkdir(exist_ok=True)
    float_graph.write_bytes(_traced(subject, rows))
    logging.getLogger().setLevel(logging.ERROR)  # advice that does not help here
    quantize_static(
        float_graph,
        graph,
        _Calibration(rows),
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    (outputs,) = session.run(["outputs"], {"rows": rows})
    write_file(
        graph.parent / "golden.safetensors", save({"inputs": rows, "outputs": np.asarray(outputs)})
    )
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
