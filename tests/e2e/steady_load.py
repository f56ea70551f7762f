"""A steady load on a Service, from a pod beside the servers: how many requests were answered, how many failed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np

from tests.e2e.claim_pods import restricted_pod
from tests.e2e.cluster import Cluster
from tests.support.api import eventually
from tests.support.bad_models import FAR
from tests.support.chart import ROOT
from tests.support.onnx_graphs import blobs
from tests.support.served_artifacts import request_of

PER_SECOND = 250
CONNECTIONS = 10
LONGEST_SECONDS = 1500
"""The load ends by itself, whatever becomes of the test."""
_PROGRAM = (ROOT / "tests/e2e/steady_client.py").read_text()


def bodies() -> list[str]:
    """Requests of one row each, every fourth with numbers beyond FAR."""
    rows = np.clip(blobs(24, seed=3).rows, -FAR / 2, FAR / 2)
    rows[::4] *= 2 * FAR / np.abs(rows[::4]).max(axis=1, keepdims=True)
    return [request_of(rows[i : i + 1]).decode() for i in range(len(rows))]


@dataclass(frozen=True, slots=True)
class Totals:
    """What has come of requests."""

    answered: Mapping[str, int] = field(default_factory=dict)
    """Right answers by revision."""
    failures: Mapping[str, int] = field(default_factory=dict)
    """Requests without one, by what came instead."""

    @property
    def failed(self) -> int:
        """How many failed."""
        return sum(self.failures.values())

    @property
    def requests(self) -> int:
        """How many there were."""
        return sum(self.answered.values()) + self.failed

    def since(self, earlier: Totals) -> Totals:
        """What has come since then."""
        return Totals(
            _difference(self.answered, earlier.answered),
            _difference(self.failures, earlier.failures),
        )


def _difference(now: Mapping[str, int], then: Mapping[str, int]) -> dict[str, int]:
    found = {key: count - then.get(key, 0) for key, count in now.items()}
    return {key: count for key, count in found.items() if count}


class SteadyLoad:
    """A pod that asks, as its log tells."""

    def __init__(self) -> None:
        self._latest = Totals()

    def totals(self) -> Totals:
        """All that has come of its requests, at most about a second ago."""
        return self._latest

    async def listen(self, command: Sequence[str]) -> None:
        """Take in what its log tells; one that breaks off, on a busy machine, is taken up again."""
        while True:
            kubectl = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
            assert kubectl.stdout is not None
            try:
                async for line in kubectl.stdout:
                    counts = json.loads(line)
                    self._latest = Totals(counts["answered"], counts["failed"])
            finally:
                if kubectl.returncode is None:
                    kubectl.terminate()
                await kubectl.wait()

    async def requests_since(self, earlier: Totals, least: int) -> Totals:
        """What has come since then, once it is at least so many requests."""

        async def check() -> Totals | None:
            found = self.totals().since(earlier)
            return found if found.requests >= least else None

        return await eventually(check, seconds=300, what=f"{least} requests")


@asynccontextmanager
async def steady_load(cluster: Cluster, namespace: str, service: str) -> AsyncIterator[SteadyLoad]:
    """A load on a Service, and the model of its name, as long as the block lasts."""
    address = cluster.read(namespace, "service", service)["spec"]["clusterIP"]
    given = {
        "host": address,
        "port": 80,
        "path": f"/v2/models/{service}/infer",
        "connections": CONNECTIONS,
        "per_second": PER_SECOND,
        "seconds": LONGEST_SECONDS,
        "bodies": bodies(),
    }
    where = ["-n", namespace]
    program = ["python", "-c", _PROGRAM, json.dumps(given)]
    body = restricted_pod(cluster.server_image, "load", program)
    pod = cluster.run(*where, "create", "-f", "-", "-o", "name", stdin=json.dumps(body)).strip()
    try:
        cluster.run(*where, "wait", pod, "--for=condition=Ready", "--timeout=60s")
        load = SteadyLoad()
        follow = cluster.command(*where, "logs", "--follow", "--tail=1", pod)
        listening = asyncio.create_task(load.listen(follow))
        try:
            await load.requests_since(Totals(), least=1)
            yield load
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
    finally:
        cluster.run(*where, "delete", pod, "--now", "--wait=false")
