"""The chart on a real cluster: its own test, upgrades, a namespaced install, and its removal."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.conftest import PROFILE, Cluster
from tests.support.api import Api, eventually
from tests.support.chart import CHART, ROOT, tool
from tests.support.namespace import Namespace
from tests.support.searchjobs import search_job
from winnow_operator.kube.resources import SEARCHJOBS

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

CRD = "searchjobs.winnow.dev"
WATCHED = "blue-winnow-operator"
"""Full name of the operator of the namespaced release."""


def helm(cluster: Cluster, *arguments: str | Path) -> str:
    """What helm prints; fails with its words."""
    done = subprocess.run(
        [tool("helm"), *arguments],
        env={**os.environ, "KUBECONFIG": str(cluster.kubeconfig)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def upgrade(cluster: Cluster, chart: Path) -> None:
    options = ("--namespace", "winnow", "--reset-then-reuse-values", "--wait", "--timeout", "3m")
    helm(cluster, "upgrade", "winnow", chart, *options)


def schema_of_spec(crd: dict[str, Any]) -> dict[str, Any]:
    """Properties of a SearchJob's spec in its CRD."""
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    properties: dict[str, Any] = schema["properties"]["spec"]["properties"]
    return properties


def installed_crd(cluster: Cluster) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(cluster.run("get", "crd", CRD, "-o", "json"))
    return found


@pytest.fixture
def older_chart(tmp_path: Path) -> Path:
    """A copy of the chart from before SearchJobs had a time to live."""
    chart = tmp_path / "winnow"
    shutil.copytree(CHART, chart)
    path = chart / f"files/crds/winnow.dev_{CRD.partition('.')[0]}.yaml"
    crd = yaml.safe_load(path.read_text())
    del schema_of_spec(crd)["ttlSecondsAfterFinished"]
    path.write_text(yaml.safe_dump(crd))
    return chart


def test_the_charts_own_test_passes(cluster: Cluster) -> None:
    said = helm(cluster, "test", "winnow", "--namespace", "winnow", "--timeout", "3m")

    assert "Succeeded" in said


def test_pods_of_the_release_meet_pod_security_restricted(cluster: Cluster) -> None:
    label = "pod-security.kubernetes.io/enforce=restricted"
    command = [cluster.kubectl, "--kubeconfig", str(cluster.kubeconfig), "label", "namespace"]
    options = ["winnow", label, "--overwrite", "--dry-run=server"]
    done = subprocess.run([*command, *options], check=True, capture_output=True, text=True)

    assert "Warning" not in done.stderr, done.stderr


def test_an_upgrade_brings_the_crds_up_to_date(cluster: Cluster, older_chart: Path) -> None:
    upgrade(cluster, older_chart)
    before = schema_of_spec(installed_crd(cluster))
    upgrade(cluster, CHART)
    after = schema_of_spec(installed_crd(cluster))

    assert "ttlSecondsAfterFinished" not in before
    assert after["ttlSecondsAfterFinished"]["maximum"] > 0


def test_an_upgrade_brings_back_what_was_removed_from_a_crd_by_hand(cluster: Cluster) -> None:
    path = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties"
    patch = [{"op": "remove", "path": f"{path}/ttlSecondsAfterFinished"}]
    cluster.run("patch", "crd", CRD, "--type=json", "-p", json.dumps(patch))
    assert "ttlSecondsAfterFinished" not in schema_of_spec(installed_crd(cluster))

    options = ("--namespace", "winnow", "--reset-then-reuse-values", "--wait", "--timeout", "3m")
    helm(cluster, "upgrade", "winnow", CHART, *options, "--force-conflicts")

    assert "ttlSecondsAfterFinished" in schema_of_spec(installed_crd(cluster))


def test_the_plain_manifests_are_accepted_by_the_api_server(cluster: Cluster) -> None:
    options = ("--server-side", "--force-conflicts", "--dry-run=server")
    said = cluster.run("apply", *options, "-k", str(ROOT / "config/default"))

    for thing in ("deployment.apps/winnow-operator", f"{CRD} ", "namespace/winnow"):
        assert thing in said


