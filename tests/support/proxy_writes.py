"""What the test proxy knows of its client's writes, and at which of them it kills the client."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from enum import StrEnum

from aiohttp import web


class Moment(StrEnum):
    """When the client is killed, seen from the API server."""

    BEFORE = "before"
    """The write is lost: the API server never sees it."""
    AFTER = "after"
    """The write is done, and its answer is lost."""


@dataclass(frozen=True, slots=True)
class Write:
    """One write of the client."""

    number: int
    """From 1 in order of arrival; 0 for dry runs and writes to Leases, which do not count."""
    method: str
    path: str
    """Without its query."""
    dry_run: bool = False
    status: int = 0
    """What the API server or a fault answered; 0: nothing yet, or nothing ever."""
    at: float = field(default_factory=time.monotonic, compare=False)
    """When it arrived, in monotonic seconds."""

    @property
    def is_lease(self) -> bool:
        """Whether it is a renewal, which goes on for ever."""
        return "/leases" in self.path

    @property
    def is_counted(self) -> bool:
        """Whether it changes the world that a test looks at."""
        return not self.dry_run and not self.is_lease


@dataclass(frozen=True, slots=True)
class Kill:
    """At which write which process is killed."""

    number: int
    moment: Moment
    pid: int


def write_of(request: web.Request, number: int) -> Write:
    """A request as a write; it keeps the number only if it counts."""
    write = Write(
        number=number,
        method=request.method,
        path=request.path,
        dry_run=bool(request.query.get("dryRun")),
    )
    return write if write.is_counted else replace(write, number=0)
