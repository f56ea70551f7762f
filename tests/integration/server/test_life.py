"""A server from its start to its end: refusals, draining, ageing connections, full queues."""

from __future__ import annotations

import json
import shutil
import socket
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, NoReturn

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families
from safetensors.numpy import load_file, save_file

from tests.integration.server.conftest import Digits, fetched, settings_for
from tests.support.served_artifacts import request_of
from tests.support.server_process import Server, read, run_program, serving_process
from winnow_contract.exit_codes import ExitCode
from winnow_contract.files import file_digest
from winnow_contract.manifests import write_manifest
from winnow_contract.serving import DURATION_METRIC, REQUESTS_METRIC, Serving


@pytest.fixture
def rows(digits: Digits) -> bytes:
    """A request for two rows."""
    return request_of(digits.rows[:2])


def metric(server: Server, name: str, **labels: str) -> float:
    page = server.ask("/metrics").body.decode()
    return sum(
        sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def test_a_damaged_artifact_ends_fetching_with_a_sentence(digits: Digits, tmp_path: Path) -> None:
    claims = tmp_path / "claims"
    shutil.copytree(digits.int8.folder, claims / "models/one")
    (claims / "models/one/model.onnx").write_bytes(b"damaged")
    serving = replace(
        settings_for(digits.int8, digits, tmp_path),
        model_uri="pvc://models/one",
        model_source=claims / "models",
    )

    ended = run_program(serving)

    assert ended.code == ExitCode.PERMANENT
    assert ended.reason == (
        "the artifact at pvc://models/one: model.onnx in one is not the file that the manifest "
        "names"
    )


def test_a_model_that_answers_otherwise_than_recorded_never_gets_a_port(
    digits: Digits, tmp_path: Path
) -> None:
    serving = fetched(digits.int8, digits, tmp_path)
    golden = load_file(serving.model_folder / "golden.safetensors")
    golden["outputs"] = golden["outputs"] + np.float32(5)
    save_file(golden, serving.model_folder / "golden.safetensors")
    document = json.loads((serving.model_folder / "manifest.json").read_bytes())
    digest = write_manifest(serving.model_folder, document).digest

    ended = run_program(replace(serving, model_digest=f"sha256:{digest}"), "winnow_server", "serve")

    assert ended.code == ExitCode.PERMANENT
    assert "outputs in ONNX Runtime differ from the recorded ones" in ended.reason


def test_storage_that_is_away_is_tried_again(digits: Digits, tmp_path: Path) -> None:
    away = replace(settings_for(digits.int8, digits, tmp_path), model_source=tmp_path / "nowhere")

    ended = run_program(away)

    assert ended.code == ExitCode.TEMPORARY
    assert "the claim is not mounted" in ended.reason


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"WINNOW_THREADS": "many"}, "WINNOW_THREADS is 'many', allowed are whole numbers"),
        ({"WINNOW_MODEL_DIGEST": ""}, "WINNOW_MODEL_URI and WINNOW_MODEL_DIGEST must both be set"),
    ],
)
def test_odd_settings_end_with_a_sentence(
    digits: Digits, tmp_path: Path, variables: dict[str, str], words: str
) -> None:
    ended = run_program(settings_for(digits.int8, digits, tmp_path), **variables)

    assert ended.code == ExitCode.PERMANENT
    assert words in ended.reason


def test_a_port_that_is_taken_is_named(serving: Serving) -> None:
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]

        ended = run_program(replace(serving, port=port), "winnow_server", "serve")

    assert ended.code == ExitCode.TEMPORARY
    assert f"port {port}" in ended.reason


def test_a_server_that_drains_answers_all_and_closes_each_connection(
    serving: Serving, rows: bytes
) -> None:
    with serving_process(serving) as up, up.connected() as kept, up.connected() as idle:
        assert up.ask(up.path, rows, connection=kept).status == 200
        assert up.ask(up.path, rows, connection=idle).status == 200

        up.terminate()
        up.wait_for("draining")

        last = up.ask(up.path, rows, connection=kept)
        assert (last.status, last.closes) == (200, True)
        fresh = up.ask(up.path, rows)
        assert (fresh.status, fresh.closes) == (200, True)
        assert up.ask("/v2/health/ready").status == 503
        assert up.ask("/v2/health/live").status == 200
        assert up.wait() == 0
        with pytest.raises(ConnectionError):
            up.ask("/v2/health/live")


def test_a_request_that_is_under_way_at_the_very_end_is_answered(
    serving: Serving, rows: bytes
) -> None:
    with serving_process(replace(serving, drain_seconds=0)) as up, up.connected() as slow:
        slow.putrequest("POST", up.path)
        slow.putheader("content-length", str(len(rows)))
        slow.endheaders(rows[:50])
        assert up.ask(up.path, rows).status == 200  # by now it has the half, too

        up.terminate()
        while can_connect(up):
            pass
        slow.send(rows[50:])
        last = read(slow)

        assert (last.status, last.closes) == (200, True)
        assert up.wait() == 0


def can_connect(server: Server) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", server.port)) == 0


def test_an_old_connection_ends_with_its_next_answer_and_says_so(
    serving: Serving, rows: bytes
) -> None:
    with serving_process(replace(serving, connection_max_age=1)) as up, up.connected() as kept:
        answers = [up.ask(up.path, rows, connection=kept)]
        while not answers[-1].closes:
            answers.append(up.ask(up.path, rows, connection=kept))

        assert {answer.status for answer in answers} == {200}
        assert len(answers) > 1
        again = up.ask(up.path, rows, connection=kept)  # http.client opens it anew
        assert (again.status, again.closes) == (200, False)


