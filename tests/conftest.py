"""What holds for all tests: there is no event loop but the one that a test runs in."""

from __future__ import annotations

import asyncio


def pytest_configure() -> None:
    """Keep Python 3.11 from making a loop where one is only asked for.

    looptime asks before each test whether a loop is set. The loop that would be made for a
    synchronous test is never closed, which ends the session with an error.
    """
    asyncio.set_event_loop(None)
