"""What is compared: the operator's own engines, parts of them, and REINFORCE in its plain form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from typing_extensions import override

from benchmarks.architectures.space import OPERATIONS, SKIP
from winnow_operator.domain.spaces.space import Listed, Nets, Space, Value
from winnow_operator.engines import Record, SearchEngine
from winnow_operator.engines.architectures.controller import Controller, Recipe
from winnow_operator.engines.architectures.evolution import EvolutionEngine
from winnow_operator.engines.architectures.generative import GenerativeEngine
from winnow_operator.engines.architectures.policy_network import Floats
from winnow_operator.engines.sampling import RandomEngine
from winnow_operator.engines.seeds import derived
from winnow_operator.engines.tpe import TpeEngine

Make = Callable[[Nets, int], SearchEngine]
"""An engine over nets, with a seed."""


class PlainReinforce(GenerativeEngine):
    """REINFORCE as it was published: the score above a running mean, no rank, no replay, repeats.

    An architecture that comes again is trained again, and counts.
    """

    @override
    def _new_model(self) -> Controller:
        source = np.random.default_rng(derived(self._seed, "generative"))
        return _PlainController(self._writer, source, Recipe(replay=0.0))

    @override
    def _point(self, model: Controller, number: int) -> Mapping[str, Value] | None:
        source = np.random.default_rng(derived(self._seed, "generative", number))
        written = self._writer.written(model.network, 1, 1.0, source)
        return {self._nets.name: self._writer.text(written[0])}


@dataclass(slots=True)
class _PlainController(Controller):
    """Advantages are scores beside their mean so far, in units of their spread."""

    @override
    def advantages(self) -> Floats:
        scores = -np.array([quality[-1] for quality in self.qualities])
        standard: Floats = (scores - scores.mean()) / (scores.std() or 1.0) / 4
        return standard


class ChoicesByTpe:
    """TPE as it is used where nets have no grammar: a choice per slot, all modelled together."""

    adaptive = True

    def __init__(self, nets: Nets, seed: int) -> None:
        self._nets = nets
        slots = range(nets.grammar.max_length)
        words = nets.grammar.vocabulary
        space = _SlotSpace(tuple(Listed(nets.grammar.slot((0,) * slot), words) for slot in slots))
        self._engine = TpeEngine(space, seed)

    def observe(self, record: Record) -> None:
        """Take note of a trial."""
        tokens = self._nets.grammar.parse(str(record.assignment[self._nets.name]))
        words = (self._nets.grammar.vocabulary[token] for token in tokens)
        names = (self._nets.grammar.slot(tokens[:place]) for place in range(len(tokens)))
        self._engine.observe(replace(record, assignment=dict(zip(names, words, strict=True))))

    def suggest(self, number: int) -> Mapping[str, Value] | None:
        """The next architecture."""
        point = self._engine.suggest(number)
        if point is None:
            return None
        tokens = tuple(map(self._nets.grammar.vocabulary.index, map(str, point.values())))
        return {self._nets.name: self._nets.grammar.text(tokens)}


@dataclass(frozen=True, slots=True)
class _SlotSpace(Space):
    """Slots as choices; architectures that are the same network are the same point."""

    @override
    def canonical(self, assignment: Mapping[str, Value]) -> str:
        return " ".join(str(word) for word in assignment.values() if word != OPERATIONS[SKIP])


METHODS: Mapping[str, Make] = {
    "Random": lambda nets, seed: RandomEngine(Space((nets,)), seed),
    "Evolution": EvolutionEngine,
    "TPE over choices": ChoicesByTpe,
    "Generative": GenerativeEngine,
    "no predictor": partial(GenerativeEngine, predictor=False),
    "no replay": partial(GenerativeEngine, recipe=Recipe(replay=0.0)),
    "no policy gradient": partial(GenerativeEngine, recipe=Recipe(policy_gradient=0.0)),
    "predictor alone": partial(GenerativeEngine, recipe=Recipe(0.0, 0.0, 0.0)),
    "REINFORCE": partial(PlainReinforce, predictor=False),
    "TPE": lambda nets, seed: TpeEngine(Space((nets,)), seed),
}
"""By name; those between Generative and REINFORCE are Generative without one of its parts."""
