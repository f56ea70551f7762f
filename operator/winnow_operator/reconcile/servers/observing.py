"""Looks at what a ModelServer is made of: its pods and Deployments, afresh, and what Events tell of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from winnow_operator.api.conditions import Reason
from winnow_operator.domain.blockages import blockage_from_words, is_old
from winnow_operator.domain.pods import Blockage
from winnow_operator.domain.servers.deployments import DeploymentFact, read_deployment
from winnow_operator.domain.servers.pods import ServerPod, read_server_pod
from winnow_operator.kube.resources import DEPLOYMENTS, PODS
from winnow_operator.reconcile.explaining import latest_event
from winnow_operator.reconcile.jobcontext import is_owned
from winnow_operator.reconcile.queries import of_job
from winnow_operator.reconcile.servers.context import ServerContext

PATIENCE = timedelta(seconds=15)
"""How long a pod may wait without a word before its Events are read."""
MAX_ASKED = 3
"""Pods whose Events are read in one look: the others mostly wait for the same."""


async def read_deployments(context: ServerContext) -> dict[int, DeploymentFact]:
    """The Deployments of this server by revision; those of a deleted namesake never count."""
    owner = context.owner
    labels = of_job(owner.kind, owner.name)
    bodies = await context.gateway.list(DEPLOYMENTS, owner.namespace, labels=labels)
    found = (read_deployment(body) for body in bodies if is_owned(body, owner.uid))
    return {fact.revision: fact for fact in found if fact is not None}


async def read_pods(context: ServerContext) -> tuple[ServerPod, ...]:
    """The pods of this server, with why they wait, as far as anybody says."""
    owner = context.owner
    labels, mark = of_job(owner.kind, owner.name), owner.kind.uid_annotation
    bodies = await context.gateway.list(PODS, owner.namespace, labels=labels)
    own = (b for b in bodies if (b["metadata"].get("annotations") or {}).get(mark) == owner.uid)
    pods = [pod for pod in map(read_server_pod, own) if pod is not None]
    now = context.tools.clock.now()
    silent = [pod for pod in pods if is_silent(pod) and is_old(pod.created, now, PATIENCE)]
    told = {pod.name: await _explained(context, pod) for pod in silent[:MAX_ASKED]}
    return tuple(told.get(pod.name, pod) for pod in pods)


def is_silent(pod: ServerPod) -> bool:
    """Whether a pod is not ready and does not say why: only its Events tell (a volume, say)."""
    return not (pod.ready or pod.deleting or pod.ended or pod.blockage)


async def _explained(context: ServerContext, pod: ServerPod) -> ServerPod:
    event = await latest_event(context, "Pod", pod.name)
    if event.warning:
        return replace(pod, blockage=blockage_from_words(event.warning))
    if event.reason == "Pulling":
        return replace(pod, blockage=Blockage(Reason.PULLING_IMAGE, event.message))
    return pod
