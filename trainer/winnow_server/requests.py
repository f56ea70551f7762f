"""From the body of an inference request to rows of numbers.

The body is JSON, or, with the binary tensor extension, a JSON header whose length the HTTP header
`Inference-Header-Content-Length` gives and the tensors' bytes after it; with a length of 0 it is
the input's bytes alone. Whatever does not fit the model is refused with a sentence.

(https://kserve.github.io/website/docs/concepts/architecture/data-plane/v2-protocol)
"""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import numpy as np
import orjson

from winnow_runtime.artifacts import Tensor
from winnow_server.errors import RequestError
from winnow_server.signature import DATATYPE, ITEM_BYTES, ITEM_TYPE, Signature

__all__ = ["InferenceRequest", "are_finite", "parse_request", "rows_from_json"]

_SHOWN = 80
"""Characters of a client's words that a sentence repeats."""
_NUMBERS, _DICT = frozenset({int, float}), frozenset({dict})
_STATEFUL = ("sequence_id", "sequence_start", "sequence_end")
_ELSEWHERE = ("shared_memory_region", "classification")


@dataclass(slots=True)  # not frozen: that would make its making six times as long
class InferenceRequest:
    """What a client asks."""

    rows: Tensor
    """(rows, ...) float32, finite, in memory of its own."""
    id: str | None
    """To be repeated in the answer."""
    is_binary: bool
    """Whether the output's numbers are wanted as bytes."""


def parse_request(body: bytes, header_length: int | None, signature: Signature) -> InferenceRequest:
    """Read and check a request.

    Args:
        body: all of it.
        header_length: of its JSON header; None: the whole body is JSON.
        signature: of the model.

    Raises:
        RequestError: naming what does not fit, and what is allowed.
    """
    if header_length == 0:
        return InferenceRequest(_raw_rows(body, signature), None, is_binary=True)
    if header_length is None:
        header, tail = body, b""
    elif header_length > len(body):
        raise RequestError(
            f"Inference-Header-Content-Length is {header_length}, the body has {len(body)} bytes"
        )
    else:
        header, tail = body[:header_length], body[header_length:]
    document = _document(header)
    rows = _input(document, header, tail, signature)
    return InferenceRequest(rows, _id(document), _wants_binary(document, signature.output.name))


