"""Starts operator processes in an instant: each is forked off a process that has imported the code.

Python needs one and a half seconds of a core to import the operator, which is most of what many
tests cost, and a crash where hundreds are tried. A forked operator is a process of its own and starts with
nothing but the code: no connection, no event loop, no state.

    with Nursery() as nursery:
        operator = OperatorProcess(kubeconfig, namespace, log, spawn=nursery.spawn)

Run as a program this module is the process that is forked off; it reads requests, a JSON line
each, and answers with process ids.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, Self

ROOT = Path(__file__).resolve().parents[2]
LOOK_SECONDS = 0.01


@dataclass(slots=True)
class ForkedProcess:
    """A process that is no child of this one; as much of `subprocess.Popen` as tests need."""

    pid: int
    _handle: int = -1
    returncode: int | None = None
    """None while it runs; only its parent knows the code, so -1 once it has ended."""

    def __post_init__(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._handle = os.pidfd_open(self.pid)

    def poll(self) -> int | None:
        """The return code once the process has ended."""
        if self.returncode is None and (self._handle < 0 or self._has_ended()):
            self.returncode = -1
            if self._handle >= 0:
                os.close(self._handle)
        return self.returncode

    def _has_ended(self) -> bool:
        return bool(select.select([self._handle], [], [], 0)[0])

    def send_signal(self, number: int) -> None:
        """Send a signal, unless the process has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while self.poll() is None:
            if deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
            time.sleep(LOOK_SECONDS)
        return self.returncode or 0


class Nursery:
    """A context manager; what it started ends with it."""

    def __enter__(self) -> Self:
        paths = (ROOT / "operator", ROOT / "trainer")
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": ":".join(map(str, paths)),
                "OPENBLAS_NUM_THREADS": "1",  # a process with threads must not be forked
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        with self._process:
            assert self._process.stdin is not None
            self._process.stdin.close()

    def spawn(self, environment: Mapping[str, str], log: Path) -> ForkedProcess:
        """Start an operator."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = json.dumps({"environment": dict(environment), "log": str(log)})
        self._process.stdin.write(request + "\n")
        self._process.stdin.flush()
        return ForkedProcess(int(self._process.stdout.readline()))


def serve() -> None:
    """Fork an operator for each request, until there are no more; then end all that run."""
    from winnow_operator import __main__, app  # noqa: F401 -- imported before the first fork
    from winnow_operator.engines import cmaes, nsgaii, qmc, tpe  # noqa: F401 -- searches would import them

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how they ended
    running: list[int] = []
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _become_operator(json.loads(line))
        running = [*_still_running(running), os.pidfd_open(pid)]
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
    for handle in running:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, signal.SIGKILL)


def _still_running(handles: list[int]) -> list[int]:
    ended = select.select(handles, [], [], 0)[0]
    for handle in ended:
        os.close(handle)
    return [handle for handle in handles if handle not in ended]


def _become_operator(request: Mapping[str, Any]) -> NoReturn:
    from winnow_operator.__main__ import main

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDONLY)
    log = os.open(request["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    for target, source in ((0, nothing), (1, log), (2, log)):
        os.dup2(source, target)
    os.environ.clear()
    os.environ.update(request["environment"])
    code = 1
    try:
        code = main()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve()
