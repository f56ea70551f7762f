"""A namespace whose claim holds models for servers, good ones and bad ones: no training, real files."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.claim_pods import copy_onto_claim
from tests.e2e.cluster import Cluster
from tests.support.api import Body
from tests.support.bad_models import CLAIM, Artifact, write_models
from tests.support.namespace import RESTRICTED


@dataclass(frozen=True, slots=True)
class Stock:
    """Models that servers of a namespace can name."""

    namespace: str
    models: Mapping[str, Artifact]


def small_claim(name: str) -> Body:
    """A claim that holds some models."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "100Mi"}},
        },
    }


@contextmanager
def models_on_a_claim(cluster: Cluster, folder: Path) -> Iterator[Stock]:
    """Such a namespace as long as the block lasts; the files are written in a folder first."""
    name = f"test-{secrets.token_hex(4)}"
    metadata = {"name": name, "labels": RESTRICTED}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
    models = write_models(folder)
    cluster.run("create", "-f", "-", stdin=json.dumps(namespace))
    try:
        cluster.run("-n", name, "create", "-f", "-", stdin=json.dumps(small_claim(CLAIM)))
        copy_onto_claim(cluster, name, CLAIM, folder / "claims" / CLAIM)
        yield Stock(name, models)
    finally:
        cluster.run("delete", "namespace", name, "--wait=false")
