"""A real cluster with this checkout's Winnow on it, as tests on real pods drive it."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support.api import Body, eventually
from tests.support.chart import ROOT
from tests.support.namespace import Namespace, outcomes


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster with Winnow installed by its chart in the namespace `winnow`."""

    kubeconfig: Path
    kubectl: str
    operator_image: str
    trainer_image: str
    server_image: str

    def command(self, *arguments: str) -> list[str]:
        """The words of a call of kubectl."""
        return [self.kubectl, "--kubeconfig", str(self.kubeconfig), *arguments]

    def run(self, *arguments: str, stdin: str | None = None) -> str:
        """What kubectl prints; fails with its words."""
        command = self.command(*arguments)
        done = subprocess.run(command, input=stdin, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def read(self, namespace: str, kind: str, name: str) -> Body:
        """An object as it is."""
        found: Body = json.loads(self.run("-n", namespace, "get", kind, name, "-o", "json"))
        return found

    def kill_operator(self) -> None:
        """Kill both of its replicas, at once and without a warning."""
        kill = ("delete", "pod", "-l", "app.kubernetes.io/component=operator")
        self.run("-n", "winnow", *kill, "--grace-period=0", "--force")

    async def kill_operator_after(self, count: int, namespace: Namespace, search: str) -> None:
        """Kill it once so many trials of a search have an outcome."""

        async def have_ended() -> bool:
            found = outcomes(await namespace.trials(search))
            return sum(outcome != "Active" for outcome in found) >= count

        await eventually(have_ended, seconds=600, what=f"{count} trials of {search}")
        self.kill_operator()

    def script(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A script of this checkout, run against the cluster."""
        own = {"KUBECTL": self.kubectl, "KUBECONFIG": str(self.kubeconfig)}
        command = [str(ROOT / "scripts" / name), *arguments]
        environment = {**os.environ, **own}
        return subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
