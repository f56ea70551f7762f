"""Evolution: regularised evolution over architectures.

Real et al., "Regularized Evolution for Image Classifier Architecture Search", AAAI 2019: of the newest
20 trials with a value, the best of 5 drawn by chance has a child that differs in one decision. Old
ones die, however good they are, so that a lucky measurement is not bred for ever. What was tried is
not tried again.

A suggestion depends on the seed, its number, and the trials that are known when it is made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from winnow_operator.api.trial import Outcome
from winnow_operator.domain.spaces.space import Nets, Value
from winnow_operator.engines.architectures.token_sequences import TokenSequence, Writer
from winnow_operator.engines.architectures.tried import Tried
from winnow_operator.engines.base import Record
from winnow_operator.engines.quality import quality_of
from winnow_operator.engines.seeds import derived

POPULATION = 20
SAMPLE = 5
REDRAWS = 64
"""Children that may have been tried before one that is left is looked up."""


class EvolutionEngine:
    """Suggests architectures."""

    adaptive = True

    def __init__(
        self, nets: Nets, seed: int, *, repeats: bool = False, known: Sequence[Record] = ()
    ) -> None:
        """Begin with nothing observed.

        Args:
            nets: what may come.
            seed: of all randomness, with the number of the trial.
            repeats: whether architectures may come again once all were tried.
            known: trials of other searches. The best of them are the population at first, and die
                before any trial of this search, the worst first; they may come here too.
        """
        self._nets = nets
        self._seed = seed
        self._writer = Writer(nets.grammar)
        best_first = sorted((r for r in known if r.results), key=quality_of)
        self._known = best_first[:POPULATION][::-1]
        self._records: dict[int, Record] = {}
        self._tried = Tried(nets, seed, repeats=repeats)

    def observe(self, record: Record) -> None:
        """Take note of a trial."""
        old = self._records.get(record.number)
        if old is None or old.outcome is Outcome.ACTIVE:
            self._records[record.number] = record
            self._tried.add(self._text(record))

    def suggest(self, number: int) -> Mapping[str, Value] | None:
        """The next architecture to try, or None when all were."""
        if self._records.pop(number, None) is not None:
            self._tried.restart(map(self._text, self._records.values()))
        text = self._born(number)
        if text is None:
            text = self._tried.left_over(number)
        if text is None:
            return None
        point = {self._nets.name: text}
        self.observe(Record(number, point, Outcome.ACTIVE))
        return point

    def _born(self, number: int) -> str | None:
        """The first child that may come."""
        source = np.random.default_rng(derived(self._seed, "evolution", number))
        valued = [record for _, record in sorted(self._records.items()) if record.results]
        population = [*self._known, *valued][-POPULATION:]
        children = (self._child(population, source) for _ in range(REDRAWS))
        return next(filter(self._tried.may_come, map(self._writer.text, children)), None)

    def _child(self, population: Sequence[Record], source: np.random.Generator) -> TokenSequence:
        """Before there is a whole population, any architecture."""
        if len(population) < POPULATION:
            return self._writer.draw(source)
        drawn = source.choice(POPULATION, SAMPLE, replace=False)
        parent = min((population[place] for place in drawn), key=quality_of)
        return self._writer.changed(self._nets.grammar.parse(self._text(parent)), source)

    def _text(self, record: Record) -> str:
        return str(record.assignment[self._nets.name])
