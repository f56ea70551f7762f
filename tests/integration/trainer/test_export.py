"""Every family as an ONNX graph: ONNX Runtime computes what torch does, for any number of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from tests.support.architectures import small, trained_looking
from winnow_trainer.compress.delivery import deliver
from winnow_trainer.determinism import make_deterministic
from winnow_trainer.export import FLOAT_TOLERANCE, export_onnx, trace_onnx

CASES: list[tuple[str, dict[str, Any]]] = [
    ("MLP", {}),
    ("CNN", {"norm": "layer", "pooling": "average", "activation": "gelu"}),
    ("ResNet", {"resize": "16", "stem": "large"}),
    ("Transformer", {}),
]


@pytest.mark.parametrize("traced", [False, True], ids=["exported", "traced"])
@pytest.mark.parametrize(("family", "given"), CASES, ids=[family for family, _ in CASES])
def test_a_graph_computes_what_its_model_does(
    family: str, given: dict[str, Any], *, traced: bool
) -> None:
    make_deterministic(1)
    model = trained_looking(small(family, **given))
    rows = torch.randn(33, 54)

    def graph() -> bytes:
        return trace_onnx(model, rows) if traced else deliver(model, rows).content

    content = graph()

    wanted = model(rows).detach().numpy()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    allowed = FLOAT_TOLERANCE["absolute"] + FLOAT_TOLERANCE["relative"] * np.abs(wanted).max()
    for count in (1, 2, 33):
        (outputs,) = session.run(["outputs"], {"rows": rows[:count].numpy()})
        assert np.abs(np.asarray(outputs) - wanted[:count]).max() <= allowed
    weights = sum(parameter.numel() for parameter in model.parameters()) * 4
    assert weights <= len(content) < weights + (60_000 if traced else 12_000)
    proto = onnx.load_from_string(content)
    onnx.checker.check_model(proto, full_check=True)
    assert not any(node.metadata_props or node.doc_string for node in proto.graph.node)
    assert content == graph()


def test_the_exporter_reads_the_source_of_its_translations_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model, rows = nn.Linear(3, 2).eval(), torch.rand(2, 3)
    before = export_onnx(model, rows)
    monkeypatch.setattr("onnxscript._framework_apis.torch_2_11.get_torchlib_ops", _unexpected)

    assert export_onnx(model, rows) == before


def _unexpected() -> None:
    raise AssertionError("they are read again: see winnow_trainer.export")
