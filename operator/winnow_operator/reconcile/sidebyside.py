"""Runs a few API calls at one time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable

CONCURRENT_CALLS = 8


async def side_by_side(calls: Iterable[Awaitable[None]]) -> None:
    """Await all calls, a few at a time; the first error rises once all have ended."""
    limit = asyncio.Semaphore(CONCURRENT_CALLS)

    async def one(call: Awaitable[None]) -> None:
        async with limit:
            await call

    results = await asyncio.gather(*(one(call) for call in calls), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
