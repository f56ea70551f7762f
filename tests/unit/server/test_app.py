"""The application without a network: paths, limits, counts, and words about what is wrong."""

from __future__ import annotations

import logging
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from onnx import helper
from prometheus_client.parser import text_string_to_metric_families
from typing_extensions import override

from tests.support.onnx_graphs import COLUMNS, blobs, graph
from tests.support.served_artifacts import artifact, on_the_claim, request_of
from winnow_contract.serving import (
    BATCH_SIZE_METRIC,
    DURATION_METRIC,
    ERROR_CODES,
    MODEL_INFO_METRIC,
    QUEUE_METRIC,
    REQUESTS_METRIC,
    Serving,
)
from winnow_server.app import App
from winnow_server.connections import Lifecycle
from winnow_server.model import ServedModel, open_model
from winnow_server.page import page
from winnow_server.serving import make_app

INFER = "/v2/models/digits/infer"
ROWS = blobs(2, seed=3).rows
BINARY = {"Inference-Header-Content-Length": "0"}
"""All of the body is the input's bytes."""


@dataclass
class Answer:
    status: int
    headers: dict[bytes, bytes]
    body: bytes
    read: int
    """Messages of the body that were taken."""

    @property
    def document(self) -> Any:
        return orjson.loads(self.body)


@dataclass
class Client:
    """Speaks ASGI to an application."""

    app: App
    lifecycle: Lifecycle

    async def ask(
        self,
        path: str,
        *parts: bytes,
        method: str = "POST",
        headers: dict[str, str] | None = None,
        gone: bool = False,
    ) -> Answer | None:
        scope = {
            "type": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "scheme": "http",
            "method": method,
            "headers": [(k.lower().encode(), v.encode()) for k, v in (headers or {}).items()],
            "client": ("192.0.2.1", 5),
        }
        left = list(parts or [b""])
        sent: list[Any] = []
        read = 0

        async def receive() -> dict[str, Any]:
            nonlocal read
            read += 1
            if not left:
                return {"type": "http.disconnect"}
            body = left.pop(0)
            return {"type": "http.request", "body": body, "more_body": bool(left) or gone}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        if not sent:
            return None
        start, *bodies = sent
        body = b"".join(part.get("body", b"") for part in bodies)
        return Answer(start["status"], dict(start["headers"]), body, read)

    async def infer(self, *parts: bytes, **more: Any) -> Answer:
        answer = await self.ask(INFER, *parts, **more)
        assert answer is not None
        return answer

    async def get(self, path: str) -> Answer:
        answer = await self.ask(path, method="GET")
        assert answer is not None
        return answer

    async def metric(self, name: str, **labels: str) -> float:
        page = (await self.get("/metrics")).body.decode()
        return sum(
            sample.value
            for family in text_string_to_metric_families(page)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Serving:
    return on_the_claim(artifact(tmp_path_factory.mktemp("served")))


@pytest.fixture(scope="module")
def model(serving: Serving) -> ServedModel:
    return open_model(serving)


Connect = Callable[..., Client]


@pytest.fixture
def connect(serving: Serving, model: ServedModel) -> Connect:
    def made(served: ServedModel = model, **changes: Any) -> Client:
        lifecycle = Lifecycle(max_age=60)
        return Client(make_app(replace(serving, **changes), served, lifecycle), lifecycle)

    return made


async def test_an_answer_is_what_the_model_computes(connect: Connect, model: ServedModel) -> None:
    answer = await connect().infer(request_of(ROWS))

    assert answer.status == 200
    assert answer.headers[b"content-type"] == b"application/json"
    assert int(answer.headers[b"content-length"]) == len(answer.body)
    (output,) = answer.document["outputs"]
    assert output["shape"] == [2, 3]
    np.testing.assert_array_equal(
        np.array(output["data"], np.float32).reshape(2, 3), model.run(ROWS)
    )


async def test_binary_answers_say_the_length_of_their_header(
    connect: Connect, model: ServedModel
) -> None:
    answer = await connect().infer(ROWS.tobytes(), headers=BINARY)

    length = int(answer.headers[b"inference-header-content-length"])
    assert answer.headers[b"content-type"] == b"application/octet-stream"
    assert orjson.loads(answer.body[:length])["model_name"] == "digits"
    assert answer.body[length:] == model.run(ROWS).tobytes()


async def test_a_body_may_come_in_parts(connect: Connect) -> None:
    body = request_of(ROWS)

    answer = await connect().infer(body[:7], b"", body[7:])

    assert answer.status == 200


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("/v2", {"name": "winnow", "version": "0.1.0", "extensions": ["binary_tensor_data"]}),
        ("/v2/health/live", {"live": True}),
        ("/v2/health/ready", {"ready": True}),
        ("/v2/models/digits/ready", {"name": "digits", "ready": True}),
        ("/v2/models/digits/versions/3/ready", {"name": "digits", "ready": True}),
    ],
)
async def test_the_protocols_questions_are_answered(
    connect: Connect, path: str, document: Any
) -> None:
    answer = await connect().get(path)

    assert (answer.status, answer.document) == (200, document)


