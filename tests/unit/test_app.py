"""The process as a whole where no cluster is needed: exit codes, sentences, what is watched."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kopf._cogs.structs.references import Resource as KopfResource

from tests.unit.test_health import free_port
from winnow_operator.__main__ import main
from winnow_operator.handlers.watching import WATCHES, watch_settings


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Settings that would start, with a kubeconfig of a server that is away."""
    kubeconfig = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:9"}}],
        "users": [{"name": "u", "user": {}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(kubeconfig))
    monkeypatch.setenv("KUBECONFIG", str(path))
    monkeypatch.setenv("WINNOW_TRAINER_IMAGE", "example.test/trainer:1")
    monkeypatch.setenv("WINNOW_SERVER_IMAGE", "example.test/server:1")
    monkeypatch.setenv("WINNOW_HEALTH_PORT", "0")
    monkeypatch.setenv("WINNOW_METRICS_PORT", "0")
    return monkeypatch


@pytest.fixture(autouse=True)
def _process() -> Iterator[None]:
    """The process owns the root logger and SIGTERM; here they belong to pytest."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    on_sigterm = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, on_sigterm)
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in ("kopf", "aiohttp", "asyncio", "kubernetes"):
        logging.getLogger(name).setLevel(logging.NOTSET)


def only_line(text: str) -> dict[str, Any]:
    (line,) = text.splitlines()
    parsed: dict[str, Any] = json.loads(line)
    return parsed


def run_process() -> tuple[int, dict[str, Any]]:
    """Exit code and only line of the operator as a process of its own."""
    command = [sys.executable, "-m", "winnow_operator"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, only_line(done.stderr)


def test_wrong_settings_are_one_line_and_exit_code_2(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv("WINNOW_WORKERS", "many")

    assert main() == 2

    line = only_line(capsys.readouterr().err)
    assert (line["level"], line["message"]) == ("ERROR", "settings are wrong")
    assert line["error"].startswith("WINNOW_WORKERS is 'many', allowed is a whole number")


def test_a_port_that_is_taken_is_one_line_and_exit_code_1(environment: pytest.MonkeyPatch) -> None:
    port = str(free_port())
    environment.setenv("WINNOW_HEALTH_PORT", port)
    environment.setenv("WINNOW_METRICS_PORT", port)

    code, line = run_process()

    assert (code, line["message"]) == (1, "cannot start")
    assert f"WINNOW_METRICS_PORT is {port}" in line["error"]


def test_sigterm_ends_a_process_that_still_imports_its_libraries(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    slow = "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\nsignal.pause()\n"
    (tmp_path / "kopf.py").write_text(slow)
    paths = [str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment.setenv("PYTHONPATH", os.pathsep.join(paths))

    command = [sys.executable, "-m", "winnow_operator"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("watch", WATCHES, ids=lambda watch: watch.resource.plural)
def test_the_api_server_narrows_each_watch_by_the_selectors_that_are_meant(watch: Any) -> None:
    settings = watch_settings()
    resource = KopfResource(
        group=watch.resource.group,
        version=watch.resource.version,
        plural=watch.resource.plural,
        namespaced=True,
    )

    assert ",".join(settings.watching.label_selectors.collect(resource)) == watch.labels
    assert ",".join(settings.watching.field_selectors.collect(resource)) == watch.fields


def test_kopf_writes_nothing_and_scans_nothing() -> None:
    settings = watch_settings()

    assert not settings.posting.enabled
    assert settings.scanning.disabled
    assert settings.peering.standalone
    assert settings.watching.chunk_size == 500
