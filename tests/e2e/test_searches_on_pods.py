"""Searches of real trainings in real pods, installed and applied as a user does it."""

from __future__ import annotations

import json

import pytest
import yaml

from tests.e2e.conftest import Cluster
from tests.support.api import Body, eventually
from tests.support.chart import ROOT
from tests.support.namespace import Namespace, conditions, holds, outcomes
from tests.support.scripted_trials import QUICK, SLOW, scripted_job
from tests.support.searchjobs import task_job
from winnow_operator.kube.resources import PODS

pytestmark = pytest.mark.cluster


def small_search(name: str, **changes: object) -> Body:
    """A short search of the shared trainer, two trainings in each pod."""
    resources = {"requests": {"cpu": "200m"}, "limits": {"cpu": "1", "memory": "2Gi"}}
    template = {"spec": {"containers": [{"name": "trial", "resources": resources}]}}
    spec: dict[str, object] = {
        "budget": {"maxTrials": 4, "parallelism": 2},
        "trialsPerPod": 2,
        "podTemplate": template,
        **changes,
    }
    return task_job(name, **spec)


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
    found = check_artifact(namespace, cluster, winner["artifact"])
    assert found["trial"] == winner["trial"]
    assert "manifest.json" not in found["files"]
    assert any(name.endswith(".safetensors") for name in found["files"])


def values(trials: list[Body]) -> list[object]:
    assert outcomes(trials) == ["Succeeded"] * 4
    return [(t["spec"]["parameters"], t["status"]["score"], t["status"]["test"]) for t in trials]


def check_artifact(namespace: Namespace, cluster: Cluster, artifact: Body) -> Body:
    """What scripts/artifact_check.py finds in a pod that reads the claim."""
    claim, _, path = artifact["uri"].removeprefix("pvc://").partition("/")
    program = (ROOT / "scripts/artifact_check.py").read_text()
    pod = reader(cluster, claim, ["python", "-c", program, f"/claim/{path}", artifact["digest"]])
    kubectl = ["-n", namespace.name]
    cluster.run(*kubectl, "apply", "-f", "-", stdin=json.dumps(pod))
    wait = ["--for=jsonpath={.status.phase}=Succeeded", "--timeout=60s"]
    cluster.run(*kubectl, "wait", "pod/reader", *wait)
    found: Body = json.loads(cluster.run(*kubectl, "logs", "reader"))
    return found


def reader(cluster: Cluster, claim: str, command: list[str]) -> Body:
    """A restricted pod of the trainer image that has a claim at /claim."""
    security = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    container = {
        "name": "reader",
        "image": cluster.trainer_image,
        "command": command,
        "securityContext": security,
        "volumeMounts": [{"name": "claim", "mountPath": "/claim"}],
    }
    user = {"runAsNonRoot": True, "runAsUser": 65532, "runAsGroup": 65532, "fsGroup": 65532}
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "securityContext": {**user, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
        "volumes": [{"name": "claim", "persistentVolumeClaim": {"claimName": claim}}],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "reader"}, "spec": spec}


@pytest.mark.timeout(240)
async def test_a_table_of_ones_own_is_searched_as_the_example_says(
    namespace: Namespace, cluster: Cluster
) -> None:
    documents = list(yaml.safe_load_all((ROOT / "examples/own-csv.yaml").read_text()))
    claim, upload, job = documents
    upload["spec"]["containers"][0]["image"] = cluster.trainer_image
    job["spec"]["budget"] = {"maxTrials": 2, "parallelism": 1}
    kubectl = ["-n", namespace.name]
    for document in (claim, upload, job):
        cluster.run(*kubectl, "apply", "-f", "-", stdin=json.dumps(document))
    cluster.run(*kubectl, "wait", "--for=condition=Ready", "pod/csv-upload", "--timeout=90s")
    write = ["python", "-c", "import sys; open('/data/table.csv', 'w').write(sys.stdin.read())"]
    cluster.run(*kubectl, "exec", "-i", "csv-upload", "--", *write, stdin=iris_like())
    cluster.run(*kubectl, "delete", "pod", "csv-upload", "--now")
    await namespace.edit_job("own-csv", suspend=False)
    body = await namespace.ended("own-csv", seconds=120)

    assert holds(body, "Complete"), conditions(body)
    assert outcomes(await namespace.trials("own-csv")) == ["Succeeded"] * 2


def iris_like() -> str:
    """A real table: iris, which comes with scikit-learn."""
    from sklearn.datasets import load_iris

    data = load_iris()
    lines = ["a,b,c,d,label"]
    for row, label in zip(data.data, data.target, strict=True):
        lines.append(",".join(str(x) for x in row) + f",{data.target_names[label]}")
    return "\n".join(lines) + "\n"


@pytest.mark.timeout(120)
async def test_a_column_that_is_missing_ends_the_job_with_a_sentence(
    namespace: Namespace, cluster: Cluster
) -> None:
    claims = f"/api/v1/namespaces/{namespace.name}/persistentvolumeclaims"
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    await namespace.api.create(claims, {"metadata": {"name": "tables"}, "spec": spec})
    write = ["python", "-c", "open('/claim/table.csv', 'w').write('a,b\\n1,2\\n3,4\\n')"]
    pod = reader(cluster, "tables", write)
    await namespace.api.create(namespace.path(PODS), pod)
    task = {
        "model": {"family": "MLP"},
        "data": {"uri": "pvc://tables/table.csv", "target": "label"},
    }
    await eventually(lambda: has_succeeded(namespace, "reader"), what="the table")
    await namespace.create_job(small_search("bad", task=task))
    body = await namespace.ended("bad", seconds=90)

    failed = conditions(body)["Failed"]
    assert failed["reason"] == "JobFault"
    assert "label" in failed["message"]
    assert "a, b" in failed["message"]


async def has_succeeded(namespace: Namespace, pod: str) -> bool:
    found = await namespace.api.get(namespace.path(PODS, pod))
    return bool(found["status"].get("phase") == "Succeeded")


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

    found = check_artifact(namespace, cluster, artifact)
    assert list(found["files"]) == ["x.txt"]