async def test_metadata_and_inference_are_there_by_version_too(connect: Connect) -> None:
    client = connect()

    plain = await client.get("/v2/models/digits")
    versioned = await client.get("/v2/models/digits/versions/3")
    answer = await client.ask("/v2/models/digits/versions/3/infer", request_of(ROWS))

    assert plain.document == versioned.document
    assert plain.document["versions"] == ["3"]
    assert answer is not None
    assert answer.status == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        ("GET", "/v2/models/other", 404, "model 'other' is not served here; 'digits' is"),
        ("POST", "/v2/models/other/infer", 404, "model 'other' is not served here"),
        ("GET", "/v2/models/digits/versions/1", 404, "version '1' of 'digits' is not served here"),
        ("POST", "/v2/models/digits/versions/1/infer", 404, "version '1' of 'digits'"),
        ("GET", "/v2/models/digits/infer", 405, "GET /v2/models/digits/infer is not offered"),
        ("POST", "/v2", 405, "POST /v2 is not offered: method not allowed"),
        ("GET", "/v1/models", 404, "GET /v1/models is not offered: not found"),
        ("BREW", "/\N{HOT BEVERAGE}", 404, "is not offered"),
    ],
)
async def test_another_path_is_answered_with_a_sentence(
    connect: Connect, method: str, path: str, status: int, words: str
) -> None:
    answer = await connect().ask(path, method=method)

    assert answer is not None
    assert answer.status == status
    assert words in answer.document["error"]


async def test_a_server_that_drains_is_live_but_not_ready_and_still_answers(
    connect: Connect,
) -> None:
    client = connect()
    client.lifecycle.drain_since = 0.0

    statuses = [
        (await client.get(path)).status
        for path in ("/v2/health/live", "/v2/health/ready", "/v2/models/digits/ready")
    ]

    assert statuses == [200, 503, 503]
    assert (await client.infer(request_of(ROWS))).status == 200


async def test_a_body_that_says_it_is_too_large_is_thrown_away_and_refused(
    connect: Connect,
) -> None:
    client = connect(max_request_bytes=1024)
    parts, length = [b"x" * 500] * 4, {"Content-Length": "2000"}

    answer = await client.infer(*parts, headers=length)
    asking = await client.infer(*parts, headers={**length, "Expect": "100-continue"})

    for refusal in (answer, asking):
        assert refusal.status == 413
        assert "the body has 2000 bytes, at most 1024 are taken" in refusal.document["error"]
    assert (answer.read, asking.read) == (4, 0)


async def test_a_body_that_grows_too_large_is_refused(connect: Connect) -> None:
    answer = await connect(max_request_bytes=1024).infer(*[b"x" * 500] * 9)

    assert answer.status == 413
    assert "the body has more than 1024 bytes" in answer.document["error"]
    assert answer.read == 9


async def test_a_client_that_goes_away_gets_no_answer_and_counts_for_nothing(
    connect: Connect,
) -> None:
    client = connect()

    assert await client.ask(INFER, b"{", gone=True) is None
    assert await client.metric(f"{DURATION_METRIC}_count") == 0


@pytest.mark.parametrize(
    ("headers", "status", "words"),
    [
        ({"Content-Encoding": "gzip"}, 415, "Content-Encoding 'gzip' is not taken"),
        ({"Inference-Header-Content-Length": "ten"}, 400, "it must be a number of bytes"),
        ({"Inference-Header-Content-Length": "-1"}, 400, "it must be a number of bytes"),
        ({"Inference-Header-Content-Length": "9" * 99}, 400, "it must be a number of bytes"),
        ({"Inference-Header-Content-Length": "99999"}, 400, "the body has"),
    ],
)
async def test_headers_that_do_not_fit_are_refused(
    connect: Connect, headers: dict[str, str], status: int, words: str
) -> None:
    answer = await connect().infer(request_of(ROWS), headers=headers)

    assert answer.status == status
    assert words in answer.document["error"]


