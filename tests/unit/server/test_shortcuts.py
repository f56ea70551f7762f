"""Requests that go without a task: the same answers as by ASGI, in order, and nothing left behind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
import uvicorn
from typing_extensions import override
from uvicorn.server import ServerState

from tests.support.onnx_graphs import blobs
from tests.support.served_artifacts import artifact, on_the_claim, request_of
from winnow_contract.serving import Serving
from winnow_server.connections import (
    AgeingProtocol,
    Lifecycle,
    WholeRequest,
    close_stalled,
    end_with_answers,
    protocol_class,
)
from winnow_server.known_heads import MOST_BYTES, MOST_HEADS
from winnow_server.model import ServedModel, open_model
from winnow_server.serving import make_app

ROWS = blobs(2, seed=3).rows
INFER = "/v2/models/digits/infer"
DATE = "Thu, 26 Nov 2026 10:00:00 GMT"


class Transport(asyncio.Transport):
    """Keeps what a client would get."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.closed = self.aborted = False

    @override
    def write(self, data: Any) -> None:
        assert not self.closed
        self.written += data

    @override
    def close(self) -> None:
        self.closed = True

    @override
    def abort(self) -> None:
        self.closed = self.aborted = True

    @override
    def is_closing(self) -> bool:
        return self.closed

    @override
    def pause_reading(self) -> None: ...

    @override
    def resume_reading(self) -> None: ...


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Line:
    """A connection without a network."""

    protocol: AgeingProtocol
    transport: Transport
    state: ServerState

    def is_settled(self) -> bool:
        """Whether all that has arrived whole is answered."""
        cycle, is_arriving = self.protocol.cycle, self.protocol.waits_since is not None
        is_answered = is_arriving or cycle is None or cycle.response_complete
        return self.transport.closed or (is_answered and not self.state.tasks)

    async def answers(self, count: int) -> list[Answer]:
        """Wait until so many are there."""
        await until(lambda: self.transport.written.count(b"HTTP/1.1 ") >= count)
        found = parsed(bytes(self.transport.written))
        assert len(found) == count
        return found


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 -- the loop's turns are what is waited for
            await asyncio.sleep(0)


def parsed(written: bytes) -> list[Answer]:
    found = []
    while written:
        head, _, rest = written.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        length = int(headers["content-length"])
        found.append(Answer(int(first.split()[1]), headers, rest[:length]))
        written = rest[length:]
    return found


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Serving:
    return on_the_claim(artifact(tmp_path_factory.mktemp("served")))


@pytest.fixture(scope="module")
def model(serving: Serving) -> ServedModel:
    return open_model(serving)


Connect = Callable[..., Line]


@pytest.fixture
def connect(serving: Serving, model: ServedModel) -> Connect:
    def made(lifecycle: Lifecycle | None = None, **changes: Any) -> Line:
        life = lifecycle or Lifecycle(max_age=60)
        app = make_app(replace(serving, **changes), model, life)
        config = uvicorn.Config(app, ws="none", lifespan="off", log_config=None, access_log=False)
        config.load()
        state, transport = ServerState(), Transport()
        state.default_headers = [(b"date", DATE.encode())]
        protocol = protocol_class(life, app.shortcut)(
            config=config, server_state=state, app_state={}
        )
        protocol.connection_made(transport)
        return Line(protocol, transport, state)

    return made


