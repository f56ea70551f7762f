"""A model in KServe's SDK, as its guide to custom predictors shows it.

kserve_server.py PORT MODEL.onnx [PORT-OF-GRPC]
"""

from __future__ import annotations

import logging
import sys
from typing import Any

import numpy as np
import onnxruntime
from kserve import InferOutput, InferResponse, Model, ModelServer


class Onnx(Model):  # type: ignore[misc] # it is not installed where types are checked
    """Runs a model in ONNX Runtime with one thread.

    Args:
        path: of the model.
    """

    def __init__(self, path: str) -> None:
        super().__init__("model")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(path, options)
        self.ready = True

    async def predict(self, payload: Any, *_: Any, **__: Any) -> Any:
        """Outputs of a request."""
        rows = payload.inputs[0].as_numpy().astype(np.float32, copy=False)
        (outputs,) = self._session.run(["outputs"], {"rows": rows})
        output = InferOutput("outputs", list(outputs.shape), "FP32")
        output.set_data_from_numpy(outputs, binary_data=False)
        return InferResponse(payload.id or "1", "model", [output])


logging.disable(logging.INFO)  # a line for each request would be measured too
port, path, *grpc = sys.argv[1:]
ModelServer(
    http_port=int(port),
    grpc_port=int(grpc[0]) if grpc else 0,
    enable_grpc=bool(grpc),
    workers=1,
    enable_latency_logging=False,
).start([Onnx(path)])
