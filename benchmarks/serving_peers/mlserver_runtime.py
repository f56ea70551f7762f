"""A model in MLServer, as its guide to custom runtimes shows it."""

from __future__ import annotations

import logging
import os
from typing import Any

import numpy as np
import onnxruntime
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse

logging.disable(logging.INFO)  # a line for each request would be measured too


class Onnx(MLModel):  # type: ignore[misc] # it is not installed where types are checked
    """Runs a model in ONNX Runtime with one thread."""

    async def load(self) -> bool:
        """Load what the environment names."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(os.environ["BENCHMARK_MODEL"], options)
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Outputs of a request."""
        rows: Any = NumpyCodec.decode_input(payload.inputs[0]).astype(np.float32, copy=False)
        (outputs,) = self._session.run(["outputs"], {"rows": rows})
        return InferenceResponse(
            model_name=self.name, outputs=[NumpyCodec.encode_output("outputs", outputs)]
        )
