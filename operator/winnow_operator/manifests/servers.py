"""What a ModelServer is made of: one Service, a Deployment for each live revision, and on request more.

All of it is applied as a whole, by one field manager: a field that is left out here is removed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from winnow_contract.serving import (
    FETCH_ARGUMENTS,
    HTTP_PORT,
    LIVE_PATH,
    PORT_NAME,
    READY_PATH,
    SERVE_ARGUMENTS,
    Serving,
    variables,
)
from winnow_contract.uris import parse_claim
from winnow_operator.api.fields import duration_seconds
from winnow_operator.api.modelserver import ModelServerSpec
from winnow_operator.api.modelserver_status import RevisionStatus
from winnow_operator.api.names import API_VERSION, LABEL_MODELSERVER, LABEL_REVISION
from winnow_operator.domain.server_checks import threads_of
from winnow_operator.domain.server_pods import FETCH, SERVER
from winnow_operator.domain.server_status import SERVICE_PORT
from winnow_operator.manifests.objects import (
    Owner,
    child_labels,
    child_metadata,
    scrape_annotations,
    without_queue,
)
from winnow_operator.manifests.overlays import overlay_pod
from winnow_operator.manifests.security import container_security, pod_security

SOURCE_DIR = Path("/winnow/source")
MODEL_DIR = Path("/winnow/model")
SPARE_SECONDS = 20
"""Of the grace period, what is left after draining for requests that are being answered."""


@dataclass(frozen=True, slots=True)
class Server:
    """A ModelServer as its children see it."""

    owner: Owner
    spec: ModelServerSpec
    image: str
    is_scraped: bool = False
    """Whether the annotations of its pods ask to be scraped."""

    @property
    def name(self) -> str:
        """Its name, and that of its Service."""
        return self.owner.name

    def labels(self) -> dict[str, str]:
        """Labels of everything that is made for it."""
        return without_queue({**self.owner.handed_on_labels(), **child_labels(self.owner, SERVER)})

    def metadata(self, name: str = "") -> dict[str, Any]:
        """Metadata of a child; by default of its own name."""
        return child_metadata(self.owner, name or self.name, self.labels())

    def selector(self) -> dict[str, str]:
        """Labels that select the pods of all revisions."""
        return {LABEL_MODELSERVER: self.name}


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
    pod = _pod(server, revision, {**server.labels(), **number})
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


def _pod(server: Server, revision: RevisionStatus, labels: Mapping[str, str]) -> dict[str, Any]:
    environment = _environment(server, revision)
    drain = duration_seconds(server.spec.server.drain)
    spread = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": server.selector()},
    }
    spec = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": drain + SPARE_SECONDS,
        "topologySpreadConstraints": [spread],
        "securityContext": pod_security(),
        "initContainers": [_fetch(server, environment)],
        "containers": [_serve(server, environment)],
        "volumes": [
            {
                "name": "winnow-source",
                "persistentVolumeClaim": {
                    "claimName": parse_claim(revision.uri).claim,
                    "readOnly": True,
                },
            },
            {"name": "winnow-model", "emptyDir": {}},
            {"name": "winnow-tmp", "emptyDir": {}},
        ],
    }
    asks = scrape_annotations(HTTP_PORT) if server.is_scraped else {}
    annotations = {server.owner.kind.uid_annotation: server.owner.uid, **asks}
    return {"metadata": {"labels": dict(labels), "annotations": annotations}, "spec": spec}


def _environment(server: Server, revision: RevisionStatus) -> list[dict[str, str]]:
    given = server.spec.server
    serving = Serving(
        model_uri=revision.uri,
        model_digest=revision.digest,
        model_source=SOURCE_DIR,
        model_folder=MODEL_DIR,
        model_name=server.name,
        model_revision=revision.number,
        threads=threads_of(server.spec),
        batching=given.batching,
        max_batch=given.max_batch_size,
        max_queue=given.max_queue,
        max_request_bytes=given.max_request_bytes,
        connection_max_age=duration_seconds(given.connection_max_age),
        drain_seconds=duration_seconds(given.drain),
        access_log=given.access_log,
    )
    plain = {**variables(serving), "HOME": "/tmp"}  # noqa: S108 -- an emptyDir of the pod
    return [{"name": name, "value": value} for name, value in plain.items()]


def _container(
    server: Server, name: str, args: tuple[str, ...], env: list[dict[str, str]]
) -> dict[str, Any]:
    resources = server.spec.resources
    return {
        "name": name,
        "image": server.image,
        "imagePullPolicy": "IfNotPresent",
        "args": list(args),
        "env": env,
        **({"resources": dict(resources)} if resources is not None else {}),
        "securityContext": container_security(),
        # The sentence that says why it ended; without one, the last log lines.
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }


def _fetch(server: Server, env: list[dict[str, str]]) -> dict[str, Any]:
    """Copies the model out of its claim, so that the server does not depend on it any more."""
    return {
        **_container(server, FETCH, FETCH_ARGUMENTS, env),
        "volumeMounts": [
            {"name": "winnow-source", "mountPath": str(SOURCE_DIR), "readOnly": True},
            {"name": "winnow-model", "mountPath": str(MODEL_DIR)},
            {"name": "winnow-tmp", "mountPath": "/tmp"},  # noqa: S108 -- an emptyDir of the pod
        ],
    }


def _serve(server: Server, env: list[dict[str, str]]) -> dict[str, Any]:
    def probe(path: str, period: int, failures: int) -> dict[str, Any]:
        return {
            "httpGet": {"path": path, "port": PORT_NAME},
            "periodSeconds": period,
            "timeoutSeconds": 5,
            "failureThreshold": failures,
        }

    return {
        **_container(server, SERVER, SERVE_ARGUMENTS, env),
        "ports": [{"name": PORT_NAME, "containerPort": HTTP_PORT, "protocol": "TCP"}],
        # A large model may take minutes to load; until then nothing else is asked.
        "startupProbe": probe(LIVE_PATH, 1, 900),
        "readinessProbe": probe(READY_PATH, 2, 3),
        "livenessProbe": probe(LIVE_PATH, 10, 6),
        "volumeMounts": [
            {"name": "winnow-model", "mountPath": str(MODEL_DIR), "readOnly": True},
            {"name": "winnow-tmp", "mountPath": "/tmp"},  # noqa: S108 -- an emptyDir of the pod
        ],
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
    port = {"port": PORT_NAME, "protocol": "TCP"}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": server.metadata(),
        "spec": {
            "podSelector": {"matchLabels": server.selector()},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": peers or [{"podSelector": {}}], "ports": [port]}],
            "egress": [],
        },
    }
