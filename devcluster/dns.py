"""The Service of cluster DNS. CoreDNS itself is a process of the node, not a pod."""

from __future__ import annotations

from typing import Any

from devcluster.api import Api
from devcluster.profiles import Profile

_NAMESPACE, _NAME = "kube-system", "kube-dns"
_PORTS = (("dns", "UDP"), ("dns-tcp", "TCP"))


def make_dns_service(api: Api, profile: Profile) -> None:
    """Make the Service that pods ask, unless it is there."""
    api.create(f"/api/v1/namespaces/{_NAMESPACE}/services", _service(profile))
    slices = f"/apis/discovery.k8s.io/v1/namespaces/{_NAMESPACE}/endpointslices"
    api.create(slices, _endpoints(profile))


def _service(profile: Profile) -> dict[str, Any]:
    """Without a selector: no pod stands behind it."""
    ports = [{"name": name, "protocol": protocol, "port": 53} for name, protocol in _PORTS]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": _NAME, "labels": {"k8s-app": _NAME}},
        "spec": {"clusterIP": profile.dns_service, "ports": ports},
    }


def _endpoints(profile: Profile) -> dict[str, Any]:
    labels = {
        "kubernetes.io/service-name": _NAME,
        "endpointslice.kubernetes.io/managed-by": "devcluster",
    }
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": _NAME, "labels": labels},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [profile.bridge_address], "conditions": {"ready": True}}],
        "ports": [{"name": name, "protocol": protocol, "port": 53} for name, protocol in _PORTS],
    }
