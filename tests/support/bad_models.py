"""Artifacts for servers: three good ones, and such as must never serve, each for a reason of its own.

All are real files in the form that a builder pod leaves. What is wrong with two of them shows only in
rows with numbers beyond `FAR`, which golden batches do not have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

from tests.support.measuring_pods import Round
from tests.support.onnx_graphs import dense
from winnow_contract.manifests import write_manifest

CLAIM = "models"
"""On which they lie."""
GOOD = ("first", "second", "third")
FAR = 8.0
FLOATS_FOR_EACH_BEYOND = 1e8
"""What the glutton takes for each unit that a number is beyond."""
Artifact = dict[str, str]
"""URI and digest, as a ModelServer names it."""


def good_model(name: str) -> bytes:
    """A model with nothing wrong."""
    return dense(width=64, seed=1 + GOOD.index(name))


def write_models(folder: Path) -> dict[str, Artifact]:
    """Write all of them as they lie on a claim `models`, below `claims/models` of a folder; by name."""
    made = Round(folder)
    first, second, third = map(good_model, GOOD)
    for name, content in {
        "first": first,
        "second": second,
        "third": third,
        "damaged": second,
        "without graph": second,
        "fails on far rows": fails_on_far_rows(second),
        "answers otherwise": answers_otherwise(second),
        "eats memory": eats_memory_on_far_rows(second),
    }.items():
        made.add(name, content)
    made.add("no ONNX", b"weights, but no graph", golden=second)
    made.add("answers wrongly", first, golden=second)
    found = {
        model.candidate: {"uri": model.uri, "digest": f"sha256:{model.digest}"}
        for model in made.models
    }
    _damage(place(made, found["damaged"]) / "model.onnx")
    found["without graph"]["digest"] = _without_graph(place(made, found["without graph"]))
    found["missing"] = {**found["second"], "uri": "pvc://models/elsewhere"}
    found["other digest"] = {**found["second"], "digest": f"sha256:{'0' * 64}"}
    found["on another claim"] = {**found["second"], "uri": "pvc://gone/second"}
    return found


def place(made: Round, artifact: Artifact) -> Path:
    """Where the files of an artifact lie."""
    return made.claims / artifact["uri"].removeprefix("pvc://")


def _damage(path: Path) -> None:
    """Flip one bit in the middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _without_graph(folder: Path) -> str:
    """Commit it anew as a trial without an ONNX file leaves it; gives its digest."""
    (folder / "model.onnx").rename(folder / "model.safetensors")
    manifest = {"contractVersion": 1, "format": "winnow/model-v1"}
    return f"sha256:{write_manifest(folder, manifest).digest}"


def answers_otherwise(content: bytes) -> bytes:
    """The model with the scores of its classes in another order, as where labels were mixed up."""
    tail = [helper.make_node("Gather", ["scores", "order"], ["outputs"], axis=1)]
    return _continued(content, tail, order=np.array([1, 2, 0]))


def fails_on_far_rows(content: bytes) -> bytes:
    """The model, whose outputs are no numbers for such a row."""
    tail = [
        helper.make_node("Abs", ["rows"], ["sizes"]),
        helper.make_node("ReduceMax", ["sizes", "columns"], ["largest"]),
        helper.make_node("Sub", ["far", "largest"], ["left"]),
        helper.make_node("Sqrt", ["left"], ["root"]),
        helper.make_node("Mul", ["root", "nothing"], ["spoilt"]),
        helper.make_node("Add", ["scores", "spoilt"], ["outputs"]),
    ]
    return _continued(content, tail, far=FAR, nothing=1e-30, columns=np.array([1]))


def eats_memory_on_far_rows(content: bytes) -> bytes:
    """The model, which fills gigabytes where such a row is among those of a batch."""
    one = numpy_helper.from_array(np.ones(1, np.float32))
    tail = [
        helper.make_node("Abs", ["rows"], ["sizes"]),
        helper.make_node("ReduceMax", ["sizes"], ["largest"]),
        helper.make_node("Sub", ["largest", "far"], ["beyond"]),
        helper.make_node("Relu", ["beyond"], ["hunger"]),
        helper.make_node("Mul", ["hunger", "floats"], ["count"]),
        helper.make_node("Cast", ["count"], ["whole"], to=TensorProto.INT64),
        helper.make_node("Reshape", ["whole", "flat"], ["shape"]),
        helper.make_node("ConstantOfShape", ["shape"], ["filled"], value=one),
        helper.make_node("ReduceSum", ["filled"], ["total"], keepdims=0),
        helper.make_node("Mul", ["total", "nothing"], ["eaten"]),
        helper.make_node("Add", ["scores", "eaten"], ["outputs"]),
    ]
    numbers = {"far": FAR, "floats": FLOATS_FOR_EACH_BEYOND, "nothing": 1e-30}
    return _continued(content, tail, **numbers, flat=np.array([1]))


def _continued(content: bytes, tail: Sequence[NodeProto], **constants: Any) -> bytes:
    """A graph whose outputs are `scores` of its tail."""
    model = onnx.load_from_string(content)
    model.graph.node[-1].output[0] = "scores"
    model.graph.node.extend(tail)
    model.graph.initializer.extend(_stored(constants))
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def _stored(constants: Mapping[str, Any]) -> list[TensorProto]:
    tensors = {
        name: value if isinstance(value, np.ndarray) else np.array(value, np.float32)
        for name, value in constants.items()
    }
    return [numpy_helper.from_array(tensor, name) for name, tensor in tensors.items()]
