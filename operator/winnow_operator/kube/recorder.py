"""Writes Events on transitions, each once.

An Event is a courtesy: that one cannot be written never stops a reconcile.
"""

from __future__ import annotations

import hashlib
import logging
from collections import OrderedDict
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from winnow_operator.api.names import API_VERSION
from winnow_operator.clock import Clock
from winnow_operator.errors import AlreadyExistsError, FencedError, KubernetesError
from winnow_operator.kube.resources import EVENTS, Resource

MAX_NOTE_BYTES = 1024
"""The API server's limit, which it counts in bytes."""
REMEMBERED = 4096
"""Events that are remembered so as not to be written again."""

logger = logging.getLogger(__name__)


class EventType(StrEnum):
    """Severity of an Event."""

    NORMAL = "Normal"
    WARNING = "Warning"


@dataclass(frozen=True, slots=True)
class Note:
    """One Event about a job."""

    type: EventType
    reason: str
    action: str
    note: str


class EventStore(Protocol):
    """What the recorder needs of the gateway."""

    async def create(
        self, resource: Resource, namespace: str, body: dict[str, Any]
    ) -> dict[str, Any]:
        """Make an Event."""
        ...


@dataclass(slots=True)
class Recorder:
    """Writes each Event once per object."""

    gateway: EventStore
    clock: Clock
    identity: str
    _written: OrderedDict[str, None] = field(default_factory=OrderedDict)

    async def record(self, job: dict[str, Any], note: Note) -> None:
        """Write an Event about a job, unless the same one was written before."""
        body = self._event(job, note)
        name = body["metadata"]["name"]
        if name in self._written:
            return
        self._written[name] = None
        while len(self._written) > REMEMBERED:
            self._written.popitem(last=False)
        try:
            await self.gateway.create(EVENTS, job["metadata"]["namespace"], body)
        except FencedError:
            raise
        except AlreadyExistsError:
            return  # a process before this one said it
        except KubernetesError as error:
            del self._written[name]  # said again when there is cause again
            logger.warning("an event was not written", extra={"error": str(error)})

    def _event(self, job: dict[str, Any], note: Note) -> dict[str, Any]:
        metadata = job["metadata"]
        # The name is a hash of what is said, so that a restarted operator does not say it again.
        said = f"{metadata['uid']}/{note.type}/{note.reason}/{note.note}"
        digest = hashlib.sha256(said.encode()).hexdigest()[:16]
        return {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {
                "name": f"{metadata['name']}.{digest}",
                "namespace": metadata["namespace"],
            },
            "type": note.type.value,
            "reason": note.reason,
            "action": note.action,
            "note": _cut(note.note),
            "eventTime": self.clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "reportingController": "winnow.dev/operator",
            "reportingInstance": self.identity[:128],
            "regarding": {
                "apiVersion": API_VERSION,
                "kind": job["kind"],
                "name": metadata["name"],
                "namespace": metadata["namespace"],
                "uid": metadata["uid"],
            },
        }


def _cut(text: str) -> str:
    return text.encode()[:MAX_NOTE_BYTES].decode(errors="ignore")
