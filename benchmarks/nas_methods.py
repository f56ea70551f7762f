"""What is compared: the operator's own engines, parts of them, and REINFORCE in its plain form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from typing_extensions import override

from winnow_operator.domain.space import Nets, Space, Value
from winnow_operator.engines import SearchEngine
from winnow_operator.engines.controller import Controller, Recipe
from winnow_operator.engines.evolution import EvolutionEngine
from winnow_operator.engines.generative import GenerativeEngine
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
    def advantages(self) -> np.ndarray:
        scores = -np.array([quality[-1] for quality in self.qualities])
        return (scores - scores.mean()) / (scores.std() or 1.0) / 4


METHODS: Mapping[str, Make] = {
    "Random": lambda nets, seed: RandomEngine(Space((nets,)), seed),
    "Evolution": EvolutionEngine,
    "TPE": lambda nets, seed: TpeEngine(Space((nets,)), seed),
    "Generative": GenerativeEngine,
    "no predictor": partial(GenerativeEngine, predictor=False),
    "no replay": partial(GenerativeEngine, recipe=Recipe(replay=0.0)),
    "no policy gradient": partial(GenerativeEngine, recipe=Recipe(policy_gradient=0.0)),
    "predictor alone": partial(GenerativeEngine, recipe=Recipe(0.0, 0.0, 0.0)),
    "REINFORCE": partial(PlainReinforce, predictor=False),
}
"""By name; those in the middle are Generative without one of its parts."""
