"""CMAES: the covariance matrix adaptation evolution strategy over numbers.

Hansen, "The CMA Evolution Strategy: A Tutorial", 2016, as the package `cmaes` has it, with the
settings of Optuna's sampler: all parameters in [0, 1], the mean in the middle, a sixth for the
first step size. Optuna's sampler itself keeps its state pickled in its trials and in the order in
which they ended, so it could not repeat a search from our records. What is known from other searches
makes the first distribution (Nomura et al., "Warm Starting CMA-ES for Hyperparameter Optimization",
AAAI 2021).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from cmaes import CMA, get_warm_start_mgd
from typing_extensions import override

from winnow_operator.domain.spaces.space import Dimension, Listed, Space, Value
from winnow_operator.engines.base import FEWEST_TO_RANK, Record
from winnow_operator.engines.generations import GenerationEngine
from winnow_operator.engines.quality import quality_of
from winnow_operator.engines.seeds import derived

FIRST_STEP = 1 / 6
REDRAWS = 64
"""Suggestions that may be duplicates before a random new point is taken."""
STRETCH = 1.05
"""Each redraw goes further out by this, or a model that has come to rest would only repeat itself."""

Point = npt.NDArray[np.float64]
"""(dimensions,), each in [0, 1]"""
Matrix = npt.NDArray[np.float64]
"""(dimensions, dimensions)"""


class CmaesEngine(GenerationEngine[CMA]):
    """CMA-ES over the recorded trials; choices it cannot search."""

    def __init__(self, space: Space, seed: int, known: Sequence[Record] = ()) -> None:
        self._axes = [_in_order(d) for d in space.dimensions if d.size != 1]
        self._fixed = {d.name: d.at(0) for d in space.dimensions if d.size == 1}
        super().__init__(space, seed, population_size(len(self._axes)), known)

    @override
    def _new_model(self) -> CMA:
        if not self._known or not self._axes:
            return self._model_at(np.full(max(1, len(self._axes)), 0.5))
        ranked = [(self._position(r), value) for r, value in _ranked(self._known)]
        if len(ranked) < FEWEST_TO_RANK:
            return self._model_at(min(ranked, key=lambda pair: pair[1])[0])
        mean, step, covariance = get_warm_start_mgd(ranked)
        return self._model_at(np.clip(mean, 0.0, 1.0), step, covariance)

    def _model_at(
        self, mean: Point, step: float = FIRST_STEP, covariance: Matrix | None = None
    ) -> CMA:
        return CMA(
            mean=mean,
            sigma=step,
            cov=covariance,
            bounds=np.array([(0.0, 1.0)] * len(mean)),
            n_max_resampling=10 * len(mean),
            population_size=self._population,
        )

    @override
    def _told(self, model: CMA, generation: Sequence[Record]) -> CMA:
        with np.errstate(all="ignore"):  # what comes of it is looked at
            model.tell([(self._position(r), value) for r, value in _ranked(generation)])
            if _goes_on(model):
                return model
        source = np.random.default_rng(derived(self._seed, "cmaes", generation[-1].number))
        return self._model_at(source.random(len(model.mean)))

    @override
    def _points(self, model: CMA, number: int) -> Iterator[Mapping[str, Value]]:
        model.reseed_rng(derived(self._seed, "cmaes", number) % 2**32)
        for redraw in range(REDRAWS if self._axes else 0):
            step = (model.ask() - model.mean) * STRETCH**redraw
            yield self._assignment(np.clip(model.mean + step, 0.0, 1.0))

    def _position(self, record: Record) -> Point:
        return np.array([axis.to_unit(record.assignment[axis.name]) for axis in self._axes])

    def _assignment(self, position: Point) -> Mapping[str, Value]:
        pairs = zip(self._axes, position, strict=True)
        values = {axis.name: axis.from_unit(float(unit)) for axis, unit in pairs} | self._fixed
        return {d.name: values[d.name] for d in self._space.dimensions}


def _ranked(generation: Sequence[Record]) -> list[tuple[Record, float]]:
    """Values to minimise: the scores, or where these do not say all, the places in their order.

    That is where constraints are missed, and where a trial was stopped early: it comes behind all that
    ran on, and the later the rung at which it was stopped, the better it was.
    """
    if not any(record.violation or record.stopped_at for record in generation):
        return [(record, record.score or 0.0) for record in generation]
    ordered = sorted(generation, key=lambda r: (quality_of(r), r.number))
    return [(record, float(place)) for place, record in enumerate(ordered)]


def population_size(dimensions: int) -> int:
    """Trials of a generation (Hansen, equation 48)."""
    return 4 + math.floor(3 * math.log(max(1, dimensions)))


def _in_order(dimension: Dimension) -> Dimension:
    """Listed numbers have an order, whatever the order in which they are listed."""
    if isinstance(dimension, Listed):
        return Listed(dimension.name, tuple(sorted(dimension.values, key=float)))
    return dimension


def _goes_on(model: CMA) -> bool:
    """Whether a model still moves; one that has come to rest begins anew elsewhere."""
    try:
        return bool(np.isfinite(model.ask()).all()) and not model.should_stop()
    except np.linalg.LinAlgError:
        return False
