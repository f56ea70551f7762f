"""What a ModelServer is made of: one Service, a Deployment for each live revision, and on request more.

All of it is applied as a whole, by one field manager: a field that is left out here is removed.
"""

from __future__ import annotations

from typing import Any

from winnow_contract.serving import PORT_NAME
from winnow_operator.api.modelserver_status import RevisionStatus
from winnow_operator.api.names import API_VERSION, LABEL_PROBE, LABEL_REVISION
from winnow_operator.domain.servers.status import SERVICE_PORT
from winnow_operator.manifests.overlays import overlay_pod
from winnow_operator.manifests.serverpods import Server, server_pod


def deployment_name(server: str, revision: int) -> str:
    """Name of the Deployment of a revision."""
    return f"{server}-r{revision}"


def service(server: Server) -> dict[str, Any]:
    """The Service: its pods are those of all live revisions that are ready."""
    port = {
        "name": PORT_NAME,
        "port": SERVICE_PORT,
        "targetPort": PORT_NAME,
        "protocol": "TCP",
        "appProtocol": "http",
    }
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": server.metadata(),
        "spec": {"type": "ClusterIP", "selector": server.selector(), "ports": [port]},
    }


def deployment(server: Server, revision: RevisionStatus, replicas: int) -> dict[str, Any]:
    """The Deployment of a revision."""
    number = {LABEL_REVISION: str(revision.number)}
    metadata = server.metadata(deployment_name(server.name, revision.number))
    selector = {**server.selector(), **number}
    pod = server_pod(server, revision, {**server.labels(), **number})
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {**metadata, "labels": {**metadata["labels"], **number}},
        "spec": {
            "replicas": replicas,
            "revisionHistoryLimit": 1,
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
            },
            "selector": {"matchLabels": selector},
            "template": overlay_pod(pod, server.spec.pod_template),
        },
    }


def disruption_budget(server: Server) -> dict[str, Any]:
    """The PodDisruptionBudget over the pods of all revisions."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": server.metadata(),
        "spec": {
            "maxUnavailable": server.spec.disruption_budget.max_unavailable,
            "selector": {"matchLabels": server.selector()},
            # A pod that answers nothing protects nobody, and must not hold up a drain.
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        },
    }


def autoscaler(server: Server) -> dict[str, Any] | None:
    """The HorizontalPodAutoscaler, if one is asked for.

    It scales the ModelServer and not a Deployment: those come and go with the revisions.
    """
    scaling = server.spec.autoscaling
    if scaling is None:
        return None
    target = {"type": "Utilization", "averageUtilization": scaling.target_cpu_percent}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": server.metadata(),
        "spec": {
            "scaleTargetRef": {
                "apiVersion": API_VERSION,
                "kind": str(server.owner.kind),
                "name": server.name,
            },
            "minReplicas": scaling.min_replicas,
            "maxReplicas": scaling.max_replicas,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
        },
    }


def network_policy(server: Server) -> dict[str, Any] | None:
    """The NetworkPolicy, if one is asked for: requests from some, and none to anybody."""
    policy = server.spec.network_policy
    if policy is None:
        return None
    peers = [p.model_dump(by_alias=True, exclude_none=True) for p in policy.allow_from]
    # The probe of a canary asks as clients do; where all pods of the namespace may, it may too.
    probe = {"podSelector": {"matchLabels": {LABEL_PROBE: server.name}}}
    port = {"port": PORT_NAME, "protocol": "TCP"}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": server.metadata(),
        "spec": {
            "podSelector": {"matchLabels": server.selector()},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [
                {"from": [*peers, probe] if peers else [{"podSelector": {}}], "ports": [port]}
            ],
            "egress": [],
        },
    }
