"""Architectures and ordinary parameters in one search: one engine owns each part of a point.

Both know each trial, one by its net and the other by the rest, and both learn from the same score. Of
a net, all the rest that was tried with it is noise to the engine of nets, and the other way round:
they search side by side, not each combination. A net comes again once all were tried; a whole point
never does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from typing_extensions import override

from winnow_operator.api.trial import Outcome
from winnow_operator.domain.spaces.space import Space, Value
from winnow_operator.engines.base import Record, SearchEngine
from winnow_operator.engines.sampling import left_over
from winnow_operator.engines.unseen import Seen


@dataclass(frozen=True, slots=True)
class EndlessSpace(Space):
    """A part of a space: its points may come again, for what they are a part of is another point."""

    @property
    @override
    def size(self) -> int | None:
        return None


def rest_of(space: Space) -> EndlessSpace:
    """The ordinary parameters of a space."""
    rest = space.without_nets()
    return EndlessSpace(rest.dimensions, rest.conditions, rest.limits)


class JointEngine:
    """Asks one engine for the net and another for the rest."""

    adaptive = True

    def __init__(
        self, space: Space, seed: int, makes: tuple[Callable[[], SearchEngine], ...]
    ) -> None:
        """Begin with nothing observed.

        Args:
            space: the whole one.
            seed: of points that neither engine has found.
            makes: each makes the engine of a part, which takes no notice of other parameters.
        """
        self._space = space
        self._seed = seed
        self._makes = makes
        self._seen = Seen(space, seed)
        self._records: dict[int, Record] = {}
        self._engines: list[SearchEngine] | None = None

    def observe(self, record: Record) -> None:
        """Take note of a trial."""
        old = self._records.get(record.number)
        if old is not None and old.assignment != record.assignment:
            self._engines = None
        self._records[record.number] = record
        self._seen.add(record.assignment)
        for engine in self._engines or ():
            engine.observe(record)

    def suggest(self, number: int) -> Mapping[str, Value] | None:
        """The next point to try, or None when every point was suggested."""
        if self._records.pop(number, None) is not None:
            self._seen.restart(record.assignment for record in self._records.values())
        point = self._suggested(number)
        if point is None or not self._seen.is_new(point):
            self._engines = None  # they remember what they have suggested, and it is not taken
            point = left_over(self._space, self._seed, number, self._seen)
        if point is not None:
            self._records[number] = Record(number, point, Outcome.ACTIVE)
            self._seen.add(point)
        return point

    def _suggested(self, number: int) -> Mapping[str, Value] | None:
        point: dict[str, Value] = {}
        for engine in self._made():
            part = engine.suggest(number)
            if part is None:
                return None
            point |= part
        return point

    def _made(self) -> list[SearchEngine]:
        if self._engines is None:
            self._engines = [make() for make in self._makes]
            for _, record in sorted(self._records.items()):
                for engine in self._engines:
                    engine.observe(record)
        return self._engines