async def test_every_inference_is_counted_by_its_status(connect: Connect) -> None:
    client = connect()
    for body in (request_of(ROWS), request_of(ROWS[:1]), b"{"):
        await client.infer(body)
    await client.get("/v2")

    assert await client.metric(REQUESTS_METRIC, code="200") == 2
    assert await client.metric(REQUESTS_METRIC, code="400") == 1
    assert await client.metric(f"{DURATION_METRIC}_count") == 3
    assert 0 < await client.metric(f"{DURATION_METRIC}_sum") < 60
    assert await client.metric(f"{BATCH_SIZE_METRIC}_sum") == 3
    assert await client.metric(f"{BATCH_SIZE_METRIC}_bucket", le="1.0") == 1
    assert await client.metric(QUEUE_METRIC) == 0


async def test_metrics_name_the_model_and_its_revision(connect: Connect, serving: Serving) -> None:
    found = await connect().metric(MODEL_INFO_METRIC, digest=serving.model_digest, revision="3")

    assert found == 1


async def test_outputs_that_are_no_numbers_are_no_answer_and_count_as_the_model_s_failure(
    connect: Connect, tmp_path: Path
) -> None:
    nodes = [
        helper.make_node("Mul", ["rows", "rows"], ["squares"]),
        helper.make_node("Log", ["squares"], ["outputs"]),
    ]
    content = graph(nodes, {}, outputs=COLUMNS)
    client = connect(open_model(on_the_claim(artifact(tmp_path, content))))

    answer = await client.infer(request_of(0 * ROWS))
    binary = await client.infer((0 * ROWS).tobytes(), headers=BINARY)

    for failed in (answer, binary):
        assert failed.status == 422
        assert "'outputs' for these rows are not all finite" in failed.document["error"]
    named = orjson.dumps({**orjson.loads(request_of(ROWS)), "id": "null"})
    assert (await client.infer(named)).status == 200
    assert await client.metric(REQUESTS_METRIC, code="422") == 2
    assert re.fullmatch(ERROR_CODES, "422")


async def test_slowness_on_purpose_holds_answers_back(connect: Connect) -> None:
    digest = f"sha256:{'0a' * 32}"
    named = {"model_digest": digest, "fault_digest": digest}
    quick, slow = connect(), connect(fault_delay_factor=50.0, **named)

    async def least(client: Client) -> float:
        """Seconds of the shortest of five: a busy machine holds some of them up."""
        sums = [0.0]
        for _ in range(5):
            assert (await client.infer(request_of(ROWS))).status == 200
            sums.append(await client.metric(f"{DURATION_METRIC}_sum"))
        return min(later - earlier for earlier, later in pairwise(sums))

    taken = [await least(client) for client in (quick, slow)]

    assert taken[1] > 5 * taken[0]


async def test_requests_are_logged_only_when_asked_for(
    connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    await connect().infer(request_of(ROWS))
    assert not caplog.records
    await connect(access_log=True).infer(b"{")

    (record,) = caplog.records
    assert (record.message, record.__dict__["status"]) == ("answered", 400)
    assert (record.__dict__["path"], record.__dict__["client"]) == (INFER, "192.0.2.1")


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    @override
    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)

    @override
    def handle_data(self, data: str) -> None:
        self.text += data


async def test_the_page_shows_the_model_and_runs_nothing_of_its_card(
    connect: Connect, model: ServedModel
) -> None:
    card = "# Digits </pre><script>alert(1)</script>\x00 <img src=x onerror=alert(2)>"
    client = connect(replace(model, card=card))

    answer = await client.get("/")
    found = _Page()
    found.feed(answer.body.decode())

    assert answer.headers[b"content-type"] == b"text/html; charset=utf-8"
    assert b"default-src 'none'" in answer.headers[b"content-security-policy"]
    assert b"unsafe" not in answer.headers[b"content-security-policy"]
    assert found.tags.count("script") == 1
    assert "img" not in found.tags
    assert "<script>alert(1)" in found.text
    assert model.digest in found.text
    assert "\x00" not in answer.body.decode()


async def test_the_example_on_the_page_is_a_request_that_is_answered(
    connect: Connect,
) -> None:
    client = connect()
    found = _Page()
    found.feed((await client.get("/")).body.decode())
    example = found.text[found.text.index('{"inputs"') :].split("\n")[0]

    assert (await client.infer(example.encode())).status == 200


def test_the_command_on_the_page_is_one_word_of_the_shell_whatever_the_input_is_called(
    model: ServedModel,
) -> None:
    odd = replace(model.signature, input=replace(model.signature.input, name="a'; touch /b; '"))
    found = _Page()
    found.feed(page(replace(model, signature=odd)).decode())

    command = found.text[found.text.index("curl ") :].split("\n")[0]

    assert shlex.split(command)[:3] == ["curl", "http://HOST/v2/models/digits/infer", "-d"]
    assert orjson.loads(shlex.split(command)[3])["inputs"][0]["name"] == "a'; touch /b; '"
