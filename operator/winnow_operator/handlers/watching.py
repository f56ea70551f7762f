"""What is watched, and which key each event puts on the queue.

Only low-level event handlers: no state of kopf's own, no finalizers, no annotations. An event
says "look again" and never what to do, so a lost or doubled one does no harm.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import kopf

from winnow_operator.api.names import (
    GROUP,
    LABEL_BATCH,
    LABEL_MODELSERVER,
    LABEL_PROBE,
    MANAGED_BY,
    VERSION,
)
from winnow_operator.domain.kinds import Kind, job_of
from winnow_operator.domain.pods import read_pod
from winnow_operator.handlers.stateless import NoDiffBase
from winnow_operator.kube.connection import current_credentials
from winnow_operator.kube.preflight import Watch
from winnow_operator.kube.resources import (
    DEPLOYMENTS,
    JOBS,
    OWN_KINDS,
    PODS,
    SERVICES,
    TRIALS,
)
from winnow_operator.reconcile.podbook import PodBook
from winnow_operator.reconcile.queue import Key, WorkQueue
from winnow_operator.reconcile.resync import Resync

COALESCE_SECONDS = 0.05
"""What ends together is looked at together."""
UNHURRIED_SECONDS = 1.0
"""A pod that was made or runs, and what a Job has counted, start nothing; nor does one that ends
among others where nothing is chosen by its result and its Job has more to start by itself."""

WATCHES = (
    *(Watch(OWN_KINDS[kind]) for kind in Kind),
    # Of jobs and servers: selectors cannot say "this label or that one".
    Watch(PODS, labels=MANAGED_BY),
    Watch(JOBS, labels=LABEL_BATCH),
    Watch(DEPLOYMENTS, labels=LABEL_MODELSERVER),
    Watch(SERVICES, labels=LABEL_MODELSERVER),
    # Trials with an outcome are of no interest any more, and may be many.
    Watch(TRIALS, fields="status.outcome=Active"),
)


class TrialKeeper(Protocol):
    """Knows which jobs and Trials should be there, and who waits for whom."""

    def meet(self, key: Key, body: Mapping[str, Any]) -> bool:
        """The watch begins with this object; True if it must be looked at."""
        ...

    def mark_stale(self, key: Key, number: int) -> bool:
        """A Trial left the watch; True if that is news, because someone else did it."""
        ...

    def is_urgent(self, key: Key) -> bool:
        """Whether something may have to be started when a pod has ended."""
        ...

    def woken_by(self, key: Key) -> list[Key]:
        """Those that wait for a job."""
        ...


def register(
    registry: kopf.OperatorRegistry,
    *,
    queue: WorkQueue,
    pods: PodBook,
    trials: TrialKeeper,
    resync: Resync,
) -> None:
    """Register the event handlers and the login."""
    _register_login(registry)
    for kind in Kind:
        _register_kind(registry, kind, queue, resync, trials)
    _register_pods(registry, queue, pods, resync, trials)
    _register_children(registry, queue, trials)
    _register_served(registry, queue)


def _register_login(registry: kopf.OperatorRegistry) -> None:
    """Log kopf in as the gateway does, and again whenever the API server asks for it."""

    @kopf.on.login(registry=registry, backoff=5)
    async def login(**_: Any) -> kopf.ConnectionInfo:
        found = await current_credentials()
        return kopf.ConnectionInfo(
            server=found.server,
            insecure=not found.verify,
            scheme=found.scheme,
            token=found.token,
            ca_path=found.ca_file,
            certificate_path=found.certificate_file,
            private_key_path=found.key_file,
            proxy_url=found.proxy,
            trust_env=True,  # as the gateway's client
        )


def _register_kind(
    registry: kopf.OperatorRegistry,
    kind: Kind,
    queue: WorkQueue,
    resync: Resync,
    trials: TrialKeeper,
) -> None:
    @kopf.on.event(GROUP, VERSION, OWN_KINDS[kind].plural, registry=registry)
    async def own_event(
        type: str | None,  # noqa: A002 -- kopf's name for it
        namespace: str | None,
        name: str | None,
        body: kopf.Body,
        **_: Any,
    ) -> None:
        key = Key(namespace or "", name or "", kind)
        if type == "DELETED":
            resync.seen.gone(key)
        else:
            resync.seen.see(key, str(body.metadata.get("resourceVersion")))
        if type is not None or trials.meet(key, body):
            queue.add(key)
        for waiter in trials.woken_by(key):
            queue.add(waiter, delay=COALESCE_SECONDS)


def _register_pods(
    registry: kopf.OperatorRegistry,
    queue: WorkQueue,
    pods: PodBook,
    resync: Resync,
    trials: TrialKeeper,
) -> None:
    @kopf.on.event("", "v1", "pods", labels={LABEL_BATCH: kopf.PRESENT}, registry=registry)
    async def pod_event(
        type: str | None,  # noqa: A002 -- kopf's name for it
        body: kopf.Body,
        **_: Any,
    ) -> None:
        pod = read_pod(body)
        if pod is None:
            return
        if type is None and pods.has(pod):
            resync.relisted()
        if not (pods.remove(pod) if type == "DELETED" else pods.put(pod)):
            return  # nothing that a reconcile would act on
        key = Key(pod.namespace, pod.job, pod.kind)
        is_over = pod.is_terminal or type == "DELETED"
        is_last = not pod.is_running and not pods.has_running(key)
        soon = is_last or (is_over and trials.is_urgent(key))
        queue.add(key, delay=COALESCE_SECONDS if soon else UNHURRIED_SECONDS)


def _register_children(
    registry: kopf.OperatorRegistry, queue: WorkQueue, trials: TrialKeeper
) -> None:
    @kopf.on.event("batch", "v1", "jobs", labels={LABEL_BATCH: kopf.PRESENT}, registry=registry)
    async def batch_event(
        type: str | None,  # noqa: A002 -- kopf's name for it
        namespace: str | None,
        labels: kopf.Labels,
        **_: Any,
    ) -> None:
        key = _key_of(namespace, labels)
        if key is not None:
            queue.add(key, delay=COALESCE_SECONDS if type == "DELETED" else UNHURRIED_SECONDS)

    @kopf.on.event(GROUP, VERSION, "trials", registry=registry)
    async def trial_event(
        type: str | None,  # noqa: A002 -- kopf's name for it
        namespace: str | None,
        labels: kopf.Labels,
        spec: kopf.Spec,
        **_: Any,
    ) -> None:
        key = _key_of(namespace, labels)
        if type != "DELETED" or key is None:
            return
        if trials.mark_stale(key, int(spec.get("number", 0))):
            queue.add(key)


def _register_served(registry: kopf.OperatorRegistry, queue: WorkQueue) -> None:
    """What serves a model: all of it is read afresh, so an event says nothing but "look"."""
    served = {LABEL_MODELSERVER: kopf.PRESENT}

    @kopf.on.event("", "v1", "pods", labels=served, registry=registry)
    @kopf.on.event("apps", "v1", "deployments", labels=served, registry=registry)
    @kopf.on.event("", "v1", "services", labels=served, registry=registry)
    async def served_event(namespace: str | None, labels: kopf.Labels, **_: Any) -> None:
        key = _key_of(namespace, labels)
        if key is not None:
            queue.add(key, delay=COALESCE_SECONDS)

    @kopf.on.event("", "v1", "pods", labels={LABEL_PROBE: kopf.PRESENT}, registry=registry)
    async def probe_event(namespace: str | None, labels: kopf.Labels, **_: Any) -> None:
        key = Key(namespace or "", labels[LABEL_PROBE], Kind.SERVER)
        queue.add(key, delay=COALESCE_SECONDS)


def _key_of(namespace: str | None, labels: kopf.Labels) -> Key | None:
    """The job or server that something was made for, as its labels say."""
    job = job_of(labels)
    return None if job is None else Key(namespace or "", job[1], job[0])


def watch_settings() -> kopf.OperatorSettings:
    """Settings of kopf: server-side selectors, paged lists, no writes of its own."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.peering.standalone = True
    settings.persistence.diffbase_storage = NoDiffBase()
    settings.queueing.idle_timeout = 1.0
    settings.queueing.exit_timeout = 0.5  # handlers only put keys on a queue
    settings.queueing.worker_limit = None
    settings.process.ultimate_exiting_timeout = None  # the process ends by itself
    settings.watching.chunk_size = 500
    for watch in WATCHES:
        resource = watch.resource
        selector = (resource.group, resource.version, resource.plural)
        if watch.labels:
            settings.watching.label_selectors[selector] = watch.labels
        if watch.fields:
            settings.watching.field_selectors[selector] = watch.fields
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 10
    settings.networking.trust_env = True
    return settings
