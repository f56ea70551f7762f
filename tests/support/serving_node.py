"""Plays scheduler and kubelet for the server pods of a namespace, where there is no node.

The pods, their Deployments and everything that follows from them are real objects of a real API
server; what is played is only what a node would say about containers. How a pod fares is up to the
test: a script gets what the pod serves and says what has become of its containers.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from tests.support.api import POLL_SECONDS, Api, Body
from tests.support.played_node import NODE, played, wait
from tests.support.watched_pods import WatchedPods
from winnow_contract.comparing import Compared, encode_compared
from winnow_operator.errors import ConflictError, KubernetesError, NotFoundError
from winnow_operator.kube.resources import PODS

LABEL = "winnow.dev/modelserver"
PROBE = "winnow.dev/probe"
REVISION = "winnow.dev/revision"
ADDRESS = "192.0.2.7"
"""Of every pod; nobody asks there."""


@dataclass(frozen=True, slots=True)
class ServerView:
    """What a server pod knows of itself."""

    name: str
    server: str
    revision: int
    uri: str
    digest: str


@dataclass(frozen=True, slots=True)
class Fares:
    """How a server pod fares."""

    ready: bool = True
    restarts: int = 0
    """How often its server was started again."""
    refusal: str = ""
    """Why its init container does not take the model; it never gets further."""
    reason: str = "Error"
    """Why the server ended last, if it was started again."""


Script = Callable[[ServerView], Fares]
SAME = Compared(rows=256, equal=256)


def well(_: ServerView) -> Fares:
    """Every pod gets ready."""
    return Fares()


@dataclass(slots=True)
class ServingNode:
    """Binds and runs server pods of one namespace."""

    api: Api
    namespace: str
    script: Script = well
    compared: Compared | None = SAME
    """What probes of canaries find; None: they find nothing."""
    least_ready: int = 1 << 30
    """The fewest pods that were ready at one time, since it was last set."""
    _pods: WatchedPods = field(init=False)
    _told: dict[str, Body] = field(default_factory=dict)
    _removed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._pods = WatchedPods(self.api, self.namespace)

    async def run(self, stop: asyncio.Event) -> None:
        """Play until told to stop."""
        async with self._pods.followed():
            while not stop.is_set():
                with contextlib.suppress(KubernetesError):
                    await self._look()
                await wait(stop, POLL_SECONDS / 2)

    async def _look(self) -> None:
        pods = self._pods.labelled(LABEL)
        ready = [p for p in pods if "deletionTimestamp" not in p["metadata"] and is_ready(p)]
        self.least_ready = min(self.least_ready, len(ready))
        for pod in pods:
            with contextlib.suppress(NotFoundError, ConflictError):
                await self._advance(pod, status_of(self.script(view_of(pod))))
        for pod in self._pods.labelled(PROBE):
            with contextlib.suppress(NotFoundError, ConflictError):
                await self._advance(pod, status_of_probe(self.compared))

    async def _advance(self, pod: Body, status: Body) -> None:
        name, uid = pod["metadata"]["name"], pod["metadata"]["uid"]
        if "deletionTimestamp" in pod["metadata"]:
            if uid not in self._removed:
                await self.api.delete(PODS.path(self.namespace, name), gracePeriodSeconds=0)
                self._removed.add(uid)
            return
        if not pod["spec"].get("nodeName"):
            target = {"apiVersion": "v1", "kind": "Node", "name": NODE}
            binding = {"metadata": {"name": name}, "target": target}
            await self.api.create(PODS.path(self.namespace, name, "binding"), binding)
        if self._told.get(uid) != status:
            path = PODS.path(self.namespace, name, "status")
            self._pods.note(await self.api.merge(path, {"status": status}))
            self._told[uid] = status


def is_ready(pod: Body) -> bool:
    """Whether a pod has the condition."""
    conditions = pod.get("status", {}).get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def view_of(pod: Body) -> ServerView:
    """What a pod serves."""
    labels = pod["metadata"]["labels"]
    container = pod["spec"]["initContainers"][0]
    env = {e["name"]: e["value"] for e in container["env"]}
    return ServerView(
        name=pod["metadata"]["name"],
        server=labels[LABEL],
        revision=int(labels[REVISION]),
        uri=env["WINNOW_MODEL_URI"],
        digest=env["WINNOW_MODEL_DIGEST"],
    )


def status_of(fares: Fares) -> Body:
    """The status that a kubelet would write."""
    ready = fares.ready and not fares.refusal
    status = "True" if ready else "False"
    conditions = [{"type": kind, "status": status} for kind in ("Ready", "ContainersReady")]
    return {
        "phase": "Pending" if fares.refusal else "Running",
        "conditions": conditions,
        "podIP": ADDRESS,
        "podIPs": [{"ip": ADDRESS}],
        "initContainerStatuses": [_fetch(fares)],
        "containerStatuses": [_server(fares, ready=ready)],
    }


def status_of_probe(found: Compared | None) -> Body:
    """The status of a probe's pod that has found this, or goes on asking."""
    if found is None:
        return {"phase": "Running", "containerStatuses": [_asking({"running": {}})]}
    message = encode_compared(found)
    ended = {"terminated": {"exitCode": 0, "reason": "Completed", "message": message}}
    return {"phase": "Succeeded", "containerStatuses": [_asking(ended)]}


def _asking(state: Body) -> Body:
    return _container("compare", state, {}, ready=False, restarts=0)


def _fetch(fares: Fares) -> Body:
    state: Body = {"terminated": {"exitCode": 0, "reason": "Completed"}}
    last: Body = {}
    if fares.refusal:
        state = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}}
        last = {"terminated": {"exitCode": 65, "reason": "Error", "message": fares.refusal}}
    return _container("fetch", state, last, ready=not fares.refusal, restarts=bool(last))


def _server(fares: Fares, *, ready: bool) -> Body:
    state: Body = {"waiting": {"reason": "PodInitializing"}} if fares.refusal else {"running": {}}
    last: Body = {}
    if fares.restarts:
        last = {"terminated": {"exitCode": 137, "reason": fares.reason}}
    return _container("server", state, last, ready=ready, restarts=fares.restarts)


def _container(name: str, state: Body, last: Body, *, ready: bool, restarts: int) -> Body:
    return {
        "name": name,
        "image": "example.test/server:1",
        "imageID": "",
        "ready": ready,
        "restartCount": int(restarts),
        "state": state,
        "lastState": last,
    }


@contextlib.asynccontextmanager
async def serving_node(
    api: Api, namespace: str, script: Script = well
) -> AsyncIterator[ServingNode]:
    """A node for the server pods of a namespace as long as the block lasts."""
    node = ServingNode(api, namespace, script)
    async with played(api, node.run):
        yield node
