"""The resources that the operator works with, and their paths on the API server."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override

from winnow_operator.api.names import GROUP, VERSION
from winnow_operator.domain.kinds import Kind


@dataclass(frozen=True, slots=True)
class Resource:
    """One namespaced resource."""

    group: str
    version: str
    plural: str

    def path(self, namespace: str, name: str = "", subresource: str = "") -> str:
        """Path of the collection, or of one object; without a namespace that of all namespaces."""
        prefix = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        scope = f"namespaces/{namespace}" if namespace else ""
        return "/".join(part for part in (prefix, scope, self.plural, name, subresource) if part)

    @override
    def __str__(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural


SEARCHJOBS = Resource(GROUP, VERSION, "searchjobs")
COMPRESSIONJOBS = Resource(GROUP, VERSION, "compressionjobs")
MODELSERVERS = Resource(GROUP, VERSION, "modelservers")
TRIALS = Resource(GROUP, VERSION, "trials")
JOBS = Resource("batch", "v1", "jobs")
DEPLOYMENTS = Resource("apps", "v1", "deployments")
SERVICES = Resource("", "v1", "services")
PODS = Resource("", "v1", "pods")
CLAIMS = Resource("", "v1", "persistentvolumeclaims")
CORE_EVENTS = Resource("", "v1", "events")
EVENTS = Resource("events.k8s.io", "v1", "events")
LEASES = Resource("coordination.k8s.io", "v1", "leases")

JOB_KINDS = {Kind.SEARCH: SEARCHJOBS, Kind.COMPRESSION: COMPRESSIONJOBS}
"""The resource of each kind of job."""

OWN_KINDS = {**JOB_KINDS, Kind.SERVER: MODELSERVERS}
"""The resource of each kind that is reconciled."""

SERVER_CHILDREN = {
    "Service": SERVICES,
    "Deployment": DEPLOYMENTS,
    "PodDisruptionBudget": Resource("policy", "v1", "poddisruptionbudgets"),
    "HorizontalPodAutoscaler": Resource("autoscaling", "v2", "horizontalpodautoscalers"),
    "NetworkPolicy": Resource("networking.k8s.io", "v1", "networkpolicies"),
}
"""What a ModelServer is made of, by kind."""

PASSING_CHILDREN = {
    kind: SERVER_CHILDREN[kind]
    for kind in ("Deployment", "HorizontalPodAutoscaler", "NetworkPolicy")
}
"""Those of them that are removed while the ModelServer lives."""
