"""One namespace of a real cluster as a test sees it: SearchJobs, their Trials, Jobs and pods."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from tests.support.api import Api, Body, NotYetError, eventually
from tests.support.played_node import NODE
from winnow_operator.domain.kinds import Kind
from winnow_operator.kube.resources import (
    CLAIMS,
    EVENTS,
    JOB_KINDS,
    JOBS,
    PODS,
    TRIALS,
    Resource,
)

RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}
ENDED = ("Complete", "Failed")


@dataclass(frozen=True, slots=True)
class Namespace:
    """A namespace and the client to look at it."""

    api: Api
    name: str
    kind: Kind = Kind.SEARCH
    """Kind of the jobs that the methods speak of."""

    @property
    def compressions(self) -> Namespace:
        """The same namespace, for its CompressionJobs."""
        return replace(self, kind=Kind.COMPRESSION)

    @property
    def jobs(self) -> Resource:
        """The resource of the jobs."""
        return JOB_KINDS[self.kind]

    def _selector(self, job: str) -> str:
        return f"{self.kind.label}={job}"

    def path(self, resource: Resource, name: str = "", subresource: str = "") -> str:
        """Path of a collection or of an object in this namespace."""
        return resource.path(self.name, name, subresource)

    async def create_job(self, body: Body) -> Body:
        """Make a SearchJob."""
        return await self.api.create(self.path(self.jobs), body)

    async def job(self, name: str) -> Body:
        """A SearchJob as it is."""
        return await self.api.get(self.path(self.jobs, name))

    async def edit_job(self, name: str, **spec: Any) -> Body:
        """Merge fields into the spec of a SearchJob."""
        return await self.api.merge(self.path(self.jobs, name), {"spec": spec})

    async def delete_job(self, name: str) -> None:
        """Delete a SearchJob as kubectl does."""
        path = self.path(self.jobs, name)
        await self.api.delete(path, propagationPolicy="Background")

    async def _items(self, resource: Resource, **query: str) -> list[Body]:
        return list((await self.api.get(self.path(resource), **query))["items"])

    async def trials(self, job: str) -> list[Body]:
        """All Trials of a SearchJob, by number."""
        items = await self._items(TRIALS, labelSelector=self._selector(job))
        return sorted(items, key=lambda t: int(t["spec"]["number"]))

    async def batches(self, job: str) -> list[Body]:
        """All Jobs of a SearchJob."""
        return await self._items(JOBS, labelSelector=self._selector(job))

    async def pods(self, job: str) -> list[Body]:
        """All pods of a SearchJob."""
        return await self._items(PODS, labelSelector=self._selector(job))

    async def claims(self) -> list[Body]:
        """All claims of the namespace."""
        return await self._items(CLAIMS)

    async def events(self, job: str) -> list[Body]:
        """All Events about a SearchJob."""
        return [
            e
            for e in await self._items(EVENTS)
            if (e["regarding"]["kind"], e["regarding"]["name"]) == (self.kind, job)
        ]

    async def ended(self, name: str, *, seconds: float = 60.0) -> Body:
        """A SearchJob once it has ended, well or not."""

        async def check() -> Body:
            body = await self.job(name)
            if not any(holds(body, kind) for kind in ENDED):
                raise NotYetError(summary(body))
            return body

        return await eventually(check, seconds=seconds, what=f"the end of {self.name}/{name}")

    async def condition(
        self, name: str, kind: str, reason: str, *, status: str = "True", seconds: float = 30.0
    ) -> Body:
        """A condition of a SearchJob once it has this reason and status."""

        async def check() -> Body:
            body = await self.job(name)
            found = conditions(body).get(kind, {})
            if (found.get("reason"), found.get("status")) != (reason, status):
                raise NotYetError(summary(body))
            return found

        return await eventually(check, seconds=seconds, what=f"{kind}={reason} of {name}")

    async def nothing_left_of(self, name: str, *, seconds: float = 30.0) -> None:
        """Wait until no object of a deleted SearchJob is there."""

        async def check() -> bool:
            found = [*await self.trials(name), *await self.batches(name), *await self.pods(name)]
            return not found and not await self.api.exists(self.path(self.jobs, name))

        await eventually(check, seconds=seconds, what=f"the removal of all of {name}")


def conditions(body: Body) -> dict[str, Body]:
    """Conditions of an object by type."""
    return {c["type"]: c for c in body.get("status", {}).get("conditions", [])}


def summary(body: Body) -> str:
    """Progress and conditions of an object in one line, for whoever waited for others in vain."""
    told = (
        f"{c['type']}={c['status']} {c['reason']}: {c['message']}"
        for c in conditions(body).values()
    )
    return "; ".join((str(body.get("status", {}).get("progress", "no progress")), *told))


def holds(body: Body, kind: str) -> bool:
    """Whether a condition is True."""
    return conditions(body).get(kind, {}).get("status") == "True"


def outcomes(trials: list[Body]) -> list[str]:
    """The outcome of each Trial."""
    return [t["status"]["outcome"] for t in trials]


@contextlib.asynccontextmanager
async def new_namespace(api: Api) -> AsyncIterator[Namespace]:
    """A namespace of its own that enforces Pod Security `restricted`, deleted in the end."""
    name = f"test-{secrets.token_hex(4)}"
    path = "/api/v1/namespaces"
    await api.create(path, {"metadata": {"name": name, "labels": RESTRICTED}})
    account = f"{path}/{name}/serviceaccounts/default"
    await eventually(lambda: api.exists(account), what="the default service account")
    try:
        yield Namespace(api, name)
    finally:
        await api.delete(f"{path}/{name}")
        # Nobody confirms the end of pods on a node that was played. The namespace would be going for
        # ever, and the controller look at it again and again, with a call for each kind there is.
        left = urlencode({"fieldSelector": f"spec.nodeName={NODE}"})
        await api.delete(f"{PODS.path(name)}?{left}", gracePeriodSeconds=0)
