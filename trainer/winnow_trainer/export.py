"""From a torch model to the bytes of its ONNX graph.

What the exporter writes down about the machine that it ran on (paths, lines of code, names of
internals) is left out: the same model gives the same bytes everywhere, and a third of a small
file is not about its building.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from winnow_trainer.quiet import quiet

OPSET = 20
"""Version of the operators; what ONNX Runtime has fast kernels for."""
INPUT, OUTPUT = "rows", "outputs"
MISSING_LIBRARIES = "torch.onnx._internal.exporter._registration"
"""Logger that names every library that could be exported from, were it installed."""
TRACED_ROWS = 2
"""One alone would be taken for a size that never changes."""


def traced_rows(rows: Tensor) -> tuple[Tensor]:
    """Arguments that a model is traced with, on the device of some rows; one row is enough."""
    return (rows[:1].expand(TRACED_ROWS, *rows.shape[1:]).clone(),)


def any_rows() -> tuple[dict[int, Any]]:
    """That the first dimension of a model's input may have any size."""
    return ({0: torch.export.Dim(INPUT, min=1)},)


def export_onnx(model: nn.Module | torch.export.ExportedProgram, rows: Tensor) -> bytes:
    """The graph of a model, for any number of rows.

    Args:
        model: on the CPU, in evaluation mode; or exported already, with a dynamic number of rows.
        rows: some raw rows.

    Raises:
        onnx.checker.ValidationError: if the exporter made no valid graph.
    """
    # Imported here, because whoever trains and does not export should not wait for it.
    import onnx

    is_module = isinstance(model, nn.Module)
    with quiet(MISSING_LIBRARIES):
        program = torch.onnx.export(
            model,
            traced_rows(rows) if is_module else (),
            dynamo=True,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_shapes=any_rows() if is_module else None,
            opset_version=OPSET,
            external_data=False,
            verbose=False,
        )
    if program is None:
        raise RuntimeError("torch.onnx.export gave no program")
    proto = program.model_proto
    _strip(proto)
    onnx.checker.check_model(proto)
    return bytes(proto.SerializeToString(deterministic=True))


def _strip(proto: Any) -> None:
    """Leave out what is not needed to run a graph."""
    proto.doc_string = ""
    del proto.metadata_props[:]
    graph = proto.graph
    del graph.value_info[:]  # ONNX Runtime infers shapes itself
    for described in (graph, *graph.node, *graph.input, *graph.output, *graph.initializer):
        described.doc_string = ""
        del described.metadata_props[:]
