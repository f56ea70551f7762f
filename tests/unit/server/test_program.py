"""The programs as processes: what ends them before they serve."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from winnow_contract.exit_codes import ExitCode
from winnow_server.__main__ import stop_on_sigterm


@pytest.fixture
def handlers() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("handlers")
def test_sigterm_ends_a_program_that_does_not_serve_yet() -> None:
    stop_on_sigterm()

    with pytest.raises(SystemExit) as ended:
        os.kill(os.getpid(), signal.SIGTERM)

    assert ended.value.code == ExitCode.STOPPED
