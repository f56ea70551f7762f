"""Early stopping with real pods: across them by way of a real Prometheus, and within one without it."""

from __future__ import annotations

import os

import pytest

from tests.e2e.conftest import Cluster
from tests.support.api import eventually
from tests.support.namespace import Namespace, conditions, holds
from tests.support.real_jobs import small_search
from tests.support.scripted_trials import scripted_job

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.prove,
    pytest.mark.skipif(
        (os.environ.get("CLUSTER") or "devcluster") != "devcluster",
        reason="no Prometheus is known there",
    ),
]

LEVEL = """
import time
from winnow_contract.report import run
def train(trial):
    for step in range(1, 46):
        time.sleep(1)
        trial.report(step, quality=trial.parameters["x"])
run(train)
"""
"""Reports the same for three quarters of a minute: several scrapes after the first rung."""


@pytest.mark.timeout(300)
async def test_the_worse_trials_are_stopped_across_pods_and_the_best_wins(
    cluster: Cluster, namespace: Namespace
) -> None:
    values = [f"0.{tenths}" for tenths in (3, 6, 1, 5, 2, 4)]
    job = scripted_job(
        "level",
        cluster.operator_image,
        LEVEL,
        space={"parameters": [{"name": "x", "double": {"values": values}}]},
        algorithm={"name": "Grid"},
        budget={"parallelism": 6},
        earlyStopping={"minimum": 2, "eta": 3},
    )
    await namespace.create_job(job)
    await namespace.condition("level", "MetricsAvailable", "Scraped", seconds=90)
    await eventually(
        lambda: shows_the_best(namespace), seconds=60, what="the best of those that run"
    )
    body = await namespace.ended("level", seconds=180)

    trials = {
        t["spec"]["parameters"][0]["value"]: t["status"] for t in await namespace.trials("level")
    }
    stopped = {x for x, status in trials.items() if status["outcome"] == "Stopped"}
    assert {"0.1", "0.2", "0.3"} <= stopped
    assert trials["0.6"]["outcome"] == "Succeeded"
    assert {trials[x]["cause"] for x in stopped} == {"EarlyStopping"}
    assert all(float(trials[x]["rungs"][-1]["value"]) == float(x) for x in trials)
    assert body["status"]["winner"]["values"][0]["value"] == "0.6"
    assert conditions(body)["Complete"]["reason"] == "SpaceExhausted"


async def shows_the_best(namespace: Namespace) -> bool:
    live = (await namespace.job("level"))["status"].get("live", {})
    return bool(live.get("value") == "0.6" and live.get("step", 0) > 0)


@pytest.mark.timeout(300)
async def test_trainings_of_one_pod_stop_each_other(namespace: Namespace) -> None:
    rates = {"name": "learning_rate", "double": {"values": ["0.01", "0.000001", "0.000002"]}}
    job = small_search(
        "packed",
        space={"parameters": [rates]},
        algorithm={"name": "Grid"},
        trialsPerPod=3,
        earlyStopping={"minTrials": 2, "eta": 2},
    )
    await namespace.create_job(job)
    body = await namespace.ended("packed", seconds=240)

    trials = {t["spec"]["number"]: t["status"] for t in await namespace.trials("packed")}
    assert holds(body, "Complete")
    assert [trials[n]["outcome"] for n in (1, 2, 3)] == ["Succeeded", "Stopped", "Stopped"]
    assert trials[2]["message"].startswith("ASHA at ")
    assert body["status"]["winner"]["trial"] == "packed-t00001"
