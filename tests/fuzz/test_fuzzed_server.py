"""Ten thousand malformed requests: each is answered with what is wrong, and the server stays as it is."""

from __future__ import annotations

import json
import os
import socket
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.onnx_graphs import COLUMNS, blobs
from tests.support.served_artifacts import artifact, on_the_claim, request_of
from tests.support.server_process import Server, serving_process

pytestmark = pytest.mark.prove

CASES = 10_000
GROWTH_BYTES = 24 << 20
"""Over ten thousand requests; one kilobyte that each leaves behind would be ten megabytes."""
LARGEST_BODY = 4096
SECONDS = 30

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["rows", "outputs", "FP32", "INT8", "BYTES", "data", "shape"])
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=8,
)
SMALL_NUMBERS = st.lists(st.integers(-9, 9) | st.floats(-9, 9), max_size=2 * COLUMNS)
SIZES = st.integers(-2, 300) | st.sampled_from([4 * COLUMNS, 8 * COLUMNS, 2**31, 2**63, 10**30])
PARAMETERS = st.dictionaries(
    st.sampled_from(["binary_data_size", "binary_data", "binary_data_output", "sequence_id"]),
    SIZES | st.booleans() | SCALARS,
    max_size=2,
)
TENSORS = st.fixed_dictionaries(
    {},
    optional={
        "name": st.just("rows") | ANYTHING,
        "shape": st.lists(SIZES, max_size=4) | st.just([1, COLUMNS]) | ANYTHING,
        "datatype": st.just("FP32") | ANYTHING,
        "data": SMALL_NUMBERS | ANYTHING,
        "parameters": PARAMETERS | ANYTHING,
    },
)
DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "id": ANYTHING,
        "inputs": st.lists(TENSORS, max_size=2) | ANYTHING,
        "outputs": st.lists(TENSORS, max_size=2) | ANYTHING,
        "parameters": PARAMETERS | ANYTHING,
    },
)
RIGHT = request_of(blobs(1).rows)


def json_of(document: Any) -> bytes:
    """As JSON; numbers that JSON has no form for in 64 bits as Python's own writer has them."""
    try:
        return orjson.dumps(document)
    except TypeError:
        return json.dumps(document).encode(errors="replace")


def cut(body: bytes, at: int, patch: bytes) -> bytes:
    """A right body with bytes replaced somewhere."""
    at %= len(body)
    return body[:at] + patch + body[at + len(patch) :]


LARGE_NUMBERS = st.floats(2**100, 2**127, width=32)
"""The outputs for some of them are beyond what 32 bits can say."""
BODIES = (
    st.binary(max_size=200)
    | DOCUMENTS.map(json_of)
    | ANYTHING.map(json_of)
    | st.builds(cut, st.just(RIGHT), st.integers(0, 10_000), st.binary(max_size=8))
    | st.builds(lambda document, tail: json_of(document) + tail, DOCUMENTS, st.binary(max_size=300))
    | LARGE_NUMBERS.map(lambda number: request_of(np.full((1, COLUMNS), number, np.float32)))
    | st.integers(LARGEST_BODY + 1, 4 * LARGEST_BODY).map(lambda size: b" " * size)
)
VALUES = SIZES.map(str) | st.text(
    st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=12
)
HEADERS = st.dictionaries(
    st.sampled_from(
        ["Inference-Header-Content-Length", "Content-Type", "Content-Encoding", "Accept", "Expect"]
    ),
    VALUES,
    max_size=2,
)
PATHS = st.sampled_from(
    ["/v2/models/digits/infer", "/v2/models/digits/versions/3/infer", "/v2/models/digits", "/", "*"]
) | st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=30)


def whole_request(path: str, headers: dict[str, str], body: bytes) -> bytes:
    """A request that HTTP has nothing against, as long as its path and headers are right."""
    lines = [f"POST {path} HTTP/1.1", "host: x", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


INFERENCES = st.builds(whole_request, st.just("/v2/models/digits/infer"), HEADERS, BODIES)
REQUESTS = (
    INFERENCES
    | st.builds(whole_request, PATHS, HEADERS, BODIES)
    | st.builds(cut, INFERENCES, st.integers(0, 10_000), st.binary(max_size=8))
    | st.binary(max_size=100)
)


def exchange(port: int, content: bytes) -> bytes:
    """Send bytes, end them, and read what comes until the server has nothing more to say."""
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as line:
        answer = bytearray()
        try:
            line.sendall(content)
            line.shutdown(socket.SHUT_WR)
            while part := line.recv(65536):
                answer += part
        except (ConnectionResetError, BrokenPipeError):
            pass  # it had said what there was to say, and did not read the rest
        return bytes(answer)


def statuses(answer: bytes) -> list[int]:
    """Of all answers that came, one after the other."""
    found = []
    while answer:
        head, _, rest = answer.partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        assert first.startswith(b"HTTP/1.1 "), answer
        found.append(int(first.split(b" ")[1]))
        headers = dict(line.lower().split(b": ", 1) for line in lines)
        answer = rest[int(headers.get(b"content-length", b"0")) :]
    return found


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    serving = on_the_claim(artifact(tmp_path_factory.mktemp("served")))
    with serving_process(serving, WINNOW_MAX_REQUEST_BYTES=str(LARGEST_BODY)) as up:
        yield up


def open_files(server: Server) -> int:
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))  # noqa: PTH208 -- no folder of ours


def test_no_bytes_make_the_server_fail_or_grow(server: Server) -> None:
    found: Counter[int] = Counter()
    memory: list[int] = []

    @settings(
        max_examples=CASES, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(REQUESTS)
    def throw(content: bytes) -> None:
        got = statuses(exchange(server.port, content))
        found.update(got)
        if len(memory) < CASES:
            memory.append(server.memory_bytes)
        assert all(status < 500 for status in got), content

    throw()

    assert server.process.poll() is None
    assert server.ask(server.path, RIGHT).status == 200
    assert sum(found.values()) > CASES / 2
    assert {200, 400, 404, 413, 422} <= found.keys()
    assert memory[-1] - memory[len(memory) // 10] < GROWTH_BYTES
    assert open_files(server) < 40
    page = server.ask("/metrics").body.decode()
    assert 'winnow_server_requests_total{code="5' not in page
    print(  # noqa: T201 -- figures, shown by `pytest -rP`
        f"{len(memory)} cases, answers by status {dict(sorted(found.items()))}, memory from "
        f"{memory[len(memory) // 10] >> 20} to {memory[-1] >> 20} MiB"
    )