@pytest.fixture
async def namespaced(
    cluster: Cluster, namespace: Namespace, tmp_path: Path
) -> AsyncIterator[Namespace]:
    """A release `blue` that watches its own namespace alone."""
    values = yaml.safe_load(
        helm(cluster, "get", "values", "winnow", "--namespace", "winnow", "-o", "yaml")
    )
    values |= {"watchNamespaces": [namespace.name], "crds": {"install": False}}
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(values))
    options = ("--namespace", namespace.name, "--values", file, "--wait", "--timeout", "3m")
    helm(cluster, "install", "blue", CHART, *options)
    yield namespace
    helm(cluster, "uninstall", "blue", "--namespace", namespace.name, "--wait")


def may(cluster: Cluster, namespace: str, verb: str, resource: str, *options: str) -> bool:
    """Whether the namespaced operator may do something."""
    account = f"--as=system:serviceaccount:{namespace}:{WATCHED}"
    command = [cluster.kubectl, "--kubeconfig", str(cluster.kubeconfig), "auth", "can-i"]
    done = subprocess.run(
        [*command, verb, resource, account, *options], check=False, capture_output=True, text=True
    )
    return done.stdout.strip() == "yes"


async def test_a_namespaced_release_works_with_a_role_alone(
    cluster: Cluster, api: Api, namespaced: Namespace
) -> None:
    name = namespaced.name
    helm(cluster, "test", "blue", "--namespace", name, "--timeout", "3m")
    await namespaced.create_job(search_job("waiting", suspend=True))

    async def reconciles() -> bool:
        return sum(looks(cluster, name, pod) for pod in await operators(api, name)) > 0

    await eventually(reconciles, seconds=30, what="a look at the job by the namespaced operator")
    for verb, resource in (("list", CRD), ("create", "jobs.batch"), ("delete", "pods")):
        assert may(cluster, name, verb, resource, "-n", name), f"{verb} {resource}"
        assert not may(cluster, name, verb, resource, "-n", "default"), f"{verb} {resource}"
        assert not may(cluster, name, verb, resource, "--all-namespaces"), f"{verb} {resource}"
    assert not may(cluster, name, "get", "secrets", "-n", name)
    kinds = "clusterroles,clusterrolebindings"
    label = "app.kubernetes.io/instance=blue"
    assert cluster.run("get", kinds, "-l", label, "-o", "name") == ""


async def operators(api: Api, namespace: str) -> list[str]:
    """Names of the pods of the namespaced operator."""
    selector = "app.kubernetes.io/instance=blue,app.kubernetes.io/component=operator"
    found = await api.get(f"/api/v1/namespaces/{namespace}/pods", labelSelector=selector)
    return [pod["metadata"]["name"] for pod in found["items"]]


def looks(cluster: Cluster, namespace: str, pod: str) -> float:
    """How many reconciles without an error a replica has made."""
    page = f"/api/v1/namespaces/{namespace}/pods/{pod}:8080/proxy/metrics"
    text = cluster.run("get", "--raw", page)
    wanted = 'winnow_reconcile_total{controller="searchjob",result="done"} '
    return sum(float(v.rpartition(" ")[2]) for v in text.splitlines() if v.startswith(wanted))


def deploy() -> None:
    """Put the release back for the tests that come after."""
    subprocess.run([ROOT / "scripts/deploy", "--profile", PROFILE], check=True)


@pytest.mark.prove
async def test_crds_and_jobs_outlive_the_release_and_the_next_one_takes_them_over(
    cluster: Cluster, namespace: Namespace
) -> None:
    await namespace.create_job(search_job("lasting", suspend=True))

    helm(cluster, "uninstall", "winnow", "--namespace", "winnow", "--wait")
    kinds = "deployments,services,leases,roles,rolebindings,poddisruptionbudgets"
    release = ("-n", "winnow", "-l", "app.kubernetes.io/instance=winnow")
    left = cluster.run("get", kinds, *release, "-o", "name")
    job = await namespace.job("lasting")
    await asyncio.to_thread(deploy)

    assert left == ""
    assert job["spec"]["suspend"] is True
    helm(cluster, "test", "winnow", "--namespace", "winnow", "--timeout", "3m")
    await namespace.edit_job("lasting", budget={"parallelism": 1})

    async def observed() -> bool:
        body = await namespace.api.get(SEARCHJOBS.path(namespace.name, "lasting"))
        return bool(body["status"]["observedGeneration"] == body["metadata"]["generation"])

    await eventually(observed, seconds=60, what="a look at the job by the new release")
