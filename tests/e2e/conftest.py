"""What tests on real pods share: a cluster with this checkout's Winnow on it, and a namespace."""

from __future__ import annotations

import json
import secrets
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.crash.figures import show
from tests.e2e.cluster import Cluster
from tests.e2e.models_on_a_claim import Stock, models_on_a_claim
from tests.support.api import Api, Body, open_api
from tests.support.chart import ROOT
from tests.support.namespace import RESTRICTED, Namespace, new_namespace
from tests.support.real_jobs import SOURCE, real_compression, source_search

__all__ = ["PROFILE", "Cluster", "Compressed"]

PROFILE = "test"


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


@pytest.fixture(scope="session")
def stock(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stock]:
    """Models that servers can name, good ones and bad ones, made once."""
    with models_on_a_claim(cluster, tmp_path_factory.mktemp("models")) as made:
        yield made


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show the figures."""
    show(terminalreporter)
