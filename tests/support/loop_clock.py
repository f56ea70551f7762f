"""A clock that runs with the event loop, so that virtual time (looptime) moves it too."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 1, tzinfo=UTC)


class LoopClock:
    """Wall and monotonic time of the running loop."""

    def now(self) -> datetime:
        """The start of 2026 and what has passed since the loop was made."""
        return START + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        """The loop's own time."""
        return asyncio.get_running_loop().time()