def whole(body: bytes, *headers: str, path: str = INFER, version: str = "1.1") -> bytes:
    lines = [f"POST {path} HTTP/{version}", "host: x", f"content-length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def chunked(body: bytes, *headers: str, path: str = INFER) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "host: x", "transfer-encoding: chunked", *headers]
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    return "\r\n".join([*lines, "", ""]).encode() + chunks


DIGEST = f"sha256:{'0a' * 32}"
SLOW = {"model_digest": DIGEST, "fault_digest": DIGEST, "fault_delay_factor": 1.5}
BINARY = "inference-header-content-length: 0"


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (request_of(ROWS), [], 200),
        (ROWS.tobytes(), [BINARY], 200),
        (request_of(ROWS), ["connection: close"], 200),
        (request_of(ROWS, shape=[1, 1]), [], 400),
        (request_of(blobs(9).rows), [], 413),
        (b"{", [], 400),
        (request_of(ROWS), ["content-encoding: gzip"], 415),
        (request_of(ROWS), ["inference-header-content-length: x"], 400),
    ],
)
async def test_an_answer_is_the_same_with_and_without_a_task(
    connect: Connect, body: bytes, headers: list[str], status: int
) -> None:
    found = []
    for written in (whole, chunked):
        line = connect()
        line.protocol.data_received(written(body, *headers))
        found += await line.answers(1)
        assert line.transport.closed == ("connection: close" in headers)

    assert found[0] == found[1]
    assert found[0].status == status
    assert found[0].headers["date"] == DATE


async def test_a_request_goes_without_a_task_where_that_is_possible(connect: Connect) -> None:
    line = connect()

    line.protocol.data_received(whole(request_of(ROWS)))

    assert not line.state.tasks
    (answer,) = await line.answers(1)
    assert answer.status == 200


@pytest.mark.parametrize(
    ("content", "changes"),
    [
        (chunked(request_of(ROWS)), {}),
        (whole(request_of(ROWS), "expect: 100-continue"), {}),
        (whole(request_of(ROWS), path="/v2/models/other/infer"), {}),
        (whole(b" " * 70_000), {}),
        (whole(request_of(ROWS)), {"max_request_bytes": 50}),
        (whole(request_of(ROWS)), SLOW),
    ],
)
async def test_all_others_go_by_asgi(
    connect: Connect, content: bytes, changes: dict[str, Any]
) -> None:
    line = connect(**changes)

    line.protocol.data_received(content)

    assert len(line.state.tasks) == 1
    await until(lambda: not line.state.tasks)
    assert line.transport.written


async def test_a_request_that_comes_in_pieces_is_answered_when_it_is_whole(
    connect: Connect,
) -> None:
    line, content = connect(), whole(request_of(ROWS))

    for at in range(len(content)):
        assert not line.transport.written
        line.protocol.data_received(content[at : at + 1])

    (answer,) = await line.answers(1)
    assert answer.status == 200


async def test_pipelined_requests_of_all_kinds_are_answered_in_their_order(
    connect: Connect,
) -> None:
    line = connect()
    good, bad = whole(request_of(ROWS)), whole(b"{")
    ask = b"GET /v2/health/live HTTP/1.1\r\nhost: x\r\n\r\n"

    line.protocol.data_received(good + bad + ask + chunked(request_of(ROWS)) + good + ask + bad)

    statuses = [answer.status for answer in await line.answers(7)]
    assert statuses == [200, 400, 200, 200, 200, 200, 400]


async def test_hundreds_of_pipelined_requests_are_no_deep_recursion(connect: Connect) -> None:
    line = connect()

    line.protocol.data_received(whole(request_of(ROWS)) + 400 * whole(b"{"))

    answers = await line.answers(401)
    assert {answer.status for answer in answers[1:]} == {400}


async def test_a_connection_of_a_server_that_drains_ends_with_the_answer(connect: Connect) -> None:
    life = Lifecycle(max_age=60)
    line = connect(life)
    life.drain_since = 0.0

    line.protocol.data_received(whole(request_of(ROWS)))

    (answer,) = await line.answers(1)
    assert (answer.status, answer.headers["connection"]) == (200, "close")
    assert line.transport.closed


async def test_a_client_that_has_gone_is_not_computed_for(connect: Connect) -> None:
    line = connect()
    line.protocol.data_received(whole(request_of(ROWS)))

    line.transport.close()
    line.protocol.connection_lost(None)
    for _ in range(5):
        await asyncio.sleep(0)

    assert not line.transport.written


