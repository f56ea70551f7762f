"""The example of an architecture search in real pods, to a compressed and served net."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from tests.crash.invariants import unexplained_suggestions
from tests.crash.world import world_of
from tests.e2e.claim_pods import manifests_of
from tests.e2e.conftest import Cluster
from tests.e2e.serving_client import Client, small_server
from tests.support.chart import ROOT
from tests.support.compressionjobs import INT8
from tests.support.modelservers import Servers
from tests.support.namespace import Namespace, conditions, holds, outcomes
from tests.support.real_jobs import real_compression, small_search
from winnow_contract.models.nets import read_net
from winnow_operator.api.searchjob import SearchJob

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
    await cluster.kill_operator_after(2, namespace, "digits")
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


@pytest.mark.prove
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("algorithm", ["Random", "Evolution", "Generative"])
async def test_an_engine_of_nets_goes_on_where_it_was_although_the_operator_is_killed(
    namespace: Namespace, cluster: Cluster, algorithm: str
) -> None:
    job = small_search(
        "digits",
        task={
            "model": {"family": "MLP", "settings": [{"name": "epochs", "value": "3"}]},
            "data": {"uri": "builtin://wine"},
        },
        space={
            "architecture": {"mlp": {"depth": {"max": 3}, "widths": [4, 8, 16], "skips": True}},
            "parameters": [{"name": "learning_rate", "double": {"min": "0.003", "max": "0.1"}}],
        },
        algorithm={"name": algorithm, "seed": 3},
        budget={"maxTrials": 30, "parallelism": 1},
        trialsPerPod=6,
    )
    await namespace.create_job(job)
    await cluster.kill_operator_after(18, namespace, "digits")
    body = await namespace.ended("digits", seconds=900)

    assert holds(body, "Complete"), conditions(body)
    trials = await namespace.trials("digits")
    assert outcomes(trials) == ["Succeeded"] * 30
    points = [tuple(p["value"] for p in trial["spec"]["parameters"]) for trial in trials]
    texts = [net for net, _ in points]
    # Random may draw a net again with another learning rate; the engines of nets try each once.
    assert len(set(points if algorithm == "Random" else texts)) == 30
    assert all(read_net(text).text == text for text in texts)
    assert bool(body["status"].get("learning")) is (algorithm == "Generative")
    world = await world_of(namespace, "digits")
    assert unexplained_suggestions(SearchJob.model_validate(body).spec, world) == []
