"""Two servers asked for the same recorded rows, as a probe of a canary does it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.integration.server.conftest import Digits, fetched
from tests.support.served_artifacts import artifact, on_the_claim
from tests.support.server_process import Ended, Server, run_program, serving_process
from winnow_contract.comparing import (
    COMPARE_ARGUMENTS,
    Comparison,
    decode_compared,
    variables,
)
from winnow_contract.exit_codes import ExitCode
from winnow_contract.serving import Serving, model_path


@pytest.fixture(scope="module")
def winner(digits: Digits, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The model before it was quantized, in a server of its own."""
    serving = fetched(digits.winner, digits, tmp_path_factory.mktemp("winner"))
    with serving_process(replace(serving, model_revision=1)) as up:
        yield up


def url(server: Server, revision: int) -> str:
    return f"http://{server.address}{model_path('digits', revision)}"


def compared(serving: Serving, stable: str, canary: str) -> Ended:
    asked = Comparison(stable, canary)
    return run_program(serving, *COMPARE_ARGUMENTS, **variables(asked))


def test_a_quantized_model_answers_nearly_all_rows_as_its_source(
    serving: Serving, server: Server, winner: Server
) -> None:
    ended = compared(serving, url(winner, 1), url(server, 2))

    assert ended.code == ExitCode.OK, ended.log
    found = decode_compared(ended.reason)
    assert found.rows == 256
    assert found.equal >= 0.95 * found.rows
    assert found.problem == ""


def test_models_with_other_inputs_are_not_compared_and_that_is_said(
    tmp_path: Path, serving: Serving, server: Server
) -> None:
    other = replace(on_the_claim(artifact(tmp_path)), model_revision=1)
    with serving_process(other) as blobs:
        ended = compared(serving, url(blobs, 1), url(server, 2))

    assert ended.code == ExitCode.OK, ended.log
    found = decode_compared(ended.reason)
    assert found.rows == 0
    assert "it has rows FP32 [-1, 64]" in found.problem
    assert "the one that serves has rows FP32 [-1, 36]" in found.problem


def test_a_canary_that_refuses_rows_has_not_answered_them(
    tmp_path: Path, serving: Serving, winner: Server
) -> None:
    small = replace(serving, max_batch=8, termination_log=tmp_path / "log")
    with serving_process(small) as picky:
        ended = compared(
            replace(serving, termination_log=tmp_path / "said"), url(winner, 1), url(picky, 2)
        )

    found = decode_compared(ended.reason)
    assert (found.rows, found.equal) == (256, 0)
    assert "256 rows got no answer: 4" in found.problem


@pytest.mark.parametrize("away", ["stable", "canary"])
def test_a_pod_that_does_not_answer_is_asked_again_later(
    away: str, tmp_path: Path, serving: Serving, server: Server, winner: Server
) -> None:
    nobody = f"http://127.0.0.1:9{model_path('digits', 1)}"
    urls = {"stable": url(winner, 1), "canary": url(server, 2), away: nobody}
    own = replace(serving, termination_log=tmp_path / "log")

    ended = compared(own, urls["stable"], urls["canary"])

    assert ended.code == ExitCode.TEMPORARY
    assert "at 127.0.0.1:9 does not answer" in ended.reason


def test_another_revision_at_the_address_is_no_answer(
    tmp_path: Path, serving: Serving, server: Server, winner: Server
) -> None:
    own = replace(serving, termination_log=tmp_path / "log")

    ended = compared(own, url(winner, 7), url(server, 2))

    assert ended.code == ExitCode.TEMPORARY
    assert "version '7' of 'digits' is not served here" in ended.reason
