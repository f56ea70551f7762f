"""What the documents of this package share: the owning job and metadata."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from winnow_operator.api.names import API_VERSION, GROUP, standard_labels
from winnow_operator.domain.kinds import Kind

_OWN_PREFIXES = (f"{GROUP}/", "app.kubernetes.io/", "batch.kubernetes.io/")
_KUEUE_PREFIX = "kueue.x-k8s.io/"
_OWN_LABELS = frozenset({"controller-uid", "job-name"})
"""The Job controller sets these on pods, and refuses a template that has them already."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The job or server that owns what is made."""

    namespace: str
    name: str
    uid: str
    labels: Mapping[str, str] = field(default_factory=dict)
    kind: Kind = Kind.SEARCH

    def trial_name(self, number: int) -> str:
        """Name of the job's Trial with this number."""
        return self.kind.trial_name(self.name, number)

    def batch_name(self, number: int) -> str:
        """Name of the Job of the job's batch with this number."""
        return self.kind.batch_name(self.name, number)

    def reference(self) -> dict[str, Any]:
        """Owner reference for children: they go when the job goes."""
        return {
            "apiVersion": API_VERSION,
            "kind": str(self.kind),
            "name": self.name,
            "uid": self.uid,
            "controller": True,
            "blockOwnerDeletion": True,
        }

    def handed_on_labels(self) -> dict[str, str]:
        """The job's own labels (cost centre, queue) that its Jobs and pods get too."""
        return {
            key: value
            for key, value in self.labels.items()
            if not key.startswith(_OWN_PREFIXES) and key not in _OWN_LABELS
        }


def child_labels(owner: Owner, component: str) -> dict[str, str]:
    """Labels of everything that is made for a job."""
    return {
        **standard_labels(instance=owner.name, component=component),
        owner.kind.label: owner.name,
    }


def scrape_annotations(port: int) -> dict[str, str]:
    """What a Prometheus that looks for annotations finds a pod by; only a custom, but a wide one."""
    prefix = "prometheus.io"
    return {f"{prefix}/scrape": "true", f"{prefix}/port": str(port), f"{prefix}/path": "/metrics"}


def without_queue(labels: Mapping[str, str]) -> dict[str, str]:
    """The labels of what no queue of Kueue's shall hold up."""
    return {key: value for key, value in labels.items() if not key.startswith(_KUEUE_PREFIX)}


def child_metadata(owner: Owner, name: str, labels: Mapping[str, str]) -> dict[str, Any]:
    """Metadata of an object that the owner goes with."""
    return {
        "name": name,
        "namespace": owner.namespace,
        "labels": dict(labels),
        "ownerReferences": [owner.reference()],
    }
