"""The operator as a process of its own, as it runs in its pod: real code, real settings, JSON logs."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tests.support.api import eventually
from tests.support.chart import ROOT

END_SECONDS = 15.0


class Process(Protocol):
    """What is needed of a process; `subprocess.Popen` is one."""

    pid: int

    @property
    def returncode(self) -> int | None:
        """How it ended."""
        ...

    def poll(self) -> int | None:
        """How it ended, or None while it runs."""
        ...

    def send_signal(self, number: int, /) -> None:
        """Send it a signal."""
        ...

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end."""
        ...


Spawn = Callable[[Mapping[str, str], Path], Process]
"""Starts an operator with an environment; its output goes to a file."""


def spawn_python(environment: Mapping[str, str], log: Path) -> Process:
    """As in its pod: `python -m winnow_operator`."""
    with log.open("ab") as output:
        command = [sys.executable, "-m", "winnow_operator"]
        return subprocess.Popen(command, env=environment, stderr=output, stdout=output)


@dataclass(slots=True)
class OperatorProcess:
    """One replica; it may be killed and started again any number of times."""

    kubeconfig: Path
    namespace: str
    log: Path
    watch: str | None = None
    """Namespaces to watch; its own by default, empty for all."""
    identity: str = "replica-1"
    settings: dict[str, str] = field(default_factory=dict)
    spawn: Spawn = spawn_python
    process: Process | None = None

    def start(self) -> None:
        """Start the process; its log goes on where it was."""
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{ROOT / 'operator'}:{ROOT / 'trainer'}",
            "KUBECONFIG": str(self.kubeconfig),
            "WINNOW_TRAINER_IMAGE": "example.test/trainer:1",
            "WINNOW_SERVER_IMAGE": "example.test/server:1",
            "WINNOW_NAMESPACES": self.namespace if self.watch is None else self.watch,
            "WINNOW_POD_NAME": self.identity,
            "WINNOW_POD_NAMESPACE": self.namespace,
            "WINNOW_HEALTH_PORT": "0",
            "WINNOW_METRICS_PORT": "0",
            "OPENBLAS_NUM_THREADS": "1",
            **self.settings,
        }
        self.process = self.spawn(environment, self.log)

    @property
    def is_running(self) -> bool:
        """Whether the process has been started and has not ended."""
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self) -> int:
        """Id of the process that was started last."""
        assert self.process is not None
        return self.process.pid

    def kill(self) -> None:
        """SIGKILL, as a node that dies would."""
        self._signal(signal.SIGKILL)

    def terminate(self) -> int:
        """SIGTERM; gives the exit code."""
        return self._signal(signal.SIGTERM)

    def _signal(self, number: int) -> int:
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)
        return self.process.wait(END_SECONDS)

    async def wait_ended(self, *, seconds: float = 30.0) -> int:
        """The exit code, once the process has ended by itself."""

        async def check() -> bool:
            return not self.is_running

        await eventually(check, seconds=seconds, what="the end of the operator")
        assert self.process is not None
        return int(self.process.returncode or 0)

    async def leads(self, *, seconds: float = 30.0) -> None:
        """Wait until this process holds the Lease."""
        before = len(self.lines("leading"))

        async def check() -> bool:
            assert self.is_running, self.log.read_text()[-3000:]
            return len(self.lines("leading")) > before or before > 0

        await eventually(check, seconds=seconds, what="leading")

    def lines(
        self, message: str | None = None, *, level: str | None = None
    ) -> list[dict[str, Any]]:
        """Log records with this message and level."""
        text = self.log.read_text() if self.log.exists() else ""
        records = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        return [
            r for r in records if message in {None, r["message"]} and level in {None, r["level"]}
        ]

    def complaints(self) -> list[dict[str, Any]]:
        """Log records that a bug would leave: errors and tracebacks."""
        text = self.log.read_text() if self.log.exists() else ""
        stray = [line for line in text.splitlines() if line and not line.startswith("{")]
        return [*self.lines(level="ERROR"), *({"message": line} for line in stray)]


@contextlib.asynccontextmanager
async def running(operator: OperatorProcess) -> AsyncIterator[OperatorProcess]:
    """Start a replica, wait until it leads, and end it after the block."""
    operator.start()
    try:
        await operator.leads()
        yield operator
    finally:
        if operator.is_running:
            await asyncio.to_thread(operator.terminate)
