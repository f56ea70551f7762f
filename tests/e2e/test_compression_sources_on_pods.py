"""Sources that only a pod can see to be wrong, and pods that cannot have them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.e2e.claim_pods import place_of, run_on_claim
from tests.e2e.conftest import Cluster, Compressed
from tests.support.api import Api, Body
from tests.support.compressionjobs import INT8
from tests.support.namespace import Namespace, conditions
from tests.support.real_jobs import real_compression

pytestmark = pytest.mark.cluster

CLAIM = "winnow-artifacts"
BREAK = """
import hashlib, json, pathlib, pickle, shutil, sys
class Evil:
    def __reduce__(self):
        return open, ("/claim/broken/unpickled", "w")
source, broken = pathlib.Path("/claim") / sys.argv[1], pathlib.Path("/claim/broken")
damaged, pickled = (shutil.copytree(source, broken / name) for name in ("damaged", "pickled"))
weights = bytearray((damaged / "model.safetensors").read_bytes())
weights[-1] ^= 1
(damaged / "model.safetensors").write_bytes(weights)
evil = pickle.dumps(Evil(), protocol=4)
(broken / "net.pt").write_bytes(evil)
(pickled / "model.safetensors").write_bytes(evil)
manifest = json.loads((pickled / "manifest.json").read_text())
(entry,) = (file for file in manifest["files"] if file["path"] == "model.safetensors")
entry |= {"sha256": hashlib.sha256(evil).hexdigest(), "sizeBytes": len(evil)}
(pickled / "manifest.json").write_text(json.dumps(manifest))
print(hashlib.sha256((pickled / "manifest.json").read_bytes()).hexdigest())
"""
"""Copies an artifact with one bit changed, and with a pickled file under the name of its weights,
which says so if somebody opens it; prints the digest of the latter."""
LIST = "import json, os; print(json.dumps(sorted(os.listdir('/claim/broken'))))"
OTHER = "0" * 64


def of_model(name: str, uri: str, digest: str, **spec: Any) -> Body:
    model = {"uri": uri, "digest": f"sha256:{digest.removeprefix('sha256:')}"}
    budget = {"parallelism": 1, "retriesPerTrial": 0}
    return real_compression(name, model=model, candidates=[INT8], budget=budget, **spec)


def with_memory(limit: str) -> Body:
    resources = {"requests": {"memory": limit}, "limits": {"memory": limit}}
    return {"spec": {"containers": [{"name": "trial", "resources": resources}]}}


@pytest.fixture
def jobs(api: Api, compressed: Compressed) -> Namespace:
    """A namespace with a good source."""
    return Namespace(api, compressed.namespace).compressions


@pytest.mark.timeout(400)
async def test_a_source_that_is_damaged_pickled_or_another_one_ends_the_job_with_a_sentence(
    jobs: Namespace, cluster: Cluster, compressed: Compressed
) -> None:
    good, (claim, path) = compressed.artifact, place_of(compressed.artifact["uri"])
    assert claim == CLAIM
    pickled = run_on_claim(cluster, jobs.name, CLAIM, BREAK, path).strip()
    bad = {
        "another": (good["uri"], OTHER, ("has sha256", f"expected is {OTHER[:12]}...")),
        "damaged": (
            f"pvc://{CLAIM}/broken/damaged",
            good["digest"],
            ("model.safetensors in damaged is not the file that the manifest names",),
        ),
        "pickled": (
            f"pvc://{CLAIM}/broken/pickled",
            pickled,
            ("model.safetensors", "is a pickled file by another name", "nothing is unpickled"),
        ),
        "checkpoint": (
            f"pvc://{CLAIM}/broken/net.pt",
            OTHER,
            ("net.pt is a file: nothing is unpickled", "because a pickle runs code"),
        ),
        "nowhere": (
            f"pvc://{CLAIM}/nowhere",
            OTHER,
            ("is not there: look for its folder on claim winnow-artifacts",),
        ),
    }
    for name, (uri, digest, _) in bad.items():
        await jobs.create_job(of_model(name, uri, digest))

    ended = await asyncio.gather(*(jobs.ended(name, seconds=300) for name in bad))

    for body, (_, _, words) in zip(ended, bad.values(), strict=True):
        failed = conditions(body)["Failed"]
        assert failed["reason"] == "JobFault", failed
        assert "BadSource" in failed["message"]
        assert [word for word in words if word not in failed["message"]] == [], failed
    left = json.loads(run_on_claim(cluster, jobs.name, CLAIM, LIST))
    assert left == ["damaged", "net.pt", "pickled"], "somebody has unpickled something"


@pytest.mark.timeout(400)
async def test_a_claim_that_is_missing_is_named_and_the_job_goes_on_once_it_is_there(
    jobs: Namespace,
) -> None:
    await jobs.create_job(of_model("unclaimed", "pvc://not-there/models/x", OTHER))
    waiting = await jobs.condition("unclaimed", "Reconciling", "MissingClaim", seconds=180)
    (baseline, _) = await jobs.trials("unclaimed")
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    claims = f"/api/v1/namespaces/{jobs.name}/persistentvolumeclaims"
    await jobs.api.create(claims, {"metadata": {"name": "not-there"}, "spec": spec})
    body = await jobs.ended("unclaimed", seconds=180)

    assert "not-there" in waiting["message"]
    assert (baseline["status"]["outcome"], baseline["status"]["cause"]) == (
        "Active",
        "MissingClaim",
    )
    failed = conditions(body)["Failed"]
    assert failed["reason"] == "JobFault"
    assert "look for its folder on claim not-there" in failed["message"]


@pytest.mark.timeout(400)
async def test_a_builder_pod_with_too_little_memory_says_so(
    jobs: Namespace, compressed: Compressed
) -> None:
    good = compressed.artifact
    body = of_model("hungry", good["uri"], good["digest"], podTemplate=with_memory("48Mi"))
    await jobs.create_job(body)
    ended = await jobs.ended("hungry", seconds=300)

    failed = conditions(ended)["Failed"]
    baseline, _ = await jobs.trials("hungry")
    assert failed["reason"] == "JobFault"
    assert "the baseline failed: OOMKilled" in failed["message"]
    assert baseline["status"]["cause"] == "OOMKilled"
