"""Every family as an ONNX graph: ONNX Runtime computes what torch does, for any number of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from tests.support.architectures import small, trained_looking
from winnow_trainer.compress.delivery import FLOAT_TOLERANCE, deliver
from winnow_trainer.determinism import make_deterministic

CASES: list[tuple[str, dict[str, Any]]] = [
    ("MLP", {}),
    ("CNN", {"norm": "layer", "pooling": "average", "activation": "gelu"}),
    ("ResNet", {"resize": "16", "stem": "large"}),
    ("Transformer", {}),
]


@pytest.mark.parametrize(("family", "given"), CASES, ids=[family for family, _ in CASES])
def test_a_graph_computes_what_its_model_does(family: str, given: dict[str, Any]) -> None:
    make_deterministic(1)
    model = trained_looking(small(family, **given))
    rows = torch.randn(33, 54)

    delivery = deliver(model, rows)

    wanted = delivery.run(rows).numpy()
    session = onnxruntime.InferenceSession(delivery.content, providers=["CPUExecutionProvider"])
    allowed = FLOAT_TOLERANCE["absolute"] + FLOAT_TOLERANCE["relative"] * np.abs(wanted).max()
    for count in (1, 2, 33):
        (outputs,) = session.run(["outputs"], {"rows": rows[:count].numpy()})
        assert np.abs(np.asarray(outputs) - wanted[:count]).max() <= allowed
    weights = sum(parameter.numel() for parameter in model.parameters()) * 4
    assert weights <= len(delivery.content) < weights + 12_000
    graph = onnx.load_from_string(delivery.content)
    onnx.checker.check_model(graph, full_check=True)
    assert not any(node.metadata_props or node.doc_string for node in graph.graph.node)
    assert delivery.content == deliver(model, rows).content
