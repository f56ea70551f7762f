"""The faults that `faulty_proxy` can put between the operator and the API server.

    proxy.inject(Fault(Answer(429, retry_after=1), methods=WRITES, path="/trials", times=3))
    proxy.inject(Fault(Cut(), path="/jobs", skip=2, times=1))
    proxy.inject(Fault(DropEvents("DELETED"), path="/pods"))

A fault says which requests it is for, how many of them it lets pass first, and how many it spoils.
The first one that applies wins; a spent one is passed over.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

READS = frozenset({"GET"})
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True, slots=True)
class Answer:
    """Answered by the proxy with an error; the API server never sees the request."""

    status: int
    reason: str = "InternalError"
    retry_after: int | None = None
    as_event: bool = False
    """A watch is answered with 200 and this as its only event, as an API server does when the
    version to begin with has expired (410)."""

    def body(self) -> dict[str, Any]:
        """The Status object that an API server would send."""
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "status": "Failure",
            "reason": self.reason,
            "code": self.status,
            "message": f"injected: {self.reason}",
        }


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection is cut: before the API server sees the request, or before its answer is."""

    after: bool = False


@dataclass(frozen=True, slots=True)
class Delay:
    """The request waits in the proxy."""

    seconds: float


@dataclass(frozen=True, slots=True)
class DropEvents:
    """Events of a watch are swallowed: those of one type, or of all (bookmarks go on)."""

    type: str = ""

    def applies(self, event: dict[str, Any]) -> bool:
        """Whether this event is swallowed."""
        kind = event.get("type")
        return kind == self.type if self.type else kind != "BOOKMARK"


@dataclass(frozen=True, slots=True)
class DelayEvents:
    """A watch lags: each event waits, and those behind it too."""

    seconds: float

    def applies(self, event: dict[str, Any]) -> bool:
        """Whether this event waits."""
        return event.get("type") != "BOOKMARK"


Action = Answer | Cut | Delay | DropEvents | DelayEvents


@dataclass(slots=True)
class Fault:
    """One fault and the requests that it is for."""

    action: Action
    methods: frozenset[str] = READS | WRITES
    path: str = ""
    """A regular expression that is searched in the path with its query."""
    skip: int = 0
    """Matching requests (of event faults: events) that pass unharmed first."""
    times: int | None = None
    """Matching requests or events that are spoiled; None: all that follow."""
    seen: int = field(default=0, init=False)

    def takes(self, method: str, path: str, event: dict[str, Any] | None = None) -> bool:
        """Whether this request, or event of a watch, is spoiled; counts it if it matches."""
        if method not in self.methods or not re.search(self.path, path):
            return False
        if isinstance(self.action, DropEvents | DelayEvents):
            if event is None or not self.action.applies(event):
                return False
        elif event is not None:
            return False
        self.seen += 1
        spoiled = self.seen - self.skip
        return spoiled >= 1 and (self.times is None or spoiled <= self.times)


def parse_event(line: bytes) -> dict[str, Any]:
    """One line of a watch; an odd line is an event without a type."""
    try:
        event = json.loads(line)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}
