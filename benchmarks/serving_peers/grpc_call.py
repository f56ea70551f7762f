"""Asks a peer once over gRPC and keeps the message, for a load of the same again and again.

grpc_call.py PORT REQUEST.json MESSAGE; runs where KServe's SDK is, which has the protocol's messages.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import grpc
import numpy as np
from kserve.protocol.grpc.grpc_predict_v2_pb2 import ModelInferRequest, ModelInferResponse
from kserve.protocol.grpc.grpc_predict_v2_pb2_grpc import GRPCInferenceServiceStub

(tensor,) = json.loads(Path(sys.argv[2]).read_bytes())["inputs"]
content = np.array(tensor["data"], np.float32).tobytes()
request = ModelInferRequest(model_name="model", raw_input_contents=[content])
request.inputs.add(name=tensor["name"], datatype=tensor["datatype"], shape=tensor["shape"])
with grpc.insecure_channel(f"127.0.0.1:{sys.argv[1]}") as channel:
    answer: ModelInferResponse = GRPCInferenceServiceStub(channel).ModelInfer(request, timeout=60)
numbers = answer.raw_output_contents or [np.float32(answer.outputs[0].contents.fp32_contents)]
if not np.isfinite(np.frombuffer(numbers[0], np.float32)).all():
    sys.exit(f"the answer is {answer}")
message = request.SerializeToString()
Path(sys.argv[3]).write_bytes(b"\0" + len(message).to_bytes(4, "big") + message)
