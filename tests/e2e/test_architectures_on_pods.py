"""The example of an architecture search in real pods, to a compressed and served net."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from tests.e2e.claim_pods import manifests_of
from tests.e2e.conftest import Cluster
from tests.e2e.serving_client import Client, small_server
from tests.support.api import eventually
from tests.support.chart import ROOT
from tests.support.compressionjobs import INT8
from tests.support.modelservers import Servers
from tests.support.namespace import Namespace, conditions, holds, outcomes
from tests.support.real_jobs import real_compression, small_search
from winnow_contract.nets import read_net

pytestmark = pytest.mark.cluster

EXAMPLE: dict[str, Any] = yaml.safe_load((ROOT / "examples/digits-nas.yaml").read_text())
CUT = {"name": "cut", "steps": [{"prune": {"amount": "0.25", "epochs": 4}}]}


@pytest.mark.timeout(240)
async def test_listed_nets_are_each_trained_once_in_real_pods(namespace: Namespace) -> None:
    job = small_search(
        "nets",
        space={"architecture": {"nets": ["64-32-16", "32-64", "16-64-32"]}},
        algorithm={"name": "Grid"},
        budget={"parallelism": 2},
    )
    await namespace.create_job(job)
    body = await namespace.ended("nets", seconds=180)

    assert holds(body, "Complete"), conditions(body)
    trials = await namespace.trials("nets")
    assert outcomes(trials) == ["Succeeded"] * 3
    sizes = {
        trial["spec"]["parameters"][0]["value"]: value["value"]
        for trial in trials
        for value in trial["status"]["values"]
        if value["metric"] == "parameters"
    }
    assert sizes == {"64-32-16": "6938", "32-64": "4842", "16-64-32": "4538"}


@pytest.mark.prove
@pytest.mark.timeout(1800)
async def test_a_searched_cell_is_found_although_the_operator_is_killed_then_compressed_and_served(
    namespace: Namespace, cluster: Cluster
) -> None:
    job = copy.deepcopy(EXAMPLE)
    job["metadata"]["name"] = "digits"
    job["spec"]["budget"] = {"maxTrials": 8, "parallelism": 2}
    job["spec"]["trialsPerPod"] = 2
    await namespace.create_job(job)
    await eventually(lambda: ended(namespace, 2), seconds=300, what="two trials")
    kill = ("delete", "pod", "-l", "app.kubernetes.io/component=operator")
    cluster.run("-n", "winnow", *kill, "--grace-period=0", "--force")
    body = await namespace.ended("digits", seconds=900)

    assert holds(body, "Complete"), conditions(body)
    trials = await namespace.trials("digits")
    assert outcomes(trials) == ["Succeeded"] * 8
    winner = body["status"]["winner"]
    net = next(p["value"] for p in winner["parameters"] if p["name"] == "architecture")
    found = manifests_of(cluster, namespace.name, {"winner": winner["artifact"]})["winner"]
    assert read_net(net).text == net == found["trial"]["parameters"]["architecture"]
    assert found["task"]["model"]["settings"]["architecture"] == net

    await namespace.compressions.create_job(
        real_compression(
            "small", candidates=[INT8, CUT], goals=[{"metric": "accuracy", "maxDrop": "0.1"}]
        )
    )
    made = await namespace.compressions.ended("small", seconds=700)
    assert holds(made, "Complete"), conditions(made)
    assert outcomes(await namespace.compressions.trials("small")) == ["Succeeded"] * 3
    servers = Servers(namespace)
    await servers.create(small_server("net", model={"compressionJob": "small"}))
    await servers.serves(made["status"]["selected"]["artifact"], "net", seconds=180)
    assert Client(cluster, namespace.name, "net").accuracy() > 0.8


async def ended(namespace: Namespace, count: int) -> bool:
    """Whether so many trials have an outcome."""
    return sum(o != "Active" for o in outcomes(await namespace.trials("digits"))) >= count
