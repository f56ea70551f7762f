"""Which engine a spec asks for, and how many trials it can make."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from winnow_operator.api.algorithms import LEARNING, RestAlgorithm
from winnow_operator.api.searchjob import AlgorithmName, SearchJobSpec
from winnow_operator.domain.checks.starts import read_point
from winnow_operator.domain.searches.warm_starts import KnownTrial
from winnow_operator.domain.spaces.space import Space, grid_size
from winnow_operator.engines.architectures.joint import JointEngine, rest_of
from winnow_operator.engines.auto import choose_algorithm, with_algorithm
from winnow_operator.engines.base import Record, SearchEngine, known_records
from winnow_operator.engines.grid import GridEngine
from winnow_operator.engines.sampling import RandomEngine
from winnow_operator.engines.started import StartedEngine
from winnow_operator.errors import InvalidSpecError

DEFAULT_SEED = 0
"""Seed of a job that names none: the same YAML gives the same search."""


def job_seed(spec: SearchJobSpec) -> int:
    """The seed that all randomness of a job comes from."""
    seed = spec.algorithm.seed
    return DEFAULT_SEED if seed is None else seed


def is_adaptive(spec: SearchJobSpec) -> bool:
    """Whether suggestions depend on results; known without making the engine."""
    return spec.algorithm.name in LEARNING


def make_engine(
    spec: SearchJobSpec, space: Space, known: Sequence[KnownTrial] = ()
) -> SearchEngine:
    """A new engine that has observed nothing yet.

    Args:
        spec: of the search.
        space: the same, parsed.
        known: trials of other searches, for the engines that learn from them.

    Raises:
        InvalidSpecError: if the algorithm cannot search this space.
    """
    engine = _engine(spec, space, known_records(known))
    if not spec.start:
        return engine
    return StartedEngine([read_point(space, point) for point in spec.start], engine)


def _engine(  # noqa: PLR0911 -- one for each algorithm
    spec: SearchJobSpec, space: Space, known: Sequence[Record]
) -> SearchEngine:
    match spec.algorithm.name:
        case AlgorithmName.GRID:
            return GridEngine(space, spec.algorithm.seed)
        case AlgorithmName.RANDOM:
            return RandomEngine(space, job_seed(spec))
        # SciPy and Optuna take 40 MB and a moment each: only jobs that need them pay.
        case AlgorithmName.QMC:
            from winnow_operator.engines.qmc import QmcEngine

            return QmcEngine(space, job_seed(spec))
        case AlgorithmName.CMAES:
            from winnow_operator.engines.cmaes import CmaesEngine

            return CmaesEngine(space, job_seed(spec), known)
        case AlgorithmName.TPE:
            from winnow_operator.engines.tpe import TpeEngine

            return TpeEngine(space, job_seed(spec), len(spec.objectives), known)
        case AlgorithmName.NSGAII:
            from winnow_operator.engines.nsgaii import NsgaiiEngine

            return NsgaiiEngine(space, job_seed(spec), len(spec.objectives), known=known)
        case AlgorithmName.EVOLUTION | AlgorithmName.GENERATIVE:
            return _architecture_engine(spec, space, known)
        case AlgorithmName.AUTO:
            return _engine(with_algorithm(spec, choose_algorithm(spec, space).name), space, known)


def _architecture_engine(
    spec: SearchJobSpec, space: Space, known: Sequence[Record]
) -> SearchEngine:
    """One engine owns the architecture; where there are other parameters, another has them."""
    if space.nets is None:
        raise InvalidSpecError(f"algorithm {spec.algorithm.name} needs spec.space.architecture")
    rest, seed = rest_of(space), job_seed(spec)
    repeats = any(dimension.size != 1 for dimension in rest.dimensions)
    write: Callable[[], SearchEngine]
    if spec.algorithm.name is AlgorithmName.EVOLUTION:
        from winnow_operator.engines.architectures.evolution import EvolutionEngine

        write = partial(EvolutionEngine, space.nets, seed, repeats=repeats, known=known)
    else:
        from winnow_operator.engines.architectures.generative import GenerativeEngine

        predictor = spec.algorithm.predictor is not False
        write = partial(
            GenerativeEngine, space.nets, seed, predictor=predictor, repeats=repeats, known=known
        )
    if not rest.dimensions:
        return write()
    return JointEngine(space, seed, (write, partial(_rest_engine, spec, rest, known)))


def _rest_engine(spec: SearchJobSpec, rest: Space, known: Sequence[Record]) -> SearchEngine:
    if spec.algorithm.parameters_by is RestAlgorithm.RANDOM:
        return RandomEngine(rest, job_seed(spec))
    from winnow_operator.engines.tpe import TpeEngine

    return TpeEngine(rest, job_seed(spec), known=known)


def planned_trials(spec: SearchJobSpec, space: Space) -> int:
    """How many trials the budget and the space allow."""
    limit = spec.budget.max_trials
    size = grid_size(space) if spec.algorithm.name is AlgorithmName.GRID else space.size
    if limit is None:
        return size or 0
    return limit if size is None else min(limit, size)
