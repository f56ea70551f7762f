"""What the API server has refused of servers: the same is asked for again later each time, anything else at once.

A refusal can end without an event of ours, as a quota is raised or an admission rule goes; so it is tried
again, and not with every look at the server.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from winnow_operator.clock import Clock
from winnow_operator.domain.pods import Blockage
from winnow_operator.reconcile.queue import Key
from winnow_operator.reconcile.servers.digests import digest

FIRST_SECONDS = 5.0
LAST_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class _Refused:
    document: str
    """What was refused, as a digest."""
    blockage: Blockage
    backoff: float
    due: float
    """When it is asked for again, in monotonic seconds."""


@dataclass(slots=True)
class Refusals:
    """The last one of each server: what comes after it is not asked for."""

    clock: Clock
    _last: dict[Key, _Refused] = field(default_factory=dict)

    def holds(self, key: Key, document: dict[str, Any]) -> Blockage | None:
        """Why a document need not be written now, if it need not."""
        last = self._last.get(key)
        if last is None or last.document != digest(document) or self.clock.monotonic() >= last.due:
            return None
        return last.blockage

    def note(self, key: Key, document: dict[str, Any], blockage: Blockage) -> Blockage:
        """A document was refused just now; gives why."""
        last, wanted = self._last.get(key), digest(document)
        is_again = last is not None and last.document == wanted
        backoff = min(2 * last.backoff, LAST_SECONDS) if last and is_again else FIRST_SECONDS
        due = self.clock.monotonic() + backoff
        self._last[key] = _Refused(wanted, blockage, backoff, due)
        return blockage

    def forget(self, key: Key) -> None:
        """The server is gone, or nothing of it is refused."""
        self._last.pop(key, None)

    def seconds(self, key: Key, blockage: Blockage) -> float | None:
        """After which to ask again for what was refused so; None if this is no refusal."""
        last = self._last.get(key)
        if last is None or last.blockage != blockage:
            return None
        return max(0.0, last.due - self.clock.monotonic())
