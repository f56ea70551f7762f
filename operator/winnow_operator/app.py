"""The operator process, put together: the only place where all parts meet.

    can watch? --> wait for the Lease --> watch (kopf) and work (queue) --> end --> release
        |               |                        |
        +---SIGTERM-----+------------------------+--> exit code 0
                                                 +--> Lease lost, or a part has ended: 1

A standby replica waits for the Lease and does nothing else; it is cold, and lists afresh when
it begins to lead.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from contextlib import AsyncExitStack
from dataclasses import dataclass

import kopf
from aiohttp import web
from prometheus_client import REGISTRY

from winnow_operator.clock import Clock, SystemClock
from winnow_operator.domain.kinds import Kind
from winnow_operator.handlers.watching import WATCHES, register, watch_settings
from winnow_operator.health import (
    MAX_WAIT_SECONDS,
    MAX_WORK_SECONDS,
    Health,
    longer_than,
    serve_health,
    serve_metrics,
)
from winnow_operator.kube.connection import connect
from winnow_operator.kube.gateway import Gateway
from winnow_operator.kube.lease import LeaseElection, LeaseFence
from winnow_operator.kube.preflight import wait_until_watchable
from winnow_operator.kube.recorder import Recorder
from winnow_operator.metrics.gpu_time import GpuTime
from winnow_operator.metrics.objects import ObjectSeries
from winnow_operator.metrics.own import LONGEST_WORK_SECONDS, MAX_WORKERS, QUEUE_OLDEST_SECONDS
from winnow_operator.metrics.prometheus import Prometheus
from winnow_operator.reconcile.compressions.compressionjob import CompressionJobReconciler
from winnow_operator.reconcile.dispatch import Dispatch
from winnow_operator.reconcile.jobcontext import Tools
from winnow_operator.reconcile.podbook import PodBook
from winnow_operator.reconcile.queue import WorkQueue
from winnow_operator.reconcile.resync import Resync, SeenJobs
from winnow_operator.reconcile.searches.searchjob import SearchJobReconciler
from winnow_operator.reconcile.searches.trialfeed import TrialFeed
from winnow_operator.reconcile.servers.analysis import Analysis
from winnow_operator.reconcile.servers.modelserver import ModelServerReconciler
from winnow_operator.reconcile.workers import work
from winnow_operator.settings import Settings
from winnow_operator.supervision import cancel, finish, first_end, unless_stopped

DRAIN_SECONDS = 2.0
"""How long reconciles may take to end: they can write no more, and notice with their next write."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Operator:
    """The parts that a leader needs."""

    settings: Settings
    gateway: Gateway
    fence: LeaseFence
    election: LeaseElection
    queue: WorkQueue
    resync: Resync
    reconciler: Dispatch
    stop: asyncio.Event


async def run(settings: Settings) -> int:
    """Run until SIGTERM (0), or until the Lease is lost or a part has ended (1).

    Raises:
        WinnowError: if it cannot even start.
    """
    stop = asyncio.Event()
    _stop_on_signals(stop)
    health = Health()
    async with AsyncExitStack() as stack:
        operator = await _assemble(settings, stop, stack)
        _check_health(health, operator)
        _end_with(stack, await serve_health(settings.health_port, health))
        _end_with(stack, await serve_metrics(settings.metrics_port))
        return await _live(operator, health)


def _end_with(stack: AsyncExitStack, server: web.AppRunner | None) -> None:
    if server is not None:
        stack.push_async_callback(server.cleanup)


async def _assemble(settings: Settings, stop: asyncio.Event, stack: AsyncExitStack) -> Operator:
    clock: Clock = SystemClock()
    fence = LeaseFence(clock)
    client = await connect()
    stack.push_async_callback(client.close)
    gateway = Gateway(client, fence)
    recorder = Recorder(gateway, clock, settings.identity)
    gpu_time = GpuTime(clock)
    pods = PodBook(gpu_time)
    shown = ObjectSeries(settings.shown_objects, gpu_time, clock)
    REGISTRY.register(shown)
    stack.callback(REGISTRY.unregister, shown)
    tools = Tools(gateway, recorder, pods, settings, clock, shown=shown)
    queue = WorkQueue(clock, share=max(1, settings.workers - 1))
    prometheus = _prometheus(settings, stack)
    analysis = Analysis(prometheus, clock, queue.add)
    stack.push_async_callback(analysis.close)
    feed = TrialFeed(prometheus, clock, queue.add)
    stack.push_async_callback(feed.close)
    return Operator(
        settings=settings,
        gateway=gateway,
        fence=fence,
        election=LeaseElection(
            gateway, fence, clock, settings.lease_namespace, settings.lease_name, settings.identity
        ),
        queue=queue,
        resync=Resync(gateway, queue, pods, SeenJobs(), settings.namespaces, tuple(Kind)),
        reconciler=Dispatch(
            {
                Kind.SEARCH: SearchJobReconciler(tools, feed),
                Kind.COMPRESSION: CompressionJobReconciler(tools),
                Kind.SERVER: ModelServerReconciler(tools, analysis),
            },
            tools.waiting,
        ),
        stop=stop,
    )


