"""The pods that serve a model: a copy of it is fetched and verified, then it is served."""

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
from winnow_operator.api.names import LABEL_MODELSERVER
from winnow_operator.domain.checks.servers import threads_of
from winnow_operator.domain.servers.pods import FETCH, SERVER
from winnow_operator.manifests.objects import (
    Owner,
    child_labels,
    child_metadata,
    scrape_annotations,
    without_queue,
)
from winnow_operator.manifests.security import container_security, pod_security

SOURCE_DIR = Path("/winnow/source")
MODEL_DIR = Path("/winnow/model")
SPARE_SECONDS = 20
"""Of the grace period, what is left after draining for requests that are being answered."""

Container = dict[str, Any]
Environment = list[dict[str, str]]


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


def server_pod(
    server: Server, revision: RevisionStatus, labels: Mapping[str, str]
) -> dict[str, Any]:
    """A pod that serves a revision."""
    spread = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": server.selector()},
    }
    pod = fetching_pod(server, revision, _serve(server, environment_of(server, revision)), labels)
    drain = duration_seconds(server.spec.server.drain)
    if server.is_scraped:
        pod["metadata"]["annotations"] |= scrape_annotations(HTTP_PORT)
    pod["spec"] |= {
        "terminationGracePeriodSeconds": drain + SPARE_SECONDS,
        "topologySpreadConstraints": [spread],
    }
    return pod


def fetching_pod(
    server: Server, revision: RevisionStatus, container: Container, labels: Mapping[str, str]
) -> dict[str, Any]:
    """A pod whose container finds the model of a revision, fetched and verified, in MODEL_DIR."""
    claim = {"claimName": parse_claim(revision.uri).claim, "readOnly": True}
    spec = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": pod_security(),
        "initContainers": [_fetch(server, environment_of(server, revision))],
        "containers": [container],
        "volumes": [
            {"name": "winnow-source", "persistentVolumeClaim": claim},
            {"name": "winnow-model", "emptyDir": {}},
            {"name": "winnow-tmp", "emptyDir": {}},
        ],
    }
    annotations = {server.owner.kind.uid_annotation: server.owner.uid}
    return {"metadata": {"labels": dict(labels), "annotations": annotations}, "spec": spec}


def environment_of(server: Server, revision: RevisionStatus) -> Environment:
    """The settings of a revision, the same for all that have to do with it."""
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
    return as_environment(plain)


def as_environment(variables: Mapping[str, str]) -> Environment:
    """Variables as a container has them."""
    return [{"name": name, "value": value} for name, value in variables.items()]


def model_container(
    server: Server, name: str, args: tuple[str, ...], env: Environment
) -> Container:
    """A container of the server image that reads the fetched model."""
    return {
        **_container(server, name, args, env),
        "volumeMounts": [
            {"name": "winnow-model", "mountPath": str(MODEL_DIR), "readOnly": True},
            {"name": "winnow-tmp", "mountPath": "/tmp"},  # noqa: S108 -- an emptyDir of the pod
        ],
    }


def _container(server: Server, name: str, args: tuple[str, ...], env: Environment) -> Container:
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


def _fetch(server: Server, env: Environment) -> Container:
    """Copies the model out of its claim, so that the server does not depend on it any more."""
    return {
        **_container(server, FETCH, FETCH_ARGUMENTS, env),
        "volumeMounts": [
            {"name": "winnow-source", "mountPath": str(SOURCE_DIR), "readOnly": True},
            {"name": "winnow-model", "mountPath": str(MODEL_DIR)},
            {"name": "winnow-tmp", "mountPath": "/tmp"},  # noqa: S108 -- an emptyDir of the pod
        ],
    }


def _serve(server: Server, env: Environment) -> Container:
    def probe(path: str, period: int, failures: int) -> dict[str, Any]:
        return {
            "httpGet": {"path": path, "port": PORT_NAME},
            "periodSeconds": period,
            "timeoutSeconds": 5,
            "failureThreshold": failures,
        }

    return {
        **model_container(server, SERVER, SERVE_ARGUMENTS, env),
        "ports": [{"name": PORT_NAME, "containerPort": HTTP_PORT, "protocol": "TCP"}],
        # A large model may take minutes to load; until then nothing else is asked.
        "startupProbe": probe(LIVE_PATH, 1, 900),
        "readinessProbe": probe(READY_PATH, 2, 3),
        "livenessProbe": probe(LIVE_PATH, 10, 6),
    }
