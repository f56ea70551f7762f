"""QMC: points of a Sobol' sequence, spread more evenly over the space than random ones.

Owen, "Randomly permuted (t,m,s)-nets and (t,s)-sequences", 1995, for the scrambling, which the
seed decides; Joe and Kuo, "Constructing Sobol sequences with better two-dimensional projections",
2008, for the directions. Both are SciPy's. Optuna's sampler is not used: it keeps a counter in the
study and draws choices at random beside the sequence; here each parameter is a coordinate of it.
"""

from __future__ import annotations

import random
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from scipy.stats import qmc
from typing_extensions import override

from winnow_operator.domain.spaces.space import Space, Value
from winnow_operator.engines.seeds import derived
from winnow_operator.engines.sequences import SequenceEngine

BLOCK = 256
"""Points that are computed at one time: a power of 2, at which the sequence is in balance."""


class QmcEngine(SequenceEngine):
    """Suggestion n is point n of the sequence; in a finite space without those that repeat."""

    def __init__(self, space: Space, seed: int) -> None:
        super().__init__(space, seed)
        self._sequence = qmc.Sobol(len(space.dimensions), rng=derived(seed, "qmc"))
        self._blocks: list[npt.NDArray[np.float64]] = []  # (BLOCK, dimensions) each
        self._drawn = 0

    @override
    def _at(self, number: int) -> Mapping[str, Value]:
        block, row = divmod(number - 1, BLOCK)
        while len(self._blocks) <= block:
            self._blocks.append(self._sequence.random(BLOCK))
        units = self._blocks[block][row]
        pairs = zip(self._space.dimensions, units, strict=True)
        return self._space.belonging({d.name: d.from_unit(float(unit)) for d, unit in pairs})

    @override
    def _draw(self, source: random.Random) -> Mapping[str, Value]:
        self._drawn += 1
        return self._at(self._drawn)
