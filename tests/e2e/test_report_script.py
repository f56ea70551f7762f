"""scripts/report on a cluster: a pod reads the claim, and the file is here as it was written."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import Cluster
from tests.support.api import Body
from tests.support.measured_models import report_of
from tests.support.namespace import Namespace
from winnow_measure.report.writing import page

pytestmark = pytest.mark.cluster

CLAIM, FOLDER = "reports", "demo/report/1"
WRITER = """
import base64, pathlib, sys
folder = pathlib.Path("/claim") / sys.argv[1]
folder.mkdir(parents=True)
(folder / "report.html").write_bytes(base64.b64decode(sys.argv[2]))
"""


def claim() -> Body:
    resources = {"requests": {"storage": "64Mi"}}
    spec = {"accessModes": ["ReadWriteOnce"], "resources": resources}
    metadata = {"name": CLAIM}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}


def writer(image: str, text: str) -> Body:
    """A pod that leaves a report on the claim."""
    container = {
        "name": "writer",
        "image": image,
        "command": ["python", "-c", WRITER, FOLDER, base64.b64encode(text.encode()).decode()],
        "volumeMounts": [{"name": "claim", "mountPath": "/claim"}],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    spec = {
        "restartPolicy": "Never",
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "fsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [{"name": "claim", "persistentVolumeClaim": {"claimName": CLAIM}}],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "writer"}, "spec": spec}


def job(name: str, uri: str | None) -> tuple[Body, Body]:
    """A CompressionJob that starts nothing, and a status as if it had measured."""
    spec = {"model": {"searchJob": "absent"}, "suspend": True, "auto": {}}
    metadata = {"name": name}
    kind = {"apiVersion": "winnow.dev/v1alpha1", "kind": "CompressionJob"}
    return {**kind, "metadata": metadata, "spec": spec}, {"status": {"report": uri}}


def copy(
    cluster: Cluster, namespace: Namespace, name: str, output: Path
) -> subprocess.CompletedProcess[str]:
    arguments = [name, "-n", namespace.name, "-o", str(output), "--image", cluster.operator_image]
    return cluster.script("report", *arguments)


def make(cluster: Cluster, namespace: Namespace, name: str, uri: str | None) -> None:
    body, status = job(name, uri)
    where = ["-n", namespace.name]
    cluster.run(*where, "apply", "-f", "-", stdin=json.dumps(body))
    patch = ["patch", "compressionjob", name, "--subresource=status", "--type=merge"]
    cluster.run(*where, *patch, "-p", json.dumps(status))


@pytest.mark.prove
@pytest.mark.timeout(240)
def test_a_report_is_copied_out_of_its_claim_and_the_pod_is_gone(
    cluster: Cluster, namespace: Namespace, tmp_path: Path
) -> None:
    where, text = ["-n", namespace.name], page(report_of())
    for made in (claim(), writer(cluster.operator_image, text)):
        cluster.run(*where, "apply", "-f", "-", stdin=json.dumps(made))
    waited = ["--for=jsonpath={.status.phase}=Succeeded", "--timeout=120s"]
    cluster.run(*where, "wait", "pod/writer", *waited)
    make(cluster, namespace, "small", f"pvc://{CLAIM}/{FOLDER}")
    make(cluster, namespace, "moved", f"pvc://{CLAIM}/elsewhere")

    done = copy(cluster, namespace, "small", tmp_path / "report.html")
    moved = copy(cluster, namespace, "moved", tmp_path / "moved.html")

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "report.html").read_text() == text
    gone = f"pvc://{CLAIM}/elsewhere/report.html cannot be read: No such file or directory"
    assert moved.stderr == f"scripts/report: {gone}\n"
    readers = ["pods", "-l", "app.kubernetes.io/component=report", "--timeout=60s"]
    cluster.run(*where, "wait", "--for=delete", *readers)


@pytest.mark.timeout(240)
def test_what_is_missing_is_said_in_one_line(
    cluster: Cluster, namespace: Namespace, tmp_path: Path
) -> None:
    make(cluster, namespace, "unmeasured", None)
    make(cluster, namespace, "stray", "pvc://absent-claim/report/1")

    said = {
        name: copy(cluster, namespace, name, tmp_path / "report.html")
        for name in ("unmeasured", "stray", "absent")
    }

    assert {done.returncode for done in said.values()} == {1}
    assert "unmeasured has no report yet" in said["unmeasured"].stderr
    assert '"absent-claim" not found' in said["stray"].stderr
    assert '"absent" not found' in said["absent"].stderr
    assert not (tmp_path / "report.html").exists()
