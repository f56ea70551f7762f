"""Quotas that are surely in force, for tests of what they refuse.

A quota that was just made is not: the API server enforces none that its own watch has not brought
it yet, and refuses everything while usage is not counted. One that counts objects of a kind whose
CRD is younger than the quota controller's last look at the API (every 30 s) is counted minutes
later, or when it is edited.
"""

from __future__ import annotations

from itertools import count
from typing import Any

from tests.support.api import Body, NotYetError, eventually
from tests.support.namespace import Namespace
from winnow_operator.errors import ForbiddenError
from winnow_operator.kube.resources import JOBS, PODS, TRIALS, Resource

QUOTAS = Resource("", "v1", "resourcequotas")
SECONDS = 90.0
"""Three looks of the quota controller at the API."""

_RESTRICTED = {
    "runAsNonRoot": True,
    "runAsUser": 65532,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
_POD: Body = {
    "restartPolicy": "Never",
    "containers": [{"name": "trial", "image": "example.test/x:1", "securityContext": _RESTRICTED}],
}


def _probe(resource: Resource, kind: str, spec: Any) -> tuple[Resource, Body]:
    version = f"{resource.group}/{resource.version}".removeprefix("/")
    document = {"apiVersion": version, "kind": kind, "metadata": {"name": "probe"}, "spec": spec}
    return resource, document


_PROBES = {
    "pods": _probe(PODS, "Pod", _POD),
    "count/jobs.batch": _probe(JOBS, "Job", {"suspend": True, "template": {"spec": _POD}}),
    "count/trials.winnow.dev": _probe(TRIALS, "Trial", {"number": 1, "seed": 1}),
}
"""By what a quota counts: an object that is made in dry runs."""


async def enforce_quota(namespace: Namespace, name: str, counted: str, limit: int = 0) -> None:
    """Make a quota; when this ends the API server refuses more than `limit`, perhaps fewer still.

    Args:
        namespace: where.
        name: of the quota.
        counted: what it counts, one of `_PROBES`.
        limit: how many of them there may be.
    """
    resource, probe = _PROBES[counted]
    quota = {"metadata": {"name": name}, "spec": {"hard": {counted: "0"}}}
    await namespace.api.create(namespace.path(QUOTAS), quota)
    edits = count(1000)

    async def is_enforced() -> bool:
        try:
            await namespace.api.create(namespace.path(resource), probe, dryRun="All")
        except ForbiddenError as error:
            if "exceeded quota" in str(error):
                return True
            # It is counted anew after any edit; one of what nobody here makes harms nobody.
            await _edit(namespace, name, {"services": str(next(edits))})
            raise
        raise NotYetError(f"quota {name} is not enforced")

    await eventually(is_enforced, seconds=SECONDS, what=f"quota {name} on {counted}")
    if limit:
        await _edit(namespace, name, {counted: str(limit)})


async def _edit(namespace: Namespace, name: str, hard: dict[str, str]) -> None:
    await namespace.api.merge(namespace.path(QUOTAS, name), {"spec": {"hard": hard}})


async def lift_quota(namespace: Namespace, name: str) -> None:
    """Remove a quota."""
    await namespace.api.delete(namespace.path(QUOTAS, name))