async def test_a_client_does_not_wait_for_an_answer_that_cannot_be_written(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(WholeRequest, "answer", fails)
    line = connect()

    line.protocol.data_received(whole(request_of(ROWS)))

    await until(lambda: line.transport.aborted)


async def test_a_connection_without_requests_is_closed_after_a_while(connect: Connect) -> None:
    life = Lifecycle(max_age=60, idle_seconds=30.0)
    line = connect(life)
    line.protocol.data_received(whole(request_of(ROWS)))
    close_stalled([line.protocol], life)
    await line.answers(1)
    close_stalled([line.protocol], life)
    assert not line.transport.closed

    life.idle_seconds = 0.0
    line.protocol.data_received(b"POST")
    close_stalled([line.protocol], life)
    assert not line.transport.closed  # the next request has begun
    line.protocol.data_received(whole(request_of(ROWS))[4:])
    await line.answers(2)
    close_stalled([line.protocol], life)

    assert line.transport.closed


async def test_a_head_that_was_read_once_needs_no_parser_on_any_connection(
    connect: Connect,
) -> None:
    life = Lifecycle(max_age=60)
    first, second = connect(life), connect(life)
    content = whole(request_of(ROWS))
    first.protocol.data_received(content)
    second.protocol.parser = None  # type: ignore[assignment] # what needs it fails

    for count in (1, 2):
        second.protocol.data_received(content)
        await second.answers(count)

    (expected,) = await first.answers(1)
    assert await second.answers(2) == [expected, expected]
    assert second.state.total_requests == 2


@pytest.mark.parametrize(
    "content",
    [
        whole(request_of(ROWS))[:-1],
        2 * whole(request_of(ROWS)),
        whole(b"{"),
        whole(request_of(ROWS), f"x-long: {'x' * MOST_BYTES}"),
        whole(request_of(ROWS), "connection: close"),
        whole(request_of(ROWS), version="1.0"),
        whole(request_of(ROWS), path="/v2/models/other/infer"),
        b"\r\n" + whole(request_of(ROWS)),
        whole(request_of(ROWS)).replace(b"\r\n", b"\n"),
        chunked(request_of(ROWS)),
    ],
)
async def test_known_heads_change_no_answer(connect: Connect, content: bytes) -> None:
    knowing, fresh = connect(), connect()
    ask = b"GET /v2/health/live HTTP/1.1\r\nhost: x\r\n\r\n"
    rest = b"\r\n\r\n" + whole(request_of(ROWS))
    for _ in range(2):
        knowing.protocol.data_received(whole(request_of(ROWS)))
    await knowing.answers(2)
    knowing.transport.written.clear()

    for line in (knowing, fresh):
        for data in (content, ask, rest):
            if not line.transport.closed:
                line.protocol.data_received(data)
                await until(line.is_settled)

    assert knowing.transport.written == fresh.transport.written
    assert knowing.transport.closed == fresh.transport.closed


OFFER = (
    "connection: Upgrade, HTTP2-Settings",
    "upgrade: h2c",
    "http2-settings: AAMAAABkAAQCAAAAAAIAAAAA",
)  # as curl --http2 and Java's client send it


@pytest.mark.parametrize(
    "content", [whole(request_of(ROWS)), chunked(request_of(ROWS)), whole(b" " * 70_000)]
)
@pytest.mark.parametrize("segments", [1, 2, 3])
async def test_the_offer_of_another_protocol_changes_no_answer(
    connect: Connect, content: bytes, segments: int
) -> None:
    plain, offering = connect(), connect()
    head, _, body = content.partition(b"\r\n\r\n")
    offer = b"\r\n".join([head, *map(str.encode, OFFER), b"", b""])
    parts = {
        1: [offer + body],
        2: [offer, body],
        3: [offer[:90], offer[90:] + body[:30], body[30:]],
    }[segments]

    for count in (1, 2):
        plain.protocol.data_received(content)
        await until(plain.is_settled)
        for part in parts:
            offering.protocol.data_received(part)
        await offering.answers(count)

    assert offering.transport.written == plain.transport.written


async def test_a_body_after_an_offer_is_never_read_as_a_request(connect: Connect) -> None:
    line, inner = connect(), whole(request_of(ROWS))
    head, _, body = whole(inner, *OFFER).partition(b"\r\n\r\n")

    for part in (head + b"\r\n\r\n", body):
        line.protocol.data_received(part)

    (answer,) = await line.answers(1)
    assert answer.status == 400


async def test_many_pipelined_offers_are_answered_as_one_is(connect: Connect) -> None:
    line, ask = connect(), "GET /v2/health/live HTTP/1.1"
    closing = ["connection: close, upgrade", "upgrade: websocket"]

    line.protocol.data_received("\r\n".join([ask, *OFFER, "", ""]).encode() * 60)
    line.protocol.data_received("\r\n".join([ask, *closing, "", ""]).encode())

    answers = await line.answers(61)
    assert {answer.status for answer in answers} == {200}
    assert line.transport.closed


async def test_a_tunnel_is_refused(connect: Connect) -> None:
    line, inner = connect(), whole(request_of(ROWS))

    line.protocol.data_received(b"CONNECT x:80 HTTP/1.1\r\nhost: x\r\n\r\n" + inner)

    (answer,) = await line.answers(1)
    assert (answer.status, line.transport.closed) == (400, True)


async def test_heads_that_are_new_each_time_do_not_fill_the_memory(connect: Connect) -> None:
    life = Lifecycle(max_age=60)
    line = connect(life)

    for number in range(MOST_HEADS + 3):
        line.protocol.data_received(whole(b"{", f"x-request-id: {number}"))

    assert len(await line.answers(MOST_HEADS + 3)) == MOST_HEADS + 3
    assert len(life.known_heads) == 3


@pytest.mark.parametrize("content", [whole(b"{"), chunked(request_of(ROWS))])
async def test_a_request_that_waits_when_draining_begins_ends_its_connection(
    connect: Connect, content: bytes
) -> None:
    life = Lifecycle(max_age=60)
    line = connect(life)
    line.protocol.data_received(whole(request_of(ROWS)) + content)  # the second has to wait

    life.drain_since = 0.0
    end_with_answers([line.protocol])

    answers = await line.answers(2)
    assert [answer.headers.get("connection") for answer in answers][-1] == "close"
    assert line.transport.closed


@pytest.mark.parametrize(
    "content",
    [
        b"GET /v2/health/live HTTP/1.1\r\nhost: x\r\n\r\n",
        chunked(request_of(ROWS)),
        whole(request_of(ROWS)),
        whole(b"not read", path="/v2/health/live"),
    ],
)
async def test_an_empty_line_after_an_answer_does_not_keep_a_connection_for_ever(
    connect: Connect, content: bytes
) -> None:
    life = Lifecycle(max_age=60, idle_seconds=0.0)
    line = connect(life)
    line.protocol.data_received(content[:-4])
    for _ in range(5):
        await asyncio.sleep(0)
    line.protocol.data_received(content[-4:])
    await line.answers(1)
    await until(lambda: not line.state.tasks)

    line.protocol.data_received(b"\r\n")
    close_stalled([line.protocol], life)

    assert line.transport.closed


@pytest.mark.parametrize("write", [whole, chunked])
async def test_a_client_that_never_reads_its_last_answer_is_not_waited_for_for_ever(
    connect: Connect, write: Callable[..., bytes]
) -> None:
    life = Lifecycle(max_age=60)
    line = connect(life)
    line.protocol.data_received(write(request_of(ROWS), "connection: close"))
    await line.answers(1)
    await until(lambda: not line.state.tasks)
    close_stalled([line.protocol], life)
    assert not line.transport.aborted  # it is read, by and by

    life.idle_seconds = 0.0
    close_stalled([line.protocol], life)

    assert line.transport.aborted
