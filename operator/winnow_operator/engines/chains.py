"""Writes chains of compression steps: recipes first, then TPE or Random over the space of chains.

A suggestion depends on the spec, its number, and the candidates known when it was made, as with
all engines; within a round nothing of that round is known. No chain is written twice, and none
that a user has named.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from winnow_operator.api.compressionjob import AutoAlgorithm
from winnow_operator.api.trial import Outcome
from winnow_operator.domain.compressions.chain_space import (
    can_run,
    canonical,
    chain_key,
    chain_of,
    chain_space,
    recipes,
)
from winnow_operator.domain.spaces.space import Value
from winnow_operator.engines.base import Record, SearchEngine
from winnow_operator.engines.permutations import permuted
from winnow_operator.engines.seeds import derived

REDRAWS = 8
"""Suggestions of TPE that may be duplicates before the next new point is taken."""


@dataclass(slots=True)
class ChainEngine:
    """Suggests points of the space of chains; the same interface as all engines have."""

    kinds: Collection[str]
    """Of steps: quantize, prune, distill."""
    family: str
    """Empty if it is not known."""
    algorithm: AutoAlgorithm
    seed: int
    named: Collection[str] = ()
    """Keys of chains that need not be written, because the user has."""
    _records: dict[int, Record] = field(default_factory=dict)

    @property
    def adaptive(self) -> bool:
        """Whether suggestions depend on results."""
        return self.algorithm is AutoAlgorithm.TPE

    def observe(self, record: Record) -> None:
        """Take note of a candidate whose chain is a point of the space, active or finished."""
        self._records[record.number] = record

    def suggest(self, number: int) -> Mapping[str, Value] | None:
        """The next point whose chain is new, or None when all were written."""
        self._records.pop(number, None)
        written = {key_of(r.assignment) for r in self._records.values() if r.number < number}
        known = {*self.named, *written}
        points = map(canonical, self._points(number))
        point = next((p for p in points if self._is_new(p, known)), None)
        if point is not None:
            self.observe(Record(number, point, Outcome.ACTIVE))
        return point

    def _points(self, number: int) -> Iterator[Mapping[str, Value]]:
        space = chain_space(self.kinds)
        yield from recipes(self.family, space)
        if self.algorithm is AutoAlgorithm.TPE:
            for redraw in range(REDRAWS):
                point = self._model(redraw).suggest(number)
                if point is not None:
                    yield point
        size = space.size or 0
        seed = derived(self.seed, "chains")
        yield from (space.at(permuted(index, size, seed)) for index in range(size))

    def _model(self, redraw: int) -> SearchEngine:
        # Optuna takes 40 MB and a moment: only jobs that need it pay.
        from winnow_operator.engines.tpe import TpeEngine

        engine = TpeEngine(chain_space(self.kinds), derived(self.seed, "chain", redraw))
        for number in sorted(self._records):
            engine.observe(self._records[number])
        return engine

    def _is_new(self, point: Mapping[str, Value], known: Collection[str]) -> bool:
        return can_run(chain_of(point), self.family) and key_of(point) not in known


def key_of(point: Mapping[str, Value]) -> str:
    """The key of a point's chain."""
    return chain_key(chain_of(point))
