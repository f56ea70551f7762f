"""Services whose process is one of the node's own, and no pod."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from devcluster.api import Api
from devcluster.profiles import Profile


@dataclass(frozen=True, slots=True)
class NodeService:
    """A Service that leads to a process of the node."""

    namespace: str
    name: str
    ports: Sequence[tuple[str, str, int]]
    """Name, protocol and number."""
    labels: dict[str, str]
    address: str | None = None
    """Its cluster IP; None takes any."""


def make_service(api: Api, profile: Profile, service: NodeService) -> None:
    """Make the Service and what it leads to, unless it is there."""
    api.create(f"/api/v1/namespaces/{service.namespace}/services", _service(service))
    slices = f"/apis/discovery.k8s.io/v1/namespaces/{service.namespace}/endpointslices"
    api.create(slices, _endpoints(service, profile))


def _service(service: NodeService) -> dict[str, Any]:
    """Without a selector: no pod stands behind it."""
    spec: dict[str, Any] = {"ports": _ports(service)}
    if service.address is not None:
        spec["clusterIP"] = service.address
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": service.name, "labels": service.labels},
        "spec": spec,
    }


def _endpoints(service: NodeService, profile: Profile) -> dict[str, Any]:
    labels = {
        "kubernetes.io/service-name": service.name,
        "endpointslice.kubernetes.io/managed-by": "devcluster",
    }
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": service.name, "labels": labels},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [profile.bridge_address], "conditions": {"ready": True}}],
        "ports": _ports(service),
    }


def _ports(service: NodeService) -> list[dict[str, Any]]:
    return [{"name": n, "protocol": p, "port": number} for n, p, number in service.ports]
