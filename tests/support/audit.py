"""Reads the API server's audit log: who called what since a moment, across rotations of the file.

A write is a create, update, patch, delete or deletecollection that the API server has carried out:
answered in full (stage ResponseComplete) with a code below 400. Dry runs change nothing; they are
no writes and are counted apart.
"""

from __future__ import annotations

import json
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.api import Api, eventually

WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})
FIRST_ERROR = 400
"""Codes from here on are refusals."""
_DECISION = "authorization.k8s.io/decision"
_REASON = "authorization.k8s.io/reason"


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the API server, at one stage."""

    user: str
    verb: str
    group: str
    resource: str
    """Plural, with the subresource: `trials/status`; empty for a path that is no resource."""
    namespace: str
    name: str
    code: int
    stage: str
    path: str
    dry_run: bool
    decision: str
    """What the authorizer said: `allow` or `forbid`. A quota also answers 403, but is no `forbid`."""
    reason: str
    """Which binding allowed it."""
    at: str
    """When it was received."""

    @property
    def is_change(self) -> bool:
        """Whether it was accepted, and would have changed something were it no dry run."""
        done = self.stage == "ResponseComplete" and self.code < FIRST_ERROR
        return done and self.verb in WRITES

    @property
    def is_write(self) -> bool:
        """Whether it has changed something."""
        return self.is_change and not self.dry_run

    @property
    def is_event(self) -> bool:
        """Whether it is about an Event, of either API group."""
        return self.resource == "events"

    @property
    def right(self) -> tuple[str, str, str]:
        """API group, resource and verb, as a role's rule names them."""
        return self.group, self.resource, self.verb

    @property
    def words(self) -> str:
        """Verb and resource, for tables."""
        return f"{self.verb} {self.resource}"


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment: how far the log had been written."""

    inode: int
    offset: int


@dataclass(frozen=True, slots=True)
class AuditLog:
    """The audit log of one API server, which rotates it by renaming (`audit-<time>.log`)."""

    path: Path

    def mark(self) -> Mark:
        """Now."""
        found = self.path.stat()
        return Mark(found.st_ino, found.st_size)

    def since(self, mark: Mark) -> list[Call]:
        """All calls that were logged after a moment.

        Raises:
            LookupError: if the file of that moment has been rotated away.
        """
        return [call for line in self._lines(mark) if (call := read_call(line)) is not None]

    async def settled_mark(self, api: Api) -> Mark:
        """Now, once all that was answered before this was asked is in the log."""
        await self._settle(self.mark(), api)
        return self.mark()

    async def settled_since(self, mark: Mark, api: Api) -> list[Call]:
        """All calls after a moment, once those that were answered before this was asked are in."""
        name = await self._settle(mark, api)
        return [call for call in self.since(mark) if call.name != name]

    async def _settle(self, mark: Mark, api: Api) -> str:
        # A call is logged after its answer has gone out, so one more is made and waited for.
        name = f"audit-marker-{secrets.token_hex(8)}"

        async def is_logged() -> bool:
            return any(name in line for line in self._lines(mark))

        await api.exists(f"/api/v1/namespaces/{name}")
        await eventually(is_logged, what="the marker in the audit log")
        return name

    def _lines(self, mark: Mark) -> Iterator[str]:
        """Whole lines after a moment; one that is being written is left out."""
        # The times in the names of rotated files sort by age; the current file comes last.
        files = [*sorted(self.path.parent.glob(f"{self.path.stem}-*{self.path.suffix}")), self.path]
        inodes = [file.stat().st_ino for file in files]
        if mark.inode not in inodes:
            raise LookupError(
                f"the part of {self.path.name} that was marked has been rotated away: mark later, "
                "or let the API server keep more files (--audit-log-maxbackup)"
            )
        first = inodes.index(mark.inode)
        for file in files[first:]:
            with file.open("rb") as lines:
                lines.seek(mark.offset if file == files[first] else 0)
                yield from (line.decode() for line in lines if line.endswith(b"\n"))


def audit_log_beside(kubeconfig: Path) -> AuditLog:
    """The audit log of a devcluster, which lies where its kubeconfig lies.

    Raises:
        FileNotFoundError: if there is none.
    """
    path = kubeconfig.parent / "audit.log"
    if not path.exists():
        raise FileNotFoundError(
            f"there is no {path}: what is counted in the audit log needs a devcluster "
            "(CLUSTER=devcluster)"
        )
    return AuditLog(path)


def read_call(line: str) -> Call | None:
    """One line of the log; None if it is no audit event."""
    if not line.strip():
        return None
    event: dict[str, Any] = json.loads(line)
    if event.get("kind") != "Event":
        return None
    about: Mapping[str, str] = event.get("objectRef") or {}
    notes: Mapping[str, str] = event.get("annotations") or {}
    address = urlsplit(event.get("requestURI", ""))
    resource, part = about.get("resource", ""), about.get("subresource", "")
    return Call(
        user=event.get("user", {}).get("username", ""),
        verb=event.get("verb", ""),
        group=about.get("apiGroup", ""),
        resource=f"{resource}/{part}" if part else resource,
        namespace=about.get("namespace", ""),
        name=about.get("name", ""),
        code=int((event.get("responseStatus") or {}).get("code", 0)),
        stage=event.get("stage", ""),
        path=address.path,
        dry_run="All" in parse_qs(address.query).get("dryRun", []),
        decision=notes.get(_DECISION, ""),
        reason=notes.get(_REASON, ""),
        at=event.get("requestReceivedTimestamp", ""),
    )


@dataclass(frozen=True, slots=True)
class WriteCount:
    """Writes of a while, Events apart."""

    objects: int
    events: int
    dry_runs: int
    by_words: Mapping[str, int]
    """Writes by verb and resource, most first."""

    def table(self, trials: int) -> str:
        """A line per verb and resource, with what it makes per trial."""
        lines = (f"{n:6} {n / trials:6.2f}  {words}" for words, n in self.by_words.items())
        total = f"{self.objects} object writes, {self.events} of Events, {self.dry_runs} dry runs"
        return "\n".join(["writes  each", *lines, f"{total}, {trials} trials"])


def count_writes(calls: Iterable[Call]) -> WriteCount:
    """How many of these calls were writes; the caller chooses whose calls they are."""
    changes = [call for call in calls if call.is_change]
    writes = [call for call in changes if call.is_write]
    events = sum(call.is_event for call in writes)
    by_words = Counter(call.words for call in writes)
    return WriteCount(
        objects=len(writes) - events,
        events=events,
        dry_runs=len(changes) - len(writes),
        by_words=dict(by_words.most_common()),
    )


def of_accounts(calls: Iterable[Call], namespace: str) -> list[Call]:
    """The calls of a namespace's service accounts; in a test's namespace, those of its operator."""
    return [call for call in calls if call.user.startswith(f"system:serviceaccount:{namespace}:")]


def within(calls: Iterable[Call], namespace: str) -> list[Call]:
    """The calls about objects of one namespace, the Lease left out: it belongs to no job."""
    return [call for call in calls if call.namespace == namespace and call.resource != "leases"]
