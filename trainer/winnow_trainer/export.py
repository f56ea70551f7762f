"""From a torch model to the bytes of its ONNX graph.

What the exporter writes down about the machine that it ran on (paths, lines of code, names of
internals) is left out: the same model gives the same bytes everywhere, and a third of a small
file is not about its building.
"""

from __future__ import annotations

import functools
import io
import warnings
from collections.abc import Mapping
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
FLOAT_TOLERANCE: Mapping[str, float] = {"absolute": 1e-7, "relative": 1e-4}
"""Sums of 32 bits in another order. Seen are up to 6e-7 of the largest output, over all families."""


def traced_rows(rows: Tensor) -> tuple[Tensor]:
    """Arguments that a model is traced with, on the device of some rows; one row is enough.

    Args:
        rows: (rows, *row), raw.
    """
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
    _keep_translations()
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


def trace_onnx(model: nn.Module, rows: Tensor) -> bytes:
    """The graph of a model of 32 bits, recorded while it runs: in 0.02 to 0.2 seconds.

    The exporter of `export_onnx` takes 1 to 3 seconds of a core, which is as long as a small model
    is trained; a search exports each of its models. Only what depends on the data in a model's
    Python would be lost, and none of ours does.

    Args:
        model: on the CPU, in evaluation mode.
        rows: some raw rows.
    """
    import onnx

    file = io.BytesIO()
    with warnings.catch_warnings():
        # It is to go in some later torch, which the locks will not take unseen.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            traced_rows(rows),
            file,  # type: ignore[arg-type] # a file in memory will do, too
            dynamo=False,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_axes={INPUT: {0: INPUT}, OUTPUT: {0: INPUT}},
            opset_version=OPSET,
        )
    proto = onnx.load_from_string(file.getvalue())
    _strip(proto)
    return bytes(proto.SerializeToString(deterministic=True))


@functools.cache
def _keep_translations() -> None:
    """Read the source of the exporter's translations once in this process.

    The exporter parses that of five hundred functions anew for each graph, which is more than half of
    the time that a small one takes, and has no setting for it. A test fails where a release of torch
    asks for them in another way.
    """
    from torch.onnx._internal._lazy_import import onnxscript_apis  # type: ignore[attr-defined]

    # NB: which of them a graph can use depends on what is imported by then, so torch's own table, which
    # is made from these, must not be kept.
    onnxscript_apis.get_torchlib_ops = functools.cache(onnxscript_apis.get_torchlib_ops)


def _strip(proto: Any) -> None:
    """Leave out what is not needed to run a graph."""
    proto.doc_string = ""
    del proto.metadata_props[:]
    graph = proto.graph
    del graph.value_info[:]  # ONNX Runtime infers shapes itself
    for described in (graph, *graph.node, *graph.input, *graph.output, *graph.initializer):
        described.doc_string = ""
        del described.metadata_props[:]