def test_clients_that_never_try_again_lose_nothing_over_ageing_connections_and_a_drain(
    serving: Serving, rows: bytes
) -> None:
    stop = threading.Event()

    def keep_asking(up: Server) -> Counter[int]:
        found: Counter[int] = Counter()
        with up.connected() as kept:
            while not stop.is_set():
                answer = up.ask(up.path, rows, connection=kept)
                found[answer.status] += 1
                if answer.closes and up.process.poll() is None and draining.is_set():
                    return found  # as a client that is sent to another pod
        return found

    draining = threading.Event()
    with (
        serving_process(replace(serving, connection_max_age=1, drain_seconds=3)) as up,
        ThreadPoolExecutor(8) as clients,
    ):
        asking = [clients.submit(keep_asking, up) for _ in range(8)]
        while metric(up, REQUESTS_METRIC, code="200") < 2000:
            pass
        draining.set()
        up.terminate()
        up.wait_for("draining")
        found = sum((one.result() for one in asking), Counter[int]())
        stop.set()
        assert up.wait() == 0

    assert found.keys() == {200}
    assert found[200] >= 2000


def test_more_requests_than_may_wait_are_refused_with_429_and_the_rest_answered(
    serving: Serving, rows: bytes
) -> None:
    with serving_process(replace(serving, max_queue=2)) as up, ExitStack() as opened:
        lines = [opened.enter_context(up.connected()) for _ in range(16)]
        for line in lines:
            assert up.ask(up.path, rows, connection=line).status == 200

        with up.paused():  # so that all are there when it looks again
            for line in lines:
                line.request("POST", up.path, rows)
        answers = [read(line) for line in lines]

        statuses = Counter(answer.status for answer in answers)
        assert statuses.keys() == {200, 429}
        # One ran at once and two waited; each that ended while the server still read made room for one more.
        assert 3 <= statuses[200] < 8
        refused = next(answer for answer in answers if answer.status == 429)
        assert "2 requests wait already, which is the limit" in refused.document["error"]
        assert metric(up, REQUESTS_METRIC, code="429") == statuses[429]
        assert metric(up, f"{DURATION_METRIC}_count") == 32
        assert metric(up, "winnow_server_batch_size_bucket", le="4.0") >= 17
        assert {up.ask(up.path, rows, connection=line).status for line in lines} == {200}


def test_requests_that_arrive_together_are_computed_together_and_right(
    server: Server, digits: Digits
) -> None:
    before = metric(server, "winnow_server_batch_size_count")

    def ask(number: int) -> bool:
        row = digits.rows[number : number + 1]
        (output,) = server.ask(server.path, request_of(row)).document["outputs"]
        return bool(np.allclose(output["data"], wanted[number], atol=1e-5))

    (output,) = server.ask(server.path, request_of(digits.rows[:32])).document["outputs"]
    wanted = np.array(output["data"]).reshape(32, 10)
    with ThreadPoolExecutor(16) as clients:
        assert all(clients.map(ask, list(range(32)) * 4))

    assert metric(server, "winnow_server_batch_size_count") - before <= 129


def test_a_client_that_sends_half_a_request_and_leaves_does_no_harm(
    server: Server, rows: bytes
) -> None:
    for part in (b"", b"POST", b"POST / HTTP/1.1\r\n", b"\x16\x03\x01"):
        with socket.create_connection(("127.0.0.1", server.port)) as one:
            one.sendall(part)
    with server.connected() as one:
        one.putrequest("POST", server.path)
        one.putheader("content-length", str(len(rows)))
        one.endheaders(rows[:50])

    assert server.ask(server.path, rows).status == 200


@pytest.mark.parametrize("piece", [b"x: " + b"y" * 1000 + b"\r\n", b"z" * 1000])
def test_headers_without_an_end_are_refused(server: Server, piece: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as line:
        line.sendall(b"POST / HTTP/1.1\r\n")
        try:
            for _ in range(1000):
                line.sendall(piece)
        except ConnectionError:
            pass  # it has said its sentence, and reads no more
        answer = line.recv(4096)

    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b"over 65536 bytes" in answer


def send_for_ever(line: socket.socket, piece: bytes) -> NoReturn:
    while True:
        line.sendall(piece)


def test_a_body_in_endless_chunks_is_cut_off(server: Server, rows: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as line:
        head = f"POST {server.path} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
        line.sendall(head.encode() + b"1\r\nx\r\n0\r\n")
        with pytest.raises(ConnectionError):
            send_for_ever(line, b"trailer: " + b"t" * 60_000 + b"\r\n")

    assert server.ask(server.path, rows).status == 200


def test_pipelined_requests_are_answered_in_their_order(server: Server, digits: Digits) -> None:
    bodies = [request_of(digits.rows[n : n + 1]) for n in range(4)]
    head = f"POST {server.path} HTTP/1.1\r\nhost: x\r\ncontent-length: "
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as line:
        line.sendall(b"".join(f"{head}{len(b)}\r\n\r\n".encode() + b for b in bodies))

        with line.makefile("rb") as answers:
            found = [read_answer(answers) for _ in bodies]

    wanted = [server.ask(server.path, body).document["outputs"][0]["data"] for body in bodies]
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def read_answer(file: BinaryIO) -> list[float]:
    length = 0
    while line := file.readline().strip():
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    data: list[float] = json.loads(file.read(length))["outputs"][0]["data"]
    return data


def test_the_copy_is_the_artifact(serving: Serving, digits: Digits) -> None:
    for name in ("model.onnx", "manifest.json"):
        assert file_digest(serving.model_folder / name) == file_digest(digits.int8.folder / name)
