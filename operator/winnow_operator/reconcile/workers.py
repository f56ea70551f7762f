"""Takes keys off the queue and reconciles them, a few at a time."""

from __future__ import annotations

import logging
from typing import Protocol

from winnow_operator.errors import ConflictError, FencedError, KubernetesError
from winnow_operator.logs import about
from winnow_operator.metrics.own import (
    ACTIVE_WORKERS,
    RECONCILE_ERRORS,
    RECONCILE_SECONDS,
    RECONCILES,
)
from winnow_operator.reconcile.queue import Key, QueueClosedError, WorkQueue

logger = logging.getLogger(__name__)


class Reconciler(Protocol):
    """Brings one object to where its spec wants it."""

    async def reconcile(self, key: Key) -> float | None:
        """One look; gives the seconds after which to look again, if any."""
        ...

    def forget_state(self, key: Key) -> None:
        """Drop what is kept of an object in memory: it may be wrong."""
        ...


async def work(queue: WorkQueue, reconciler: Reconciler) -> None:
    """Reconcile keys until the queue is closed; an error puts its key back and touches no other."""
    while True:
        try:
            key = await queue.take()
        except QueueClosedError:
            return
        controller = key.kind.word
        running, seconds = ACTIVE_WORKERS.labels(controller), RECONCILE_SECONDS.labels(controller)
        job = about(str(key.kind), key.namespace, key.name)
        with running.track_inprogress(), seconds.time(), job:
            result = await _reconcile(queue, reconciler, key)
        RECONCILES.labels(controller, result).inc()


async def _reconcile(queue: WorkQueue, reconciler: Reconciler, key: Key) -> str:
    try:
        again = await reconciler.reconcile(key)
    except FencedError:
        queue.failed(key)
        return "fenced"
    except ConflictError as error:
        logger.debug("changed meanwhile", extra={"error": str(error)})
        queue.failed(key)
        return "again"
    except KubernetesError as error:
        logger.warning("will try again", extra={"error": str(error)})
        queue.failed(key)
        return "again"
    except Exception:
        # The one place that catches everything: a bug in one job must not stop the others.
        logger.exception("reconcile failed")
        RECONCILE_ERRORS.labels(key.kind.word).inc()
        reconciler.forget_state(key)
        queue.failed(key)
        return "error"
    queue.done(key, again=again)
    return "done"
