"""Requests: what real clients send is understood, whatever else is refused with a sentence."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput

from tests.support.served_artifacts import Rows, request_of
from winnow_server.answers import encode_answer
from winnow_server.errors import RequestError
from winnow_server.requests import InferenceRequest, parse_request
from winnow_server.signature import Port, Signature

IMAGES = Signature("digits", "3", Port("rows", (2, 3)), Port("outputs", (4,)), max_rows=8)
FLOATS = st.floats(allow_nan=False, allow_infinity=False, width=32)
ROWS = arrays.arrays(
    np.float32, st.tuples(st.integers(1, 8), st.just(2), st.just(3)), elements=FLOATS
)
ONE = np.arange(6, dtype=np.float32).reshape(1, 2, 3)


def of_triton(
    rows: Rows, *, binary_in: bool, binary_out: bool | None, name: str
) -> tuple[bytes, Any]:
    """What `tritonclient` puts into the body, and the length of its header."""
    tensor = InferInput("rows", list(rows.shape), "FP32")
    tensor.set_data_from_numpy(rows, binary_data=binary_in)
    asked = (
        None if binary_out is None else [InferRequestedOutput("outputs", binary_data=binary_out)]
    )
    body: bytes
    body, length = InferenceServerClient.generate_request_body([tensor], asked, request_id=name)
    return body, length


@given(
    rows=ROWS,
    binary_in=st.booleans(),
    binary_out=st.sampled_from([True, False, None]),
    name=st.text(max_size=5),
)
def test_tritonclient_is_understood_in_every_mix(
    *,
    rows: Rows,
    binary_in: bool,
    binary_out: bool | None,
    name: str,
) -> None:
    body, length = of_triton(rows, binary_in=binary_in, binary_out=binary_out, name=name)

    found = parse_request(body, length, IMAGES)

    np.testing.assert_array_equal(found.rows, rows)
    assert found.rows.dtype == np.float32
    assert found.rows.flags.aligned
    assert found.id == (name or None)
    assert found.is_binary is (binary_out is not False)  # without a word it asks for bytes


@given(
    outputs=arrays.arrays(np.float32, st.tuples(st.integers(1, 8), st.just(4)), elements=FLOATS),
    is_binary=st.booleans(),
    name=st.none() | st.text(),
)
def test_tritonclient_understands_the_answer_in_both_forms(
    *,
    outputs: Rows,
    is_binary: bool,
    name: str | None,
) -> None:
    request = InferenceRequest(ONE, name, is_binary)

    body, length = encode_answer(request, outputs, IMAGES)
    found = InferenceServerClient.parse_response_body(body, header_length=length)

    np.testing.assert_array_equal(found.as_numpy("outputs"), outputs)
    answer = found.get_response()
    assert (answer["model_name"], answer["model_version"]) == ("digits", "3")
    assert answer.get("id") == name
    assert (length is not None) is is_binary


@pytest.mark.parametrize("data", [ONE.ravel().tolist(), ONE.tolist(), [0, 1, 2, 3, 4, 5]])
def test_numbers_may_be_flat_or_nested_as_their_shape(data: Any) -> None:
    found = parse_request(request_of(ONE, data=data), None, IMAGES)

    np.testing.assert_array_equal(found.rows, ONE)
    assert not found.is_binary
    assert found.id is None


def test_bytes_alone_are_as_many_rows_as_they_are() -> None:
    rows = np.random.default_rng(1).normal(size=(5, 2, 3)).astype(np.float32)

    found = parse_request(rows.tobytes(), 0, IMAGES)

    np.testing.assert_array_equal(found.rows, rows)
    assert found.is_binary


def test_a_flag_of_the_output_goes_before_that_of_the_request() -> None:
    def is_binary(request: bool, output: bool | None) -> bool:  # noqa: FBT001 -- a table
        document = orjson.loads(request_of(ONE))
        document["parameters"] = {"binary_data_output": request}
        own = {} if output is None else {"parameters": {"binary_data": output}}
        document["outputs"] = [{"name": "outputs", **own}]
        return parse_request(orjson.dumps(document), None, IMAGES).is_binary

    assert is_binary(request=True, output=None)
    assert not is_binary(request=True, output=False)
    assert is_binary(request=False, output=True)
    assert not is_binary(request=False, output=None)


def refused(body: bytes, length: int | None = None) -> RequestError:
    with pytest.raises(RequestError) as caught:
        parse_request(body, length, IMAGES)
    return caught.value


NAN, BIG = float("nan"), 1e39


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "images"}, "inputs are 'images'; the model has one, 'rows'"),
        ({"name": None}, "inputs are None"),
        ({"datatype": "FP64"}, "datatype of 'rows' is 'FP64', it must be 'FP32'"),
        ({"shape": [1, 6]}, "shape of 'rows' is [1, 6], it must be [rows, 2, 3] with 1 to 8 rows"),
        ({"shape": [0, 2, 3], "data": []}, "with 1 to 8 rows"),
        ({"shape": [-1, 2, 3]}, "with 1 to 8 rows"),
        ({"shape": [True, 2, 3]}, "with 1 to 8 rows"),
        ({"shape": [1.0, 2, 3]}, "with 1 to 8 rows"),
        ({"shape": []}, "with 1 to 8 rows"),
        ({"shape": "1"}, "with 1 to 8 rows"),
        ({"shape": None}, "with 1 to 8 rows"),
        ({"data": None}, "'data' of 'rows' is None, it must be a list of numbers"),
        ({"data": "123456"}, "it must be a list of numbers"),
        ({"data": [1, 2, 3]}, "has 3 items, shape [1, 2, 3] needs 6"),
        ({"data": [1, 2, 3, 4, 5, "6"]}, "has '6' in it, all must be numbers"),
        ({"data": [1, 2, 3, 4, 5, True]}, "has True in it"),
        ({"data": [1, 2, 3, 4, 5, None]}, "has None in it"),
        ({"data": [1, 2, 3, 4, 5, [6]]}, "has [6] in it"),
        ({"data": [[1, 2, 3], [4, 5, 6]]}, "nested otherwise than its shape [1, 2, 3]"),
        ({"data": [[[1, 2, 3], [4, 5]]]}, "nested otherwise than its shape"),
        ({"data": [[[1, 2, 3], 4]]}, "nested otherwise than its shape"),
        ({"data": [1, 2, 3, 4, 5, BIG]}, "'rows' has numbers that are not finite"),
        ({"parameters": {"binary_data_size": 24}}, "both 'data' and 'binary_data_size'"),
        ({"data": None, "parameters": {"binary_data_size": 25}}, "of FP32 needs 24"),
        ({"data": None, "parameters": {"binary_data_size": "24"}}, "of FP32 needs 24"),
        ({"data": None, "parameters": {"binary_data_size": 24}}, "0 bytes follow the JSON header"),
        ({"parameters": 1}, "'parameters' of input 'rows' must be an object"),
        ({"parameters": {"shared_memory_region": "x"}}, "is not offered by this server"),
    ],
)
def test_a_tensor_that_does_not_fit_is_refused(changes: dict[str, Any], words: str) -> None:
    error = refused(request_of(ONE, **changes))

    assert words in str(error)
    assert error.status == 400


def of(**document: Any) -> bytes:
    return orjson.dumps({**orjson.loads(request_of(ONE)), **document})


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "the request is not JSON"),
        (b"{", "the request is not JSON"),
        (b"\xff\x00\x12", "the request is not JSON"),
        (b"[" * 100_000, "the request is not JSON"),
        (b'{"inputs": [{"name": "rows", "data": [NaN]}]}', "the request is not JSON"),
        (b"[]", "the request is not a JSON object"),
        (b"{}", "'inputs' of the request must be a list of objects"),
        (of(inputs=[]), "inputs are none; the model has one, 'rows'"),
        (of(inputs=[1]), "must be a list of objects"),
        (of(inputs=orjson.loads(request_of(ONE))["inputs"] * 2), "inputs are 'rows', 'rows'"),
        (of(id=7), "'id' is 7, it must be a text"),
        (of(outputs=[{"name": "classes"}]), "output 'classes' is not known: there is 'outputs'"),
        (of(outputs=[{"name": "outputs"}] * 2), "is asked for 2 times"),
        (of(outputs={}), "'outputs' of the request must be a list of objects"),
        (of(outputs=[{"name": "outputs", "parameters": {"classification": 3}}]), "not offered"),
        (of(parameters={"binary_data_output": "yes"}), "it must be true or false"),
        (
            of(parameters={"sequence_id": 3}),
            "parameter 'sequence_id' of the request is not offered",
        ),
    ],
)
def test_a_request_that_is_none_is_refused(body: bytes, words: str) -> None:
    error = refused(body)

    assert words in str(error)
    assert len(str(error)) < 400
    assert error.status == 400


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_bytes_that_are_no_finite_numbers_are_refused(value: float) -> None:
    rows = ONE.copy()
    rows[0, 1, 2] = value

    assert "not finite" in str(refused(rows.tobytes(), 0))
    body, length = of_triton(rows, binary_in=True, binary_out=True, name="")
    assert "not finite" in str(refused(body, length))


def test_numbers_whose_squares_are_infinite_are_numbers() -> None:
    rows = np.full_like(ONE, 3e38)

    np.testing.assert_array_equal(parse_request(request_of(rows), None, IMAGES).rows, rows)


def test_too_many_rows_are_another_fault_than_a_wrong_shape() -> None:
    rows = np.zeros((9, 2, 3), np.float32)

    for error in (refused(request_of(rows)), refused(rows.tobytes(), 0)):
        assert error.status == 413
        assert "the request has 9 rows, at most 8 are taken at once" in str(error)


@pytest.mark.parametrize("cut", [1, 23, 24])
def test_a_body_that_was_cut_is_refused(cut: int) -> None:
    body, length = of_triton(ONE, binary_in=True, binary_out=True, name="")

    assert f"{24 - cut} bytes follow the JSON header" in str(refused(body[:-cut], length))
    assert "send one or more whole rows" in str(refused(ONE.tobytes()[:-cut], 0))


def test_a_header_longer_than_the_body_is_refused() -> None:
    assert "Inference-Header-Content-Length is 99, the body has 4 bytes" in str(
        refused(b"1234", 99)
    )


@given(st.binary(max_size=60), st.none() | st.integers(0, 80))
@example(of_triton(ONE, binary_in=True, binary_out=True, name="")[0], 3)
def test_no_bytes_lead_to_anything_but_rows_or_a_sentence(body: bytes, length: int | None) -> None:
    try:
        outcome: object = parse_request(body, length, IMAGES).rows.shape[1:]
    except RequestError as error:
        outcome = (int(error.status), bool(str(error)))

    assert outcome in {(2, 3), (400, True), (413, True)}
