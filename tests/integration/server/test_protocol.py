"""A real server over HTTP: tritonclient in every mix, curl, and what is refused."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException

from tests.integration.server.conftest import Digits, fetched
from tests.support.served_artifacts import Rows, request_of
from tests.support.server_process import Server, serving_process


@pytest.fixture
def triton(server: Server) -> Iterator[InferenceServerClient]:
    client = InferenceServerClient(server.address)
    yield client
    client.close()


def infer(
    client: InferenceServerClient,
    rows: Rows,
    *,
    binary_in: bool = True,
    binary_out: bool | None = True,
    name: str = "",
) -> Any:
    tensor = InferInput("rows", list(rows.shape), "FP32")
    tensor.set_data_from_numpy(rows, binary_data=binary_in)
    asked = (
        None if binary_out is None else [InferRequestedOutput("outputs", binary_data=binary_out)]
    )
    return client.infer("digits", [tensor], outputs=asked, request_id=name)


@pytest.mark.parametrize("binary_in", [True, False])
@pytest.mark.parametrize("binary_out", [True, False, None])
def test_tritonclient_gets_the_same_numbers_in_every_mix(
    triton: InferenceServerClient,
    digits: Digits,
    *,
    binary_in: bool,
    binary_out: bool | None,
) -> None:
    rows = digits.rows[:5]

    answer = infer(triton, rows, binary_in=binary_in, binary_out=binary_out, name="a-7")

    reference = infer(triton, rows).as_numpy("outputs")
    np.testing.assert_array_equal(answer.as_numpy("outputs"), reference)
    assert reference.shape == (5, 10)
    assert answer.get_response()["id"] == "a-7"


def test_tritonclient_finds_the_server_and_the_model(triton: InferenceServerClient) -> None:
    assert triton.is_server_live()
    assert triton.is_server_ready()
    assert triton.is_model_ready("digits")
    assert triton.is_model_ready("digits", "2")
    assert not triton.is_model_ready("letters")
    assert triton.get_server_metadata()["extensions"] == ["binary_tensor_data"]
    metadata = triton.get_model_metadata("digits")
    assert metadata["inputs"] == [{"name": "rows", "datatype": "FP32", "shape": [-1, 64]}]
    assert metadata["outputs"] == [{"name": "outputs", "datatype": "FP32", "shape": [-1, 10]}]


def test_tritonclient_reads_our_sentences(triton: InferenceServerClient) -> None:
    tensor = InferInput("rows", [1, 63], "FP32")
    tensor.set_data_from_numpy(np.zeros((1, 63), np.float32))

    with pytest.raises(InferenceServerException, match=r"it must be \[rows, 64\] with 1 to 32"):
        triton.infer("digits", [tensor])


def accuracy(client: InferenceServerClient, digits: Digits) -> float:
    found = [
        infer(client, digits.rows[start : start + 32]).as_numpy("outputs").argmax(axis=1)
        for start in range(0, len(digits.rows), 32)
    ]
    return float((np.concatenate(found) == digits.labels).mean())


def test_the_accuracy_over_http_is_the_recorded_one(
    triton: InferenceServerClient, digits: Digits
) -> None:
    recorded, _ = digits.int8.values("test")["accuracy"]

    assert accuracy(triton, digits) == pytest.approx(recorded, abs=1e-9)


def test_the_winner_of_a_search_is_served_as_it_is(digits: Digits, tmp_path: Path) -> None:
    recorded, _ = digits.winner.values("test")["accuracy"]

    with serving_process(fetched(digits.winner, digits, tmp_path)) as up:
        client = InferenceServerClient(up.address)
        assert accuracy(client, digits) == pytest.approx(recorded, abs=1e-9)
        client.close()


def curl(*words: str) -> str:
    done = subprocess.run(
        [shutil.which("curl") or "curl", "--silent", "--show-error", *words],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_curl_with_a_line_of_json_gets_right_answers(server: Server, digits: Digits) -> None:
    url = f"http://{server.address}{server.path}"

    said = json.loads(curl(url, "-d", request_of(digits.rows[:20]).decode()))

    (output,) = said["outputs"]
    assert said["model_name"] == "digits"
    assert said["model_version"] == "2"
    found = np.array(output["data"]).reshape(output["shape"]).argmax(axis=1)
    assert (found == digits.labels[:20]).mean() > 0.7


def test_curl_gets_the_same_from_the_bytes_of_rows(
    server: Server, triton: InferenceServerClient, digits: Digits, tmp_path: Path
) -> None:
    (tmp_path / "rows").write_bytes(digits.rows[:3].tobytes())
    url = f"http://{server.address}{server.path}"
    curl(
        url, "--data-binary", f"@{tmp_path / 'rows'}", "--output", str(tmp_path / "answer"),
        "-H", "Inference-Header-Content-Length: 0", "-H", "Content-Type: application/octet-stream",
    )  # fmt: skip

    outputs = np.frombuffer((tmp_path / "answer").read_bytes()[-120:], np.float32)

    wanted = infer(triton, digits.rows[:3]).as_numpy("outputs")
    np.testing.assert_array_equal(outputs.reshape(3, 10), wanted)


def test_curl_that_asks_before_it_sends_is_told_no(server: Server, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * (2 << 20))  # curl asks first from a megabyte on
    url = f"http://{server.address}{server.path}"

    said = curl(url, "--data-binary", f"@{tmp_path / 'large'}", "-w", "%{http_code}")

    assert said.endswith("413")
    assert server.ask(server.path, b"x" * 70_000, Expect="100-continue").closes
    assert "at most 65536 are taken" in said


def test_a_client_that_just_sends_too_much_reads_the_sentence_too(server: Server) -> None:
    answer = server.ask(server.path, b"x" * (3 << 20))

    assert answer.status == 413
    assert "the body has 3145728 bytes" in answer.document["error"]


def test_a_connection_is_kept_over_good_and_bad_requests(server: Server, digits: Digits) -> None:
    with server.connected() as kept:
        for body, status in ((request_of(digits.rows[:2]), 200), (b"{", 400), (b"", 400)) * 3:
            answer = server.ask(server.path, body, connection=kept)
            assert answer.status == status
            assert not answer.closes


def test_metrics_are_what_prometheus_reads(server: Server) -> None:
    answer = server.ask("/metrics")

    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert b"process_resident_memory_bytes" in answer.body
    promtool = shutil.which("promtool")
    if promtool:
        subprocess.run([promtool, "check", "metrics"], input=answer.body, check=True)
