"""What tests on real pods share: a cluster with this checkout's Winnow on it, and a namespace."""

from __future__ import annotations

import json
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.api import Api, open_api
from tests.support.chart import ROOT
from tests.support.namespace import Namespace, new_namespace

PROFILE = "test"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster with Winnow installed by its chart in the namespace `winnow`."""

    kubeconfig: Path
    kubectl: str
    operator_image: str
    trainer_image: str
    server_image: str

    def run(self, *arguments: str, stdin: str | None = None) -> str:
        """What kubectl prints; fails with its words."""
        command = [self.kubectl, "--kubeconfig", str(self.kubeconfig), *arguments]
        done = subprocess.run(command, input=stdin, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """The tests' own cluster; it stays up, so that the next run finds it."""
    deploy = [str(ROOT / "scripts/deploy"), "--profile", PROFILE]
    done = subprocess.run(deploy, check=True, stdout=subprocess.PIPE, text=True)
    made = json.loads(done.stdout.splitlines()[-1])
    images = made["images"]
    return Cluster(
        Path(made["kubeconfig"]),
        made["kubectl"],
        images["operator"],
        images["trainer"],
        images["server"],
    )


@pytest.fixture
async def api(cluster: Cluster) -> AsyncIterator[Api]:
    """The administrator's client."""
    async with open_api(cluster.kubeconfig) as opened:
        yield opened


@pytest.fixture
async def namespace(api: Api) -> AsyncIterator[Namespace]:
    """A namespace of the test's own that enforces Pod Security `restricted`."""
    async with new_namespace(api) as made:
        yield made
