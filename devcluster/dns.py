"""The Service of cluster DNS. CoreDNS itself is a process of the node, not a pod."""

from __future__ import annotations

from devcluster.api import Api
from devcluster.profiles import Profile
from devcluster.services import NodeService, make_service

_NAME = "kube-dns"


def make_dns_service(api: Api, profile: Profile) -> None:
    """Make the Service that pods ask, unless it is there."""
    service = NodeService(
        namespace="kube-system",
        name=_NAME,
        ports=(("dns", "UDP", 53), ("dns-tcp", "TCP", 53)),
        labels={"k8s-app": _NAME},
        address=profile.dns_service,
    )
    make_service(api, profile, service)
