"""What the operator knows of a Deployment of a revision: read once, then immutable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from winnow_operator.api.names import LABEL_REVISION


@dataclass(frozen=True, slots=True)
class DeploymentFact:
    """One Deployment of a server."""

    revision: int
    replicas: int
    """Pods that it is told to have."""
    failure: str = ""
    """Why pods cannot even be made (a quota, an admission rule), in the cluster's words."""
    uid: str = ""


def read_deployment(body: Mapping[str, Any]) -> DeploymentFact | None:
    """The facts of a Deployment, or None if it is of no revision."""
    number = (body["metadata"].get("labels") or {}).get(LABEL_REVISION, "")
    if not number.isdigit():
        return None
    conditions = (body.get("status") or {}).get("conditions") or ()
    failed = (
        c.get("message", "")
        for c in conditions
        if c.get("type") == "ReplicaFailure" and c.get("status") == "True"
    )
    replicas = int(body["spec"].get("replicas", 1))
    uid = body["metadata"].get("uid", "")
    return DeploymentFact(int(number), replicas, next(failed, ""), uid)
