"""What tests on real pods share: a cluster with this checkout's Winnow on it, and a namespace."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.api import Api, Body, open_api
from tests.support.chart import ROOT
from tests.support.namespace import RESTRICTED, Namespace, new_namespace
from tests.support.real_jobs import SOURCE, real_compression, source_search

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

    def read(self, namespace: str, kind: str, name: str) -> Body:
        """An object as it is."""
        found: Body = json.loads(self.run("-n", namespace, "get", kind, name, "-o", "json"))
        return found

    def script(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A script of this checkout, run against the cluster."""
        own = {"KUBECTL": self.kubectl, "KUBECONFIG": str(self.kubeconfig)}
        command = [str(ROOT / "scripts" / name), *arguments]
        environment = {**os.environ, **own}
        return subprocess.run(command, env=environment, check=False, capture_output=True, text=True)


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


@dataclass(frozen=True, slots=True)
class Compressed:
    """A search on real pods and the compression of its winner, which was asked for first."""

    namespace: str
    waiting: Body
    """The CompressionJob while there was no such SearchJob."""
    search: Body
    job: Body
    """The CompressionJob when it had ended."""

    @property
    def artifact(self) -> Body:
        """URI and digest of the winner's artifact."""
        found: Body = self.search["status"]["winner"]["artifact"]
        return found


@pytest.fixture(scope="session")
def compressed(cluster: Cluster) -> Iterator[Compressed]:
    """Made once for all tests that look at a compression or begin from its source."""
    name = f"test-{secrets.token_hex(4)}"
    metadata = {"name": name, "labels": RESTRICTED}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
    cluster.run("create", "-f", "-", stdin=json.dumps(namespace))
    where, small = ["-n", name], "compressionjob/small"
    try:
        cluster.run(*where, "create", "-f", "-", stdin=json.dumps(real_compression("small")))
        asked = "--for=jsonpath={.status.state}=WaitingForSource"
        cluster.run(*where, "wait", small, asked, "--timeout=60s")
        waiting = cluster.read(name, "compressionjob", "small")
        cluster.run(*where, "create", "-f", "-", stdin=json.dumps(source_search()))
        ended = "--for=jsonpath={.status.completionTime}"
        cluster.run(*where, "wait", small, ended, "--timeout=900s")
        search = cluster.read(name, "searchjob", SOURCE)
        yield Compressed(name, waiting, search, cluster.read(name, "compressionjob", "small"))
    finally:
        cluster.run("delete", "namespace", name, "--wait=false")
