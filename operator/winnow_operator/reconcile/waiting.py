"""Which compressions wait for which search, so that an event of the search wakes them."""

from __future__ import annotations

from dataclasses import dataclass, field

from winnow_operator.domain.kinds import Kind
from winnow_operator.reconcile.queue import Key


@dataclass(slots=True)
class Waiting:
    """Keys that wait, by the key of what they wait for."""

    _by_source: dict[Key, set[Key]] = field(default_factory=dict)

    def note(self, key: Key, search: str) -> None:
        """A compression waits for the SearchJob of this name in its namespace."""
        source = Key(key.namespace, search, Kind.SEARCH)
        self._by_source.setdefault(source, set()).add(key)

    def forget(self, key: Key) -> None:
        """A compression waits no more."""
        for source, keys in list(self._by_source.items()):
            keys.discard(key)
            if not keys:
                del self._by_source[source]

    def on(self, source: Key) -> list[Key]:
        """Those that wait for a job."""
        return sorted(self._by_source.get(source, ()))
