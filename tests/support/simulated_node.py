"""Plays scheduler and kubelet for the pods of a namespace, where there is no node.

The pods, their Jobs and everything that follows from them are real objects of a real API server;
what is played is only what a node would say about containers. What a trial reports is up to the
test: a script gets the assignments of a pod and says how its container ends.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.support.api import POLL_SECONDS, Api, Body
from tests.support.played_node import NODE, played, wait
from tests.support.watched_pods import WatchedPods
from winnow_contract.assignments import TrialAssignment, Value, decode_assignments
from winnow_contract.measuring.measurements import Measurement, decode_measurement
from winnow_contract.results import PodResult, TrialResult, encode_result
from winnow_operator.errors import ConflictError, KubernetesError, NotFoundError
from winnow_operator.kube.resources import PODS

IMAGE_ID = "example.test/trial@sha256:" + "a" * 64
ASSIGNMENTS = "winnow.dev/assignments"
BATCH = "winnow.dev/batch"
INDEX = "batch.kubernetes.io/job-completion-index"
STOPPED = 3


@dataclass(frozen=True, slots=True)
class PodView:
    """What a container knows of itself."""

    name: str
    attempt: str
    index: int
    trials: tuple[TrialAssignment, ...]
    failures: int
    """How often this index has failed before."""
    measurement: Measurement | None = None
    """What a measuring pod measures; it has no trials."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a container ends."""

    exit_code: int = 0
    message: str = ""
    reason: str = ""
    disrupted: bool = False


Script = Callable[[PodView], Ending | None]
"""How the container of a pod ends; None: it goes on running."""


def quality(parameters: Mapping[str, Value]) -> float:
    """A smooth figure with its best at x = 0.7, n = 5, green; the same on every machine."""
    x, n = float(parameters.get("x", 0.5)), float(parameters.get("n", 5))
    bonus = {"red": 0.0, "green": 0.05, "blue": 0.02}.get(str(parameters.get("word")), 0.0)
    return round(1.0 - (x - 0.7) ** 2 - 0.01 * (n - 5) ** 2 + bonus, 9)


def result_of(trial: TrialAssignment) -> TrialResult:
    """A succeeded trial with its quality."""
    value = quality(trial.parameters)
    return TrialResult(trial.number, "Succeeded", objective=value, standard_error=0.001, test=value)


def report(pod: PodView, *results: TrialResult, exit_code: int = 0) -> Ending:
    """An ending with a result as the termination message."""
    return Ending(exit_code, encode_result(PodResult(pod.attempt, results)))


def succeed(pod: PodView) -> Ending:
    """Every trial of the pod succeeds."""
    return report(pod, *(result_of(trial) for trial in pod.trials))


