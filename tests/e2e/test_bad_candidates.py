"""A bad model cannot get through: whatever is wrong with it, the one that serves goes on, and it is said why.

Each comes as a canary under a steady load from clients that ask once. Those that get ready first answer
some requests; how many of them fail, and their share, is reported.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from tests.crash.figures import note
from tests.e2e.cluster import Cluster
from tests.e2e.models_on_a_claim import Stock
from tests.e2e.serving_client import small_server
from tests.e2e.steady_load import Totals, steady_load
from tests.support.api import Api, Body
from tests.support.modelservers import Servers, outcomes
from tests.support.namespace import Namespace, conditions, holds

pytestmark = [pytest.mark.cluster, pytest.mark.prove, pytest.mark.timeout(900)]

AFTERWARDS = 1000
"""Requests that are looked at once the candidate is gone."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A bad model."""

    model: str
    words: str
    """Of the sentence that says why it was aborted."""
    gets_ready: bool = False
    """Whether it answers requests before it is found out."""
    pause: str = "20s"
    faults: Mapping[str, str] = field(default_factory=dict)
    """Settings of its server, on purpose."""


CANDIDATES = {
    "answers wrongly": Candidate(
        "answers wrongly", "outputs in ONNX Runtime differ from the recorded ones"
    ),
    "is missing": Candidate("missing", "there is no artifact at pvc://models/elsewhere"),
    "is damaged": Candidate("damaged", "model.onnx"),
    "has another digest": Candidate("other digest", "expected is 000000000000"),
    "has no graph": Candidate("without graph", "has no model.onnx: export it to ONNX first"),
    "is no ONNX": Candidate("no ONNX", "ONNX Runtime cannot load model.onnx"),
    "lies on a claim that is away": Candidate("on another claim", "0 of 1 pods are ready, and for"),
    "answers otherwise": Candidate(
        "answers otherwise", "check Agreement has failed", gets_ready=True
    ),
    "answers with errors": Candidate(
        "fails on far rows", "check ErrorRate has failed", gets_ready=True
    ),
    "is 3 times slower": Candidate(
        "second",
        "check Latency has failed",
        gets_ready=True,
        pause="60s",
        faults={"WINNOW_FAULT_DELAY_FACTOR": "3"},
    ),
    "crashes after 30 s": Candidate(
        "second",
        "was started again 1 times",
        gets_ready=True,
        pause="90s",
        faults={"WINNOW_FAULT_CRASH_SECONDS": "30"},
    ),
    "eats memory": Candidate("eats memory", "OOMKilled", gets_ready=True, pause="60s"),
}


@pytest.mark.parametrize("name", CANDIDATES)
async def test_the_stable_revision_goes_on_where_a_candidate(
    cluster: Cluster, api: Api, stock: Stock, name: str
) -> None:
    candidate, servers = CANDIDATES[name], Servers(Namespace(api, stock.namespace))
    server = name.replace(" ", "-").lower()
    stable, bad = stock.models["first"], stock.models[candidate.model]
    await servers.create(server_of(server, stable, candidate, bad["digest"]))
    await servers.serves(stable, server, replicas=2, seconds=180)

    async with steady_load(cluster, stock.namespace, server) as load:
        start, begun = load.totals(), time.monotonic()
        await servers.edit(server, model=bad)
        body = await servers.state("RolloutAborted", server, seconds=300)
        seconds = time.monotonic() - begun
        await servers.has_pods(2, server)
        met = load.totals().since(start)
        later = await load.requests_since(load.totals(), AFTERWARDS)
    await servers.delete(server)

    said = conditions(body)["Degraded"]["message"]
    note(f"{name:28} {report(met)}; aborted after {seconds:.0f} s: {said}")
    assert candidate.words in said
    assert outcomes(body) == {2: "Aborted", 1: "Serving"}
    assert holds(body, "Ready")
    # One that dies of a request has answered none right.
    assert bool(met.answered.get("2") or met.failures) == candidate.gets_ready
    assert (later.failures, set(later.answered)) == ({}, {"1"})


def server_of(name: str, stable: Body, candidate: Candidate, digest: str) -> Body:
    """A server whose candidates go through one step."""
    steps = [{"replicas": 1, "pause": candidate.pause}]
    faults = {"WINNOW_FAULT_DIGEST": digest, **candidate.faults} if candidate.faults else {}
    env = [{"name": variable, "value": value} for variable, value in faults.items()]
    return small_server(
        name,
        model=stable,
        replicas=2,
        # Clients that keep their connections meet a canary only as these end.
        server={"connectionMaxAge": "5s"},
        podTemplate={"spec": {"containers": [{"name": "server", "env": env}]}},
        rollout={
            "strategy": "Canary",
            "progressDeadline": "30s",
            "canary": {"steps": steps, "checks": {"minRequests": 200}},
        },
    )


def report(met: Totals) -> str:
    """How the requests fared while the candidate was there."""
    share = met.failed / met.requests
    return (
        f"{met.answered.get('2', 0)} of {met.requests} requests answered by it, "
        f"{met.failed} failed ({share:.2%}) {dict(met.failures) or ''}"
    )
