"""Tasks that should run for ever, and what happens when one does not.

A leader with a dead part would keep its Lease and do half its work. So the first part that ends
ends the process, with its traceback in the log.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Coroutine
from typing import Any

logger = logging.getLogger(__name__)


async def unless_stopped(stop: asyncio.Event, wanted: Coroutine[Any, Any, None]) -> bool:
    """Await something; False if the process was told to stop first, and `wanted` is cancelled."""
    task, stopping = asyncio.create_task(wanted), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finished = task.done()
    finally:
        await cancel({task, stopping})
    if finished:
        task.result()  # its error is the caller's
    return finished


async def first_end(stop: asyncio.Event, tasks: Collection[asyncio.Task[None]]) -> bool:
    """Wait until the process is told to stop (True), or a task has ended by itself (False)."""
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({stopping, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await cancel({stopping})
    ended = [task for task in tasks if task.done()]
    for task in ended:
        error = None if task.cancelled() else task.exception()
        logger.error(
            "a part of the operator has ended", extra={"part": task.get_name()}, exc_info=error
        )
    return not ended


async def finish(tasks: Collection[asyncio.Task[None]], seconds: float) -> None:
    """Let tasks that were told to end do so; cancel those that take longer."""
    if tasks:
        await asyncio.wait(tasks, timeout=seconds)
    await cancel(tasks)


async def cancel(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancel tasks and wait until they are over; what they raise then is of no interest."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