def _document(header: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(header)
    except ValueError as error:
        raise RequestError(
            f"the request is not JSON: {str(error)[:_SHOWN]}; a body with binary tensors needs the "
            "header Inference-Header-Content-Length"
        ) from None
    if type(document) is not dict:
        raise RequestError("the request is not a JSON object")
    return document


def _id(document: dict[str, Any]) -> str | None:
    found = document.get("id")
    if found is not None and type(found) is not str:
        raise RequestError(f"'id' is {_show(found)}, it must be a text")
    return found


def _parameters(owner: dict[str, Any], words: str, refused: tuple[str, ...]) -> dict[str, Any]:
    parameters = owner.get("parameters")
    if parameters is None:
        return {}
    if type(parameters) is not dict:
        raise RequestError(f"'parameters' of {words} must be an object")
    for name in refused:
        if name in parameters:
            raise RequestError(f"parameter {name!r} of {words} is not offered by this server")
    return parameters


def _flag(parameters: dict[str, Any], name: str, *, default: bool) -> bool:
    value = parameters.get(name, default)
    if type(value) is not bool:
        raise RequestError(f"parameter {name!r} is {_show(value)}, it must be true or false")
    return value


def _objects(document: dict[str, Any], key: str) -> list[dict[str, Any]]:
    listed = document.get(key)
    if type(listed) is not list or not _DICT.issuperset(map(type, listed)):
        raise RequestError(f"{key!r} of the request must be a list of objects")
    return listed


def _wants_binary(document: dict[str, Any], output: str) -> bool:
    if "parameters" not in document and "outputs" not in document:
        return False
    parameters = _parameters(document, "the request", _STATEFUL)
    is_binary = _flag(parameters, "binary_data_output", default=False)
    if document.get("outputs") is None:
        return is_binary
    asked = _objects(document, "outputs")
    for item in asked:
        if item.get("name") != output:
            raise RequestError(
                f"output {_show(item.get('name'))} is not known: there is {output!r}"
            )
        own = _parameters(item, f"output {output!r}", _ELSEWHERE)
        is_binary = _flag(own, "binary_data", default=is_binary)
    if len(asked) > 1:
        raise RequestError(f"output {output!r} is asked for {len(asked)} times")
    return is_binary


def _input(document: dict[str, Any], header: bytes, tail: bytes, signature: Signature) -> Tensor:
    port = signature.input
    given = _objects(document, "inputs")
    if len(given) != 1 or given[0].get("name") != port.name:
        names = ", ".join(_show(item.get("name")) for item in given[:4]) or "none"
        raise RequestError(f"inputs are {names}; the model has one, {port.name!r}")
    tensor = given[0]
    if tensor.get("datatype") != DATATYPE:
        raise RequestError(
            f"datatype of {port.name!r} is {_show(tensor.get('datatype'))}, it must be {DATATYPE!r}"
        )
    shape = _shape(tensor.get("shape"), signature)
    size = None
    if "parameters" in tensor:
        parameters = _parameters(tensor, f"input {port.name!r}", _ELSEWHERE)
        size = parameters.get("binary_data_size")
    if size is None:
        if tail:
            raise RequestError(
                f"{len(tail)} bytes follow the JSON header, but {port.name!r} has no "
                "'binary_data_size'"
            )
        return rows_from_json(tensor.get("data"), header, shape, port.name)
    return _finite(_from_bytes(tensor, tail, size, shape, port.name), port.name).reshape(shape)


def _shape(given: Any, signature: Signature) -> tuple[int, ...]:
    port = signature.input
    is_shape = type(given) is list and given and type(given[0]) is int and given[0] > 0
    if not is_shape or tuple(given[1:]) != port.row_shape:
        wanted = ", ".join(map(str, ("rows", *port.row_shape)))
        raise RequestError(
            f"shape of {port.name!r} is {_show(given)}, it must be [{wanted}] with 1 to "
            f"{signature.max_rows} rows"
        )
    _check_rows(given[0], signature.max_rows)
    return (given[0], *port.row_shape)


def _check_rows(rows: int, most: int) -> None:
    if rows > most:
        raise RequestError(
            f"the request has {rows} rows, at most {most} are taken at once: send several requests",
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        )


def rows_from_json(data: Any, text: bytes, shape: tuple[int, ...], name: str) -> Tensor:
    """Rows from the data of an input.

    Args:
        data: as it was read.
        text: it was read from.
        shape: it should have.
        name: of the input.

    Raises:
        RequestError: naming what does not fit.
    """
    if type(data) is not list:
        raise RequestError(f"'data' of {name!r} is {_show(data)}, it must be a list of numbers")
    if data and type(data[0]) is list:
        data = _flatten(data, shape, name)
    count = math.prod(shape)
    if len(data) != count:
        raise RequestError(
            f"'data' of {name!r} has {len(data)} items, shape {list(shape)} needs {count}"
        )
    # Where there is no true and no false, whatever an array takes is a number: to look at the type
    # of each takes as long as to read them, and to look for one letter is ten times as quick as for
    # four.
    try:
        may_be_flag = (b"u" in text and b"true" in text) or (b"s" in text and b"false" in text)
        if may_be_flag and not _NUMBERS.issuperset(map(type, data)):
            raise TypeError  # noqa: TRY301 -- as an array does
        flat = np.frombuffer(array("f", data), dtype=np.float32)
    except TypeError:
        odd = next(item for item in data if type(item) not in _NUMBERS)
        raise RequestError(
            f"'data' of {name!r} has {_show(odd)} in it, all must be numbers"
        ) from None
    return _finite(flat, name).reshape(shape)  # what is too large for 32 bits is infinite there


def _flatten(data: Any, shape: tuple[int, ...], name: str) -> list[Any]:
    """The items of nested lists, which must have exactly this shape."""
    if type(data) is not list or len(data) != shape[0]:
        raise RequestError(f"'data' of {name!r} is nested otherwise than its shape {list(shape)}")
    if len(shape) == 1:
        return data
    return [item for part in data for item in _flatten(part, shape[1:], name)]


def _from_bytes(
    tensor: dict[str, Any], tail: bytes, size: Any, shape: tuple[int, ...], name: str
) -> Tensor:
    if tensor.get("data") is not None:
        raise RequestError(f"{name!r} has both 'data' and 'binary_data_size'")
    if type(size) is not int or size != math.prod(shape) * ITEM_BYTES:
        raise RequestError(
            f"'binary_data_size' of {name!r} is {_show(size)}, shape {list(shape)} of {DATATYPE} "
            f"needs {math.prod(shape) * ITEM_BYTES}"
        )
    if len(tail) != size:
        raise RequestError(
            f"{len(tail)} bytes follow the JSON header, 'binary_data_size' says {size} (is "
            "Inference-Header-Content-Length right?)"
        )
    return _numbers(tail)


def _raw_rows(body: bytes, signature: Signature) -> Tensor:
    port = signature.input
    row_bytes = port.row_items * ITEM_BYTES
    rows, rest = divmod(len(body), row_bytes)
    if rest or not rows:
        raise RequestError(
            f"the body has {len(body)} bytes, a row of {port.name!r} has {row_bytes}: send one or "
            "more whole rows"
        )
    _check_rows(rows, signature.max_rows)
    return _finite(_numbers(body), port.name).reshape(rows, *port.row_shape)


def _numbers(content: bytes) -> Tensor:
    # A copy: where the bytes lie in the body is not where numbers may lie on every processor.
    return np.frombuffer(content, dtype=ITEM_TYPE).astype(np.float32)


def are_finite(numbers: Tensor) -> bool:
    """Whether all of them are.

    Args:
        numbers: of any shape.
    """
    # Half the time of `.all()`, which for a small model is a part of its answer's.
    return b"\0" not in np.isfinite(numbers).tobytes()


def _finite(flat: Tensor, name: str) -> Tensor:
    if not are_finite(flat):
        raise RequestError(f"{name!r} has numbers that are not finite (NaN or infinity) in 32 bits")
    return flat


def _show(value: Any) -> str:
    return repr(value)[:_SHOWN]
