"""Artifacts that can be served, on a claim and in a pod's folder, and requests for them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from tests.support.measuring_pods import Round
from tests.support.onnx_graphs import dense
from winnow_contract.serving import Serving

Rows = np.ndarray[Any, np.dtype[Any]]


def artifact(folder: Path, content: bytes | None = None, **manifest: Any) -> Serving:
    """The settings of a server for an artifact that lies on a claim below a folder.

    Args:
        folder: of the test.
        content: of model.onnx; None: a small perceptron.
        manifest: changes to its manifest, and `golden` as in `Round.add`.
    """
    made = Round(folder)
    model = made.add("one", content or dense(width=8), **manifest)
    return Serving(
        model_uri=model.uri,
        model_digest=f"sha256:{model.digest}",
        model_source=made.claims / "models",
        model_folder=folder / "pod",
        model_name="digits",
        model_revision=3,
        max_batch=8,
        drain_seconds=1,
        port=0,
        termination_log=folder / "termination-log",
    )


def on_the_claim(serving: Serving) -> Serving:
    """The same served from where it lies, without a copy."""
    path = serving.model_uri.removeprefix("pvc://models/")
    return replace(serving, model_folder=serving.model_source / path)


def request_of(rows: Rows, **changes: Any) -> bytes:
    """A request in JSON, as a person writes one.

    Args:
        rows: (rows, ...).
        changes: to the input tensor.
    """
    tensor = {
        "name": "rows",
        "shape": list(rows.shape),
        "datatype": "FP32",
        "data": rows.ravel().tolist(),
        **changes,
    }
    return orjson.dumps({"inputs": [tensor]})
