"""The default claim for artifacts: one per namespace, owned by no job."""

from __future__ import annotations

from typing import Any

from winnow_operator.api.names import standard_labels

DEFAULT_CLAIM = "winnow-artifacts"


def default_claim(namespace: str, *, size: str, storage_class: str) -> dict[str, Any]:
    """A claim that outlives jobs: deleting a job never deletes a model that something serves.

    Args:
        namespace: where jobs run.
        size: request as a quantity, such as `10Gi`.
        storage_class: empty for the cluster's default class.
    """
    spec: dict[str, Any] = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": size}},
    }
    if storage_class:
        spec["storageClassName"] = storage_class
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": DEFAULT_CLAIM,
            "namespace": namespace,
            "labels": standard_labels(instance=DEFAULT_CLAIM, component="artifacts"),
        },
        "spec": spec,
    }
