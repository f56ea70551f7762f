"""Searches of real trainings in real pods, installed and applied as a user does it."""

from __future__ import annotations

import pytest

from tests.e2e.claim_pods import manifests_of, run_on_claim
from tests.e2e.conftest import Cluster
from tests.e2e.own_table import OWN, iris_like, upload_table
from tests.support.api import Body, eventually
from tests.support.namespace import Namespace, conditions, holds, outcomes
from tests.support.real_jobs import small_search
from tests.support.scripted_trials import QUICK, SLOW, scripted_job
from winnow_operator.kube.resources import PODS

pytestmark = pytest.mark.cluster


@pytest.mark.prove
@pytest.mark.timeout(240)
async def test_trainings_of_one_seed_repeat_exactly_and_leave_whole_artifacts(
    namespace: Namespace, cluster: Cluster
) -> None:
    await namespace.create_job(small_search("first"))
    await namespace.create_job(small_search("second"))
    first, second = (
        await namespace.ended("first", seconds=180),
        await namespace.ended("second", seconds=180),
    )

    assert holds(first, "Complete"), conditions(first)
    assert values(await namespace.trials("first")) == values(await namespace.trials("second"))
    winner = first["status"]["winner"]
    assert winner["parameters"] == second["status"]["winner"]["parameters"]
    assert float(winner["test"][0]["value"]) > 0.8
    assert first["status"]["trainerImage"].count("@sha256:") == 1
    found = manifests_of(cluster, namespace.name, {"winner": winner["artifact"]})["winner"]
    files = [file["path"] for file in found["files"]]
    assert found["trial"]["name"] == winner["trial"]
    assert "manifest.json" not in files
    assert any(name.endswith(".safetensors") for name in files)


def values(trials: list[Body]) -> list[object]:
    assert outcomes(trials) == ["Succeeded"] * 4
    return [(t["spec"]["parameters"], t["status"]["score"], t["status"]["test"]) for t in trials]


@pytest.mark.timeout(240)
async def test_a_table_of_ones_own_is_searched_as_the_example_says(
    namespace: Namespace, cluster: Cluster
) -> None:
    upload_table(cluster, namespace.name, iris_like())
    await namespace.edit_job(OWN, suspend=False)
    body = await namespace.ended(OWN, seconds=120)

    assert holds(body, "Complete"), conditions(body)
    assert outcomes(await namespace.trials(OWN)) == ["Succeeded"] * 2


@pytest.mark.prove
@pytest.mark.timeout(120)
async def test_a_column_that_is_missing_ends_the_job_with_a_sentence(
    namespace: Namespace, cluster: Cluster
) -> None:
    claims = f"/api/v1/namespaces/{namespace.name}/persistentvolumeclaims"
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    await namespace.api.create(claims, {"metadata": {"name": "tables"}, "spec": spec})
    write = "open('/claim/table.csv', 'w').write('a,b\\n1,2\\n3,4\\n')"
    run_on_claim(cluster, namespace.name, "tables", write)
    task = {
        "model": {"family": "MLP"},
        "data": {"uri": "pvc://tables/table.csv", "target": "label"},
    }
    await namespace.create_job(small_search("bad", task=task))
    body = await namespace.ended("bad", seconds=90)

    failed = conditions(body)["Failed"]
    assert failed["reason"] == "JobFault"
    assert "label" in failed["message"]
    assert "a, b" in failed["message"]


@pytest.mark.timeout(180)
async def test_a_running_trial_shows_lines_and_metrics_and_survives_suspend_and_a_killed_operator(
    namespace: Namespace, cluster: Cluster
) -> None:
    await namespace.create_job(scripted_job("slow", cluster.trainer_image, SLOW))
    pod = await eventually(lambda: running_pod(namespace, "slow"), seconds=60, what="a running pod")
    path = namespace.path(PODS, f"{pod}:8080", "proxy/metrics")
    page = await eventually(lambda: page_of(cluster, path), what="the metrics page")
    log = cluster.run("-n", namespace.name, "logs", pod)
    cluster.run(
        "-n", "winnow", "delete", "pod", "-l", "app.kubernetes.io/component=operator", "--now"
    )
    await namespace.edit_job("slow", suspend=True)
    await eventually(lambda: no_pods(namespace, "slow"), seconds=60, what="no pods")
    trials = await namespace.trials("slow")

    assert "winnow_trial_metric" in page
    assert "trial slow-t0000" in log
    assert outcomes(trials) == ["Active"] * 3


async def running_pod(namespace: Namespace, job: str) -> str:
    pods = await namespace.pods(job)
    names = [p["metadata"]["name"] for p in pods if p["status"].get("phase") == "Running"]
    return names[0] if names else ""


async def page_of(cluster: Cluster, path: str) -> str:
    try:
        return cluster.run("get", "--raw", path)
    except AssertionError:
        return ""


async def no_pods(namespace: Namespace, job: str) -> bool:
    return not await namespace.pods(job)


@pytest.mark.timeout(180)
async def test_files_stay_when_a_job_is_deleted_and_its_objects_do_not(
    namespace: Namespace, cluster: Cluster
) -> None:
    await namespace.create_job(scripted_job("quick", cluster.trainer_image, QUICK))
    body = await namespace.ended("quick", seconds=90)
    assert holds(body, "Complete"), conditions(body)
    artifact = body["status"]["winner"]["artifact"]
    await namespace.delete_job("quick")
    await namespace.nothing_left_of("quick")

    found = manifests_of(cluster, namespace.name, {"quick": artifact})["quick"]
    assert [file["path"] for file in found["files"]] == ["x.txt"]
