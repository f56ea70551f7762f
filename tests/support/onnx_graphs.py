"""Small classifiers as ONNX files, made without torch: fast enough for unit tests, and real."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantType,
    quantize_dynamic,
    quantize_static,
)
from typing_extensions import override

SIDE, CLASSES = 6, 3
COLUMNS = SIDE * SIDE
Rows = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Blobs:
    """Rows around three centres, and which centre each belongs to."""

    rows: Rows
    """(rows, 36) float32."""
    labels: Rows
    """(rows,) int64."""


def blobs(rows: int, seed: int = 0, noise: float = 1.0) -> Blobs:
    """Some rows; the centres are the same for every seed."""
    centres = np.random.default_rng(7).normal(size=(CLASSES, COLUMNS))
    random = np.random.default_rng(seed)
    labels = random.integers(CLASSES, size=rows)
    data = centres[labels] + random.normal(0, noise, size=(rows, COLUMNS))
    return Blobs(data.astype(np.float32), labels)


def dense(width: int = 256, seed: int = 0) -> bytes:
    """A perceptron with one hidden layer, fitted to the blobs."""
    random = np.random.default_rng(seed)
    hidden = random.normal(size=(COLUMNS, width)) / np.sqrt(COLUMNS)
    train = blobs(400, seed=99)
    features = np.maximum(train.rows @ hidden, 0)
    weights = {"w1": hidden, "b1": np.zeros(width), **_readout(features, train.labels)}
    nodes = [
        helper.make_node("Gemm", ["rows", "w1", "b1"], ["h"]),
        helper.make_node("Relu", ["h"], ["a"]),
        helper.make_node("Gemm", ["a", "w2", "b2"], ["outputs"]),
    ]
    return graph(nodes, weights)


def convolutional(channels: int = 64, seed: int = 0, zeros: float = 0.0) -> bytes:
    """Two convolutions, a mean over the image and a linear layer, fitted to the blobs.

    Args:
        channels: of both convolutions.
        seed: of the convolutions.
        zeros: share of the second convolution's weights that are zero, the smallest ones.
    """
    random = np.random.default_rng(seed)
    first = random.normal(size=(channels, 1, 3, 3)) / 3
    second = random.normal(size=(channels, channels, 3, 3)) / np.sqrt(9 * channels)
    second[np.abs(second) < np.quantile(np.abs(second), zeros)] = 0
    weights = {"c1": first, "c2": second}
    nodes = [
        helper.make_node("Reshape", ["rows", "shape"], ["image"]),
        helper.make_node("Conv", ["image", "c1"], ["h1"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["h1"], ["a1"]),
        helper.make_node("Conv", ["a1", "c2"], ["h2"], pads=[0, 0, 0, 0]),
        helper.make_node("Relu", ["h2"], ["a2"]),
        helper.make_node("Flatten", ["a2"], ["f"]),
    ]
    train = blobs(400, seed=99)
    features = run(graph([*nodes, _identity("f")], weights, outputs=16 * channels), train.rows)
    weights |= _readout(features, train.labels)
    return graph([*nodes, helper.make_node("Gemm", ["f", "w2", "b2"], ["outputs"])], weights)


def _identity(name: str) -> onnx.NodeProto:
    return helper.make_node("Identity", [name], ["outputs"])


def _readout(features: Rows, labels: Rows) -> dict[str, Rows]:
    """A linear layer that tells the classes apart, by ridge regression."""
    wanted = np.eye(CLASSES)[labels] - 1 / CLASSES
    gram = features.T @ features + 10 * np.eye(features.shape[1])
    return {"w2": np.linalg.solve(gram, features.T @ wanted) * 10, "b2": np.zeros(CLASSES)}


def graph(
    nodes: Sequence[onnx.NodeProto],
    weights: dict[str, Rows],
    *,
    outputs: int = CLASSES,
    batch: str | int = "batch",
    integers: dict[str, Sequence[int]] | None = None,
) -> bytes:
    """A whole file around some nodes, from `rows` to `outputs`."""
    tensors = {name: np.asarray(value, dtype=np.float32) for name, value in weights.items()}
    whole = dict(integers or {})
    if any("shape" in node.input for node in nodes):
        whole["shape"] = (-1, 1, SIDE, SIDE)
    stored = [
        *(numpy_helper.from_array(value, name) for name, value in tensors.items()),
        *(numpy_helper.from_array(np.array(v, dtype=np.int64), name) for name, v in whole.items()),
    ]
    described = helper.make_graph(
        list(nodes),
        "model",
        [helper.make_tensor_value_info("rows", TensorProto.FLOAT, [batch, COLUMNS])],
        [helper.make_tensor_value_info("outputs", TensorProto.FLOAT, [batch, outputs])],
        stored,
    )
    opset = [helper.make_opsetid("", 20)]
    made = helper.make_model(described, opset_imports=opset, ir_version=10)
    onnx.checker.check_model(made)
    return bytes(made.SerializeToString(deterministic=True))


class _Calibration(CalibrationDataReader):  # type: ignore[misc] # it has no types
    def __init__(self, rows: Rows) -> None:
        self._rows: Iterator[Rows] = iter((rows,))

    @override
    def get_next(self) -> dict[str, Rows] | None:
        rows = next(self._rows, None)
        return None if rows is None else {"rows": rows}


def quantized(
    content: bytes, folder: Path, leave_out: Sequence[str] = (), rows: Rows | None = None
) -> bytes:
    """The model with integer weights and activations, but for some kinds of nodes.

    Args:
        content: the model.
        folder: is written to.
        leave_out: kinds of nodes.
        rows: to calibrate with; None: blobs.
    """
    source, target = folder / "float.onnx", folder / "integer.onnx"
    source.write_bytes(content)
    kinds = [kind for kind in ("Conv", "Gemm", "MatMul", "Relu") if kind not in leave_out]
    level = logging.root.level
    logging.root.setLevel(logging.ERROR)
    try:
        quantize_static(
            source,
            target,
            _Calibration(blobs(200, seed=5).rows if rows is None else rows),
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=kinds,
        )
    finally:
        logging.root.setLevel(level)
    return target.read_bytes()


def run(content: bytes, rows: Rows) -> Rows:
    """What ONNX Runtime makes of rows."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    outputs: Rows = session.run(None, {"rows": rows})[0]
    return outputs


def dynamic(content: bytes, folder: Path) -> bytes:
    """The model with integer weights, and activations quantized by the range of what goes in."""
    source, target = folder / "float.onnx", folder / "dynamic.onnx"
    source.write_bytes(content)
    level = logging.root.level
    logging.root.setLevel(logging.ERROR)
    try:
        quantize_dynamic(source, target, op_types_to_quantize=["MatMul", "Gemm"])
    finally:
        logging.root.setLevel(level)
    return target.read_bytes()
