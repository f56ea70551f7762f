"""Fixtures of all tests on a real API server; their conftest files take them from here."""

from __future__ import annotations

import fcntl
import subprocess
from collections.abc import AsyncIterator, Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.support.access import operator_kubeconfig
from tests.support.api import Api, open_api
from tests.support.chart import ROOT, tool
from tests.support.namespace import Namespace, new_namespace
from tests.support.nursery import Nursery
from tests.support.operator_process import OperatorProcess, running

PROFILE = "test-cp"


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The administrator's kubeconfig of a control plane without nodes, with the CRDs."""
    if worker_id == "master":
        return start_control_plane()
    started = tmp_path_factory.getbasetemp().parent / "control-plane"  # of all workers of this run
    with started.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not started.exists():
            started.write_text(str(start_control_plane()))
    return Path(started.read_text())


@cache
def start_control_plane(profile: str = PROFILE) -> Path:
    """Bring a control plane up and install the CRDs, once per test run."""
    devcluster = [str(ROOT / "scripts/devcluster")]
    up = [*devcluster, "up", "--control-plane-only", "--profile", profile]
    subprocess.run(up, check=True)
    path = subprocess.run(
        [*devcluster, "kubeconfig", "--profile", profile],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    kubectl = [tool("kubectl"), "--kubeconfig", path]
    apply = ["apply", "--server-side", "--force-conflicts", "-f", str(ROOT / "crds")]
    subprocess.run([*kubectl, *apply], check=True, capture_output=True)
    kinds = ("searchjobs", "compressionjobs", "modelservers", "trials")
    crds = [f"crd/{kind}.winnow.dev" for kind in kinds]
    subprocess.run(
        [*kubectl, "wait", "--for=condition=Established", *crds], check=True, capture_output=True
    )
    # kubectl remembers for ten minutes which kinds an API server at this address had before.
    subprocess.run([*kubectl, "api-resources"], check=True, capture_output=True)
    return Path(path)


@pytest.fixture
async def api(control_plane: Path) -> AsyncIterator[Api]:
    """The administrator's client."""
    async with open_api(control_plane) as opened:
        yield opened


@pytest.fixture
async def namespace(api: Api) -> AsyncIterator[Namespace]:
    """A namespace of the test's own."""
    async with new_namespace(api) as made:
        yield made


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Starts operators."""
    with Nursery() as opened:
        yield opened


@pytest.fixture
async def idle_operator(
    control_plane: Path, namespace: Namespace, tmp_path: Path, nursery: Nursery
) -> AsyncIterator[OperatorProcess]:
    """A replica of the operator with the chart's own rights, not started yet."""
    kubeconfig = await operator_kubeconfig(namespace.api, control_plane, namespace.name, tmp_path)
    log = tmp_path / "operator.log"
    operator = OperatorProcess(kubeconfig, namespace.name, log, spawn=nursery.spawn)
    yield operator
    if operator.is_running:
        operator.kill()


@pytest.fixture
async def operator(idle_operator: OperatorProcess) -> AsyncIterator[OperatorProcess]:
    """A replica that leads; it must not have logged an error in the end."""
    async with running(idle_operator) as started:
        yield started
    assert started.complaints() == []
