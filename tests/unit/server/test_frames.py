"""Requests that differ in their numbers alone: read as any other, rightly or with the same words."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.served_artifacts import request_of
from winnow_server.errors import RequestError
from winnow_server.frames import Reader
from winnow_server.requests import parse_request
from winnow_server.signature import Port, Signature

SIGNATURE = Signature("digits", "3", Port("rows", (3,)), Port("outputs", (2,)), 4)
ROWS = np.ones((2, 3), np.float32)


def outcome(read: Any, body: bytes) -> Any:
    """What comes of a body: a request, or words."""
    try:
        found = read(body)
    except RequestError as error:
        return error.status, str(error)
    return found.rows.shape, found.rows.tobytes(), found.id, found.is_binary


def parsed(body: bytes) -> Any:
    return outcome(lambda one: parse_request(one, None, SIGNATURE), body)


def learnt(body: bytes) -> Reader:
    reader = Reader(SIGNATURE)
    for _ in range(2):
        reader.read(body, None)
    return reader


PLAIN = b'{"inputs":[{"name":"rows","shape":[1,3],"datatype":"FP32","data":[@]}]}'
BINARY = b'"parameters":{"binary_data_output":true},"outputs":[{"name":"outputs"}]'
FRAMES = [
    PLAIN,
    b'{"id":"\\"data\\":[]","inputs":[{"data" : [ @ ],"shape":[1,3],"name":"rows","datatype":"FP32"}]}',
    PLAIN.replace(b"]}]}", b"]}]," + BINARY + b',"id":"\\"data\\":[1]"}'),
    PLAIN.replace(b'"data"', b'"data":[7],"data"'),
    PLAIN.replace(b"[@]", b"[[@]]"),
]
"""With @ for the numbers."""
RIGHT = [frame.replace(b"@", b"1,2.5,3") for frame in FRAMES]
NUMBERS = st.lists(
    st.integers(-9, 9).map(str)
    | st.sampled_from(["1e39", "true", "null", '"1"', "[2]", "1.5", ""]),
    max_size=8,
).map(lambda items: ",".join(items).encode())
BREAKS = st.sampled_from([b"", b"],[", b'],"data":[1,2,3', b"]}]", b" ", b"["])


@given(st.sampled_from(FRAMES), NUMBERS, BREAKS, NUMBERS)
def test_whatever_stands_in_a_known_frame_is_read_as_without_it(
    frame: bytes, numbers: bytes, between: bytes, more: bytes
) -> None:
    reader = learnt(frame.replace(b"@", b"1,2.5,3"))
    body = frame.replace(b"@", numbers + between + more)

    assert outcome(lambda one: reader.read(one, None), body) == parsed(body)


@pytest.mark.parametrize("frame", RIGHT[:3])
def test_a_frame_is_known_from_the_third_request_on(
    monkeypatch: pytest.MonkeyPatch, frame: bytes
) -> None:
    reader = learnt(frame)
    monkeypatch.setattr("winnow_server.frames.parse_request", None)

    assert outcome(lambda one: reader.read(one, None), frame) == parsed(frame)


@pytest.mark.parametrize("frame", RIGHT)
@pytest.mark.parametrize("other", [*RIGHT, b"", b"{}", RIGHT[0][:-9]])
def test_another_frame_after_a_known_one_is_read_as_without_it(frame: bytes, other: bytes) -> None:
    reader = learnt(frame)

    for body in (other, frame, other):
        assert outcome(lambda one: reader.read(one, None), body) == parsed(body)


def test_what_a_frame_may_be_is_looked_at_once_though_each_request_ends_differently(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reader = Reader(SIGNATURE)
    looked: list[bytes] = []

    def look(before: bytes, *_: bytes) -> bool:
        looked.append(before)
        return False

    monkeypatch.setattr("winnow_server.frames._are_around_data", look)

    for number in range(9):
        document = {**orjson.loads(request_of(ROWS)), "id": str(number)}
        reader.read(orjson.dumps(document), None)

    assert len(looked) == 1