@dataclass(slots=True)
class SimulatedNode:
    """Binds, runs and ends pods of one namespace, at most `capacity` at one time."""

    api: Api
    namespace: str
    script: Script = succeed
    capacity: int = 1000
    look_seconds: float = POLL_SECONDS / 2
    """Time between two looks at the pods."""
    may_end: Callable[[PodView], bool] | None = None
    """Whether a pod whose container has ended well may end itself, asked at later looks, as a real
    node needs a while to end one; without it both happen at once."""
    started: list[str] = field(default_factory=list)
    """Names of the pods that have started, in order."""
    ran: list[tuple[int, ...]] = field(default_factory=list)
    """Numbers of the trials of each started pod, in order."""
    most_at_once: int = 0
    """The most pods that have run at one time."""
    _pods: WatchedPods = field(init=False)
    _running: set[str] = field(default_factory=set)
    _removed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._pods = WatchedPods(self.api, self.namespace)

    async def run(self, stop: asyncio.Event) -> None:
        """Play until told to stop."""
        async with self._pods.followed():
            while not stop.is_set():
                with contextlib.suppress(KubernetesError):
                    await self._look()
                await wait(stop, self.look_seconds)

    async def _look(self) -> None:
        pods = self._pods.labelled(BATCH)
        self._running = {
            p["metadata"]["name"] for p in pods if _phase(p) == "Running" and not _is_deleting(p)
        }
        for pod in pods:
            with contextlib.suppress(NotFoundError, ConflictError):
                await self._advance(pod)

    async def _advance(self, pod: Body) -> None:
        ended = _phase(pod) in {"Succeeded", "Failed"}
        if _is_deleting(pod):
            if not ended and pod["spec"].get("nodeName"):
                await self._end(pod, report(_view(pod), exit_code=STOPPED))
            await self._remove(pod)
        elif ended:
            return
        elif not pod["spec"].get("nodeName"):
            await self._start(pod)
        elif terminated := _terminated(pod):
            if self.may_end is not None and self.may_end(_view(pod)):
                await self._patch(pod, "Succeeded", {"terminated": terminated})
                self._running.discard(pod["metadata"]["name"])
        else:
            ending = self.script(_view(pod))
            if ending is not None:
                await self._end(pod, ending)

    async def _start(self, pod: Body) -> None:
        name = pod["metadata"]["name"]
        if len(self._running) >= self.capacity:
            return
        target = {"apiVersion": "v1", "kind": "Node", "name": NODE}
        binding = {"metadata": {"name": name}, "target": target}
        await self.api.create(PODS.path(self.namespace, name, "binding"), binding)
        await self._patch(pod, "Running", {"running": {}})
        self._running.add(name)
        self.most_at_once = max(self.most_at_once, len(self._running))
        self.started.append(name)
        self.ran.append(tuple(t.number for t in _view(pod).trials))

    async def _end(self, pod: Body, ending: Ending) -> None:
        reason = ending.reason or ("Completed" if ending.exit_code == 0 else "Error")
        terminated: Body = {"exitCode": ending.exit_code, "reason": reason, "finishedAt": _now()}
        if ending.message:
            terminated["message"] = ending.message
        if ending.exit_code == 0 and self.may_end is not None and not _is_deleting(pod):
            await self._patch(pod, "Running", {"terminated": terminated})
            return
        phase = "Succeeded" if ending.exit_code == 0 else "Failed"
        await self._patch(pod, phase, {"terminated": terminated}, disrupted=ending.disrupted)
        self._running.discard(pod["metadata"]["name"])

    async def _remove(self, pod: Body) -> None:
        """Let go of a pod; it stays until the Job controller has let go of it too."""
        uid = pod["metadata"]["uid"]
        if uid not in self._removed:
            path = PODS.path(self.namespace, pod["metadata"]["name"])
            await self.api.delete(path, gracePeriodSeconds=0)
            self._removed.add(uid)

    async def _patch(self, pod: Body, phase: str, state: Body, *, disrupted: bool = False) -> None:
        status: Body = {
            "phase": phase,
            "containerStatuses": [
                {
                    "name": "trial",
                    "image": "example.test/trial:1",
                    "imageID": IMAGE_ID,
                    "ready": False,
                    "restartCount": 0,
                    "state": state,
                }
            ],
        }
        if "running" in state:
            status["startTime"] = _now()
        if disrupted:
            disruption = {"type": "DisruptionTarget", "status": "True", "reason": "Preempted"}
            status["conditions"] = [disruption]
        path = PODS.path(self.namespace, pod["metadata"]["name"], "status")
        self._pods.note(await self.api.merge(path, {"status": status}))


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _phase(pod: Body) -> str:
    return str(pod.get("status", {}).get("phase", "Pending"))


def _terminated(pod: Body) -> Body | None:
    """How the container of a pod has ended."""
    containers = pod.get("status", {}).get("containerStatuses") or [{}]
    found: Body | None = containers[0].get("state", {}).get("terminated")
    return found


def _is_deleting(pod: Body) -> bool:
    return "deletionTimestamp" in pod["metadata"]


def _view(pod: Body) -> PodView:
    annotations: dict[str, Any] = pod["metadata"]["annotations"]
    text, index = annotations[ASSIGNMENTS], int(annotations[INDEX])
    measures = pod["metadata"]["labels"]["app.kubernetes.io/component"] == "measurement"
    return PodView(
        name=pod["metadata"]["name"],
        attempt=pod["metadata"]["uid"][:8],
        index=index,
        trials=() if measures else decode_assignments(text).of_index(index),
        measurement=decode_measurement(text) if measures else None,
        failures=int(annotations.get("batch.kubernetes.io/job-index-failure-count", "0")),
    )


@contextlib.asynccontextmanager
async def simulated_node(
    api: Api, namespace: str, script: Script = succeed, **options: Any
) -> AsyncIterator[SimulatedNode]:
    """A node for the pods of a namespace as long as the block lasts."""
    node = SimulatedNode(api, namespace, script, **options)
    async with played(api, node.run):
        yield node
