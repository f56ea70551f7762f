"""Gives each key to the reconciler of its kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from winnow_operator.domain.kinds import Kind
from winnow_operator.reconcile.queue import Key
from winnow_operator.reconcile.waiting import Waiting


class KindReconciler(Protocol):
    """Brings objects of one kind to where their specs want them."""

    async def reconcile(self, key: Key) -> float | None:
        """One look; gives the seconds after which to look again, if any."""
        ...

    def forget_state(self, key: Key) -> None:
        """Drop what is kept of a job in memory: it may be wrong."""
        ...

    def meet(self, key: Key, body: Mapping[str, Any]) -> bool:
        """The watch begins with this object; True if it must be looked at."""
        ...

    def mark_stale(self, key: Key, number: int) -> bool:
        """A Trial left the watch; True if that is news, because someone else did it."""
        ...

    def is_urgent(self, key: Key) -> bool:
        """Whether something may have to be started when a pod has ended."""
        ...


@dataclass(frozen=True, slots=True)
class Dispatch:
    """The reconcilers of all kinds as one."""

    reconcilers: Mapping[Kind, KindReconciler]
    waiting: Waiting = field(default_factory=Waiting)

    async def reconcile(self, key: Key) -> float | None:
        """One look; gives the seconds after which to look again, if any."""
        return await self.reconcilers[key.kind].reconcile(key)

    def forget_state(self, key: Key) -> None:
        """Drop what is kept of a job in memory: it may be wrong."""
        self.reconcilers[key.kind].forget_state(key)

    def meet(self, key: Key, body: Mapping[str, Any]) -> bool:
        """The watch begins with this object; True if it must be looked at."""
        return self.reconcilers[key.kind].meet(key, body)

    def mark_stale(self, key: Key, number: int) -> bool:
        """A Trial left the watch; True if that is news, because someone else did it."""
        return self.reconcilers[key.kind].mark_stale(key, number)

    def is_urgent(self, key: Key) -> bool:
        """Whether something may have to be started when a pod has ended."""
        return self.reconcilers[key.kind].is_urgent(key)

    def woken_by(self, key: Key) -> list[Key]:
        """Those that wait for a job, or follow it."""
        return self.waiting.on(key)
