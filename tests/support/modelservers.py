"""ModelServers for tests, and one namespace of a real cluster as they see it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from tests.support.api import Api, Body, eventually
from tests.support.namespace import Namespace, conditions
from winnow_operator.api.names import LABEL_MODELSERVER
from winnow_operator.domain.kinds import Kind
from winnow_operator.errors import NotFoundError
from winnow_operator.kube.resources import (
    DEPLOYMENTS,
    MODELSERVERS,
    PODS,
    SERVER_CHILDREN,
    SERVICES,
)

NAME = "digits"
WAIT_SECONDS = 90.0
"""A rollout is a dozen turns between operator, controllers and pods, on a machine that may be busy."""
FIRST = "sha256:" + "1a" * 32
SECOND = "sha256:" + "2b" * 32
THIRD = "sha256:" + "3c" * 32


def artifact(digest: str = FIRST) -> Body:
    """A model that is named by URI and digest."""
    return {"uri": f"pvc://models/digits/{digest[7:11]}", "digest": digest}


def model_server(name: str = NAME, **spec: Any) -> Body:
    """A ModelServer of an artifact that is named by URI."""
    return {
        "apiVersion": "winnow.dev/v1alpha1",
        "kind": "ModelServer",
        "metadata": {"name": name},
        "spec": {"model": artifact(), **spec},
    }


@dataclass(frozen=True, slots=True)
class Servers:
    """The ModelServers of a namespace."""

    namespace: Namespace

    @property
    def api(self) -> Api:
        """The client."""
        return self.namespace.api

    async def create(self, body: Body) -> Body:
        """Make a ModelServer."""
        return await self.api.create(self.namespace.path(MODELSERVERS), body)

    async def get(self, name: str = NAME) -> Body:
        """A ModelServer as it is."""
        return await self.api.get(self.namespace.path(MODELSERVERS, name))

    async def edit(self, name: str = NAME, **spec: Any) -> Body:
        """Merge fields into its spec."""
        return await self.api.merge(self.namespace.path(MODELSERVERS, name), {"spec": spec})

    async def serves(
        self, model: Body, name: str = NAME, *, replicas: int = 1, seconds: float = WAIT_SECONDS
    ) -> Body:
        """A ModelServer once it serves this model with so many pods and nothing is on its way."""

        async def check() -> Body | None:
            body = await self.get(name)
            status = body.get("status", {})
            serving = revision(body, status.get("revision"))
            is_there = (
                serving.get("digest") == model["digest"]
                and status["observedGeneration"] == body["metadata"]["generation"]
                and status["ready"] == f"{replicas}/{replicas}"
                and status["state"] == "Ready"
                and "rollout" not in status
            )
            return body if is_there else None

        what = f"{name} with {model['digest'][:16]}"
        return await eventually(check, seconds=seconds, what=what)

    async def state(self, state: str, name: str = NAME, *, seconds: float = WAIT_SECONDS) -> Body:
        """A ModelServer once its state is this word, for its spec as it is."""

        async def check() -> Body | None:
            body = await self.get(name)
            status = body.get("status", {})
            is_observed = status.get("observedGeneration") == body["metadata"]["generation"]
            return body if is_observed and status.get("state") == state else None

        return await eventually(check, seconds=seconds, what=f"{name} with status {state}")

    async def condition(
        self, kind: str, reason: str, *, status: str = "True", name: str = NAME
    ) -> Body:
        """A condition once it has this reason and status."""

        async def check() -> Body | None:
            found = conditions(await self.get(name)).get(kind, {})
            matches = found.get("reason") == reason and found.get("status") == status
            return found if matches else None

        return await eventually(check, seconds=WAIT_SECONDS, what=f"{kind}={reason} of {name}")

    async def says(self, words: str, name: str = NAME) -> Body | None:
        """A ModelServer, if its condition Progressing has these words."""
        body = await self.get(name)
        said = conditions(body).get("Progressing", {}).get("message", "")
        return body if words in said else None

    async def deployments(self) -> dict[str, int]:
        """Pods that each Deployment is told to have, by its name."""
        items = (await self.api.get(self.namespace.path(DEPLOYMENTS)))["items"]
        return {d["metadata"]["name"]: d["spec"]["replicas"] for d in items}

    async def only_deployment(self, name: str, *, seconds: float = WAIT_SECONDS) -> None:
        """Wait until this is the only Deployment."""

        async def check() -> bool:
            return list(await self.deployments()) == [name]

        await eventually(check, seconds=seconds, what=f"only Deployment {name}")

    async def pods(self, name: str = "") -> list[Body]:
        """All pods of the namespace, or those of a server."""
        query = {"labelSelector": f"{LABEL_MODELSERVER}={name}"} if name else {}
        return list((await self.api.get(self.namespace.path(PODS), **query))["items"])

    async def pod_names(self, name: str) -> set[str]:
        """Names of the pods of a server."""
        return {pod["metadata"]["name"] for pod in await self.pods(name)}

    async def has_pods(self, count: int, name: str, *, seconds: float = WAIT_SECONDS) -> None:
        """Wait until a server has so many pods, and none that goes any more."""

        async def check() -> bool:
            return len(await self.pods(name)) == count

        await eventually(check, seconds=seconds, what=f"{count} pods of {name}")

    async def child(self, kind: str, name: str = NAME) -> Body | None:
        """A child of a server, if it is there."""
        try:
            return await self.api.get(self.namespace.path(SERVER_CHILDREN[kind], name))
        except NotFoundError:
            return None

    async def service(self, name: str = NAME) -> Body:
        """The Service."""
        return await self.api.get(self.namespace.path(SERVICES, name))

    async def delete(self, name: str) -> None:
        """Delete a server as kubectl does."""
        path = self.namespace.path(MODELSERVERS, name)
        await self.api.delete(path, propagationPolicy="Background")

    async def evict(self, pod: str) -> None:
        """Have a pod go as a drain of its node does."""
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod}}
        await self.api.create(f"{self.namespace.path(PODS, pod)}/eviction", body)

    async def said_of(self, name: str) -> list[str]:
        """The sentences of all Events about a server."""
        return [e["note"] for e in await replace(self.namespace, kind=Kind.SERVER).events(name)]

    async def delete_child(self, kind: str, name: str = NAME) -> None:
        """Delete a child as kubectl does."""
        path = self.namespace.path(SERVER_CHILDREN[kind], name)
        await self.api.delete(path, propagationPolicy="Background")


def revision(body: Body, number: int | None) -> Body:
    """A revision in the history of a server."""
    history = body.get("status", {}).get("history", [])
    return next((r for r in history if r["number"] == number), {})


def outcomes(body: Body) -> dict[int, str]:
    """What has become of each revision."""
    return {r["number"]: r["outcome"] for r in body["status"]["history"]}
