"""What tests of the devcluster share: a cache of their own, and waiting for another process."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

WAIT_SECONDS = 20.0


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache folder that the test's profiles lie in."""
    monkeypatch.setenv("WINNOW_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "devcluster"


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], None]:
    """Wait for another process to make a condition true."""

    def wait(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while not condition():
            assert time.monotonic() < deadline, "the condition did not come true"
            time.sleep(0.01)

    return wait
