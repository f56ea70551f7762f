"""Pods that read or write a claim as a person would, beside those of Winnow."""

from __future__ import annotations

import base64
import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.e2e.cluster import Cluster
from tests.support.api import Body
from tests.support.chart import ROOT

WAIT = "--timeout=240s"
LOOK = """
import json, pathlib, sys
check = {"__name__": "artifact_check"}
exec(sys.argv[1], check)
found = {}
for path, digest in json.loads(sys.argv[2]).items():
    folder = pathlib.Path("/claim") / path
    manifest = json.loads((folder / "manifest.json").read_text())
    found[path] = {**manifest, "faults": check["faults"](folder, digest, manifest)}
print(json.dumps(found))
"""
"""Prints the manifests of artifacts, and what scripts/artifact_check.py has against each."""
UNPACK = """
import base64, io, sys, tarfile
packed = io.BytesIO(base64.b64decode(sys.stdin.read()))
with tarfile.open(fileobj=packed) as archive:
    archive.extractall("/claim", [m for m in archive if m.name != "."])
"""


def run_on_claim(
    cluster: Cluster, namespace: str, claim: str, program: str, *arguments: str
) -> str:
    """What a Python program prints in a restricted pod that has a claim at /claim."""
    where, command = ["-n", namespace], ["python", "-c", program, *arguments]
    pod = json.dumps(restricted_pod(cluster.trainer_image, "claim", command, claim))
    made = cluster.run(*where, "create", "-f", "-", "-o", "name", stdin=pod).strip()
    ended = ".status.containerStatuses[0].state.terminated"
    cluster.run(*where, "wait", made, f"--for=jsonpath={{{ended}}}", WAIT)
    said = cluster.run(*where, "logs", made)
    code = cluster.run(*where, "get", made, "-o", f"jsonpath={{{ended}.exitCode}}")
    cluster.run(*where, "delete", made, "--now")
    assert code == "0", said[-2000:]
    return said


def copy_onto_claim(cluster: Cluster, namespace: str, claim: str, folder: Path) -> None:
    """Copy what lies in a folder onto a claim, from a restricted pod."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.add(folder, ".", filter=_plain)
    where, wait = ["-n", namespace], ["python", "-c", "import time; time.sleep(600)"]
    pod = json.dumps(restricted_pod(cluster.server_image, "copy", wait, claim))
    made = cluster.run(*where, "create", "-f", "-", "-o", "name", stdin=pod).strip()
    cluster.run(*where, "wait", made, "--for=condition=Ready", WAIT)
    unpack = ["exec", "-i", made, "--", "python", "-c", UNPACK]
    cluster.run(*where, *unpack, stdin=base64.b64encode(packed.getvalue()).decode())
    cluster.run(*where, "delete", made, "--now")


def _plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """As anybody may read it; the folder itself keeps its own mode."""
    entry.mode = 0o755 if entry.isdir() else 0o644
    return entry


def restricted_pod(image: str, name: str, command: list[str], claim: str | None = None) -> Body:
    """A pod that Pod Security `restricted` admits, with a claim at /claim if one is named."""
    container: Body = {
        "name": name,
        "image": image,
        "command": command,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    user = {"runAsNonRoot": True, "runAsUser": 65532, "runAsGroup": 65532, "fsGroup": 65532}
    spec: Body = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "securityContext": {**user, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
    }
    if claim is not None:
        container["volumeMounts"] = [{"name": "claim", "mountPath": "/claim"}]
        volume = {"name": "claim", "persistentVolumeClaim": {"claimName": claim}}
        spec["volumes"] = [volume]
    metadata = {"generateName": f"{name}-"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def place_of(uri: str) -> tuple[str, str]:
    """Claim and path of an artifact."""
    claim, _, path = uri.removeprefix("pvc://").partition("/")
    return claim, path


def manifests_of(cluster: Cluster, namespace: str, artifacts: Mapping[str, Body]) -> dict[str, Any]:
    """The manifest of each artifact by key; every file of all of them is as it was recorded."""
    places = {key: place_of(artifact["uri"]) for key, artifact in artifacts.items()}
    (claim,) = {claim for claim, _ in places.values()}
    asked = {places[key][1]: artifact["digest"] for key, artifact in artifacts.items()}
    program = (ROOT / "scripts/artifact_check.py").read_text()
    found = json.loads(run_on_claim(cluster, namespace, claim, LOOK, program, json.dumps(asked)))
    assert [f["faults"] for f in found.values()] == [[]] * len(asked)
    return {key: found[path] for key, (_, path) in places.items()}
