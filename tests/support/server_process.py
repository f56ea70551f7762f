"""The inference server as a process, as its pod runs it, and people who talk to it."""

from __future__ import annotations

import http.client
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.support.chart import ROOT
from winnow_contract.serving import FETCH_ARGUMENTS, SERVE_ARGUMENTS, Serving, variables

SECONDS = 120
"""Far beyond what any step needs, on a machine that is busy with a whole cluster."""


def _environment(serving: Serving, changes: dict[str, str]) -> dict[str, str]:
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    written = {"WINNOW_PORT": str(serving.port), **variables(serving)}
    return {**inherited, "PYTHONPATH": str(ROOT / "trainer"), **written, **changes}


@dataclass(frozen=True)
class Answer:
    """What a server answered."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def document(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def closes(self) -> bool:
        """Whether it says that the connection ends."""
        return self.headers.get("connection", "").lower() == "close"


@dataclass(frozen=True)
class Ended:
    """A program that has ended by itself."""

    code: int
    log: str
    reason: str
    """What it left in the termination log."""


def run_program(serving: Serving, *arguments: str, **changes: str) -> Ended:
    """Run one of the image's programs to its end; `fetch` unless it is said."""
    words = arguments or FETCH_ARGUMENTS
    done = subprocess.run(
        [sys.executable, "-m", *words],
        env=_environment(serving, changes),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    path = serving.termination_log
    reason = path.read_text() if path.exists() else ""
    return Ended(done.returncode, done.stdout + done.stderr, reason)


def read(connection: http.client.HTTPConnection) -> Answer:
    """The answer to what was asked over a connection."""
    response = connection.getresponse()
    return Answer(response.status, response.headers, response.read())


class Server:
    """A server that is up.

    Args:
        process: whose log comes through standard error.
        name: of its model.
    """

    def __init__(self, process: subprocess.Popen[str], name: str) -> None:
        self.process = process
        self.name = name
        self.log: list[dict[str, Any]] = []
        self._lines: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.port = int(self.wait_for("serving")["port"])

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    @property
    def path(self) -> str:
        """Of inference."""
        return f"/v2/models/{self.name}/infer"

    @property
    def memory_bytes(self) -> int:
        """What it holds in memory."""
        with open(f"/proc/{self.process.pid}/statm") as file:  # noqa: PTH123 -- no file of ours
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            try:
                self._lines.put(json.loads(line))
            except ValueError:
                self._lines.put({"message": line})
        self._lines.put(None)

    def wait_for(self, message: str) -> dict[str, Any]:
        """The next log line with this message; fails when the server ends without it."""
        while (line := self._lines.get(timeout=SECONDS)) is not None:
            self.log.append(line)
            if line["message"] == message:
                return line
        raise AssertionError(f"the server ended without {message!r}: {self.log}")

    @contextmanager
    def connected(self) -> Iterator[http.client.HTTPConnection]:
        """A connection that is kept until the server closes it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        try:
            yield connection
        finally:
            connection.close()

    def ask(
        self,
        path: str,
        body: bytes | None = None,
        *,
        connection: http.client.HTTPConnection | None = None,
        **headers: str,
    ) -> Answer:
        """Ask once, over a connection of its own if none is given."""
        if connection is None:
            with self.connected() as own:
                return self.ask(path, body, connection=own, **headers)
        written = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("GET" if body is None else "POST", path, body, written)
        return read(connection)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let it do nothing for a while; what is sent meanwhile is there when it goes on."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def terminate(self) -> None:
        """Send SIGTERM, as the kubelet does."""
        self.process.send_signal(signal.SIGTERM)

    def wait(self) -> int:
        """The exit code."""
        return self.process.wait(SECONDS)


@contextmanager
def serving_process(serving: Serving, **changes: str) -> Iterator[Server]:
    """A server of an artifact that has been fetched; it is ended with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", *SERVE_ARGUMENTS],
        env=_environment(serving, changes),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield Server(process, serving.model_name)
    finally:
        process.kill()
        process.wait(SECONDS)
        if process.stderr is not None:
            process.stderr.close()
