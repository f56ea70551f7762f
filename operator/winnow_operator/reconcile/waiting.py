"""Who waits for which job, or follows it, so that an event of that job wakes them."""

from __future__ import annotations

from dataclasses import dataclass, field

from winnow_operator.reconcile.queue import Key


@dataclass(slots=True)
class Waiting:
    """Keys that wait, by the key of what they wait for."""

    _by_source: dict[Key, set[Key]] = field(default_factory=dict)

    def note(self, key: Key, source: Key) -> None:
        """An object waits for this job, and for no other any more."""
        if key not in self._by_source.get(source, ()):
            self.forget(key)
            self._by_source.setdefault(source, set()).add(key)

    def forget(self, key: Key) -> None:
        """An object waits no more."""
        for source, keys in list(self._by_source.items()):
            keys.discard(key)
            if not keys:
                del self._by_source[source]

    def on(self, source: Key) -> list[Key]:
        """Those that wait for a job."""
        return sorted(self._by_source.get(source, ()))
