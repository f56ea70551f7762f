"""From the model's outputs to the body of an answer, in JSON or with binary tensors."""

from __future__ import annotations

from typing import Any

import orjson

from winnow_runtime.artifacts import Tensor
from winnow_server.requests import InferenceRequest
from winnow_server.signature import DATATYPE, ITEM_TYPE, Signature

__all__ = ["encode_answer", "encode_error"]


def encode_answer(
    request: InferenceRequest, outputs: Tensor, signature: Signature
) -> tuple[bytes, int | None]:
    """The body, and the length of its JSON header; None where all of it is JSON.

    Args:
        request: what is answered.
        outputs: (rows, ...) float32; those that are no finite numbers are null in JSON.
        signature: of the model.
    """
    output: dict[str, Any] = {
        "name": signature.output.name,
        "datatype": DATATYPE,
        "shape": outputs.shape,
    }
    answer: dict[str, Any] = {"model_name": signature.model, "model_version": signature.version}
    if request.id is not None:
        answer["id"] = request.id
    answer["outputs"] = [output]
    if not request.is_binary:
        output["data"] = outputs.ravel()
        return orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY), None
    content = outputs.astype(ITEM_TYPE, copy=False).tobytes()
    output["parameters"] = {"binary_data_size": len(content)}
    header = orjson.dumps(answer)
    return header + content, len(header)


def encode_error(sentence: str) -> bytes:
    """The body of an answer that says what is wrong."""
    return orjson.dumps({"error": sentence})