def _prometheus(settings: Settings, stack: AsyncExitStack) -> Prometheus | None:
    if not settings.prometheus_url:
        return None
    prometheus = Prometheus(settings.prometheus_url)
    stack.push_async_callback(prometheus.close)
    return prometheus


def _check_health(health: Health, operator: Operator) -> None:
    queue, resync = operator.queue, operator.resync
    health.alive += [
        longer_than(MAX_WAIT_SECONDS, queue.oldest_wait_seconds, "a job has waited for a worker"),
        longer_than(MAX_WORK_SECONDS, queue.longest_work_seconds, "a reconcile has run"),
        lambda: resync.complaint,
    ]
    QUEUE_OLDEST_SECONDS.set_function(queue.oldest_wait_seconds)
    LONGEST_WORK_SECONDS.set_function(queue.longest_work_seconds)
    for kind in Kind:
        MAX_WORKERS.labels(kind.word).set(operator.settings.workers)


def _stop_on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)


async def _live(operator: Operator, health: Health) -> int:
    """Wait until this replica can lead, lead, and hand over."""
    stop, namespaces = operator.stop, operator.settings.namespaces

    def say(obstacle: str) -> None:
        health.obstacle = obstacle

    watchable = wait_until_watchable(operator.gateway, WATCHES, namespaces, say)
    if not await unless_stopped(stop, watchable):
        return 0
    logger.info("waiting for the Lease", extra={"identity": operator.settings.identity})
    try:
        if not await unless_stopped(stop, operator.election.acquire()):
            return 0
        return await _lead(operator)
    finally:
        # Also where the Lease was being taken when the process was told to stop.
        await operator.election.release()


async def _lead(operator: Operator) -> int:
    """Watch and work until told to stop, or until something ends that should not."""
    holding = asyncio.create_task(operator.election.hold(), name="lease")
    feeding = [
        asyncio.create_task(_watch(operator), name="watch"),
        asyncio.create_task(operator.resync.run(), name="resync"),
    ]
    workers = [
        asyncio.create_task(work(operator.queue, operator.reconciler), name=f"worker-{number}")
        for number in range(operator.settings.workers)
    ]
    try:
        asked = await first_end(operator.stop, [holding, *feeding, *workers])
    finally:
        logger.info("ending")
        operator.fence.close()
        operator.queue.close()
        await cancel(feeding)
        await finish(workers, DRAIN_SECONDS)
        await cancel({holding})
    return 0 if asked else 1


async def _watch(operator: Operator) -> None:
    """Run kopf until it fails or is cancelled.

    NB: not `kopf.operator`: when that ends it waits for, and cancels, every task in the process.
    """
    registry = kopf.OperatorRegistry()
    register(
        registry,
        queue=operator.queue,
        pods=operator.resync.pods,
        trials=operator.reconciler,
        resync=operator.resync,
    )
    namespaces = operator.settings.namespaces
    tasks = await kopf.spawn_tasks(
        registry=registry,
        settings=watch_settings(),
        standalone=True,
        clusterwide=not namespaces,
        namespaces=namespaces,
    )
    _stop_on_signals(operator.stop)  # kopf has put its own handlers in place of ours
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        await cancel([task for task in asyncio.all_tasks() if _is_request_of_kopf(task)])
        await cancel(tasks)


def _is_request_of_kopf(task: asyncio.Task[object]) -> bool:
    """Whether kopf has made this task for a single request, and will not cancel it itself.

    It makes such tasks when it asks what the API server serves; left alone they go on with a
    session that is closed, and say so.
    """
    frame = getattr(task.get_coro(), "cr_frame", None)
    module = "" if frame is None else frame.f_globals.get("__name__", "")
    return bool(module.startswith("kopf._cogs.clients."))
