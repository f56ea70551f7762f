"""The trainer and other trial programs as processes, as a pod runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.chart import ROOT
from tests.support.trainings import JobDocument, pod_variables
from winnow_contract.results import PodResult, decode_result

TRAINER = (sys.executable, "-m", "winnow_trainer")
SECONDS = 600
"""Far beyond what any of them needs, on a machine that is busy with a whole cluster."""


@dataclass(frozen=True)
class Ended:
    """A pod's process that has ended."""

    code: int
    log: str
    result: PodResult

    @property
    def lines(self) -> list[str]:
        """Lines of its log."""
        return self.log.splitlines()


class TrialPod:
    """A pod's files in a folder, and the processes that run on them."""

    def __init__(
        self, folder: Path, document: JobDocument, program: Sequence[str] = TRAINER
    ) -> None:
        self.folder = folder
        self.artifacts = folder / "artifacts"
        self.claims = folder / "claims"
        self._program = tuple(program)
        self.document = document
        pod_variables(folder, document)

    def start(
        self, attempt: str = "aaaaaaaa", wrapper: Sequence[str] = (), **variables: str
    ) -> subprocess.Popen[str]:
        """Start it; its log comes through standard output."""
        return subprocess.Popen(
            [*wrapper, *self._program],
            env=self._environment(attempt, variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(
        self, attempt: str = "aaaaaaaa", wrapper: Sequence[str] = (), **variables: str
    ) -> Ended:
        """Run it to its end."""
        return self.wait(self.start(attempt, wrapper, **variables))

    def wait(self, process: subprocess.Popen[str]) -> Ended:
        """Wait until a process has ended, and read its result."""
        try:
            log, _ = process.communicate(timeout=SECONDS)
        finally:
            process.kill()
        return Ended(process.returncode, log, self.result())

    def result(self) -> PodResult:
        """The termination message so far."""
        path = self.folder / "termination-log"
        return decode_result(path.read_text()) if path.exists() else PodResult("")

    def _environment(self, attempt: str, variables: dict[str, str]) -> dict[str, str]:
        pod = pod_variables(self.folder, self.document, attempt)
        paths = os.pathsep.join((str(ROOT / "trainer"), str(ROOT)))
        inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return {**inherited, **pod, "PYTHONPATH": paths, **variables}
