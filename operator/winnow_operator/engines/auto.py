"""Auto: which algorithm searches, by the first of these rules that fits.

    the space has no more points than maxTrials    Grid        all of them are run anyway
    all trials run at one time                     QMC         none can learn from another
    architectures, one objective, 50 or more       Generative  it has learnt by then
    several objectives, from 1,000 trials on       NSGAII      TPE's time for each grows with them
    numbers alone, from 1,000 trials on, no more   CMAES       same; and it learns only from whole
    at one time than a generation has                          generations
    anything else                                  TPE

The first two only where there is nothing to learn from at the start. The choice is made once, before
the first trial, and recorded in the status: an edited budget does not change it.
"""

from __future__ import annotations

from winnow_operator.api.algorithms import AlgorithmName
from winnow_operator.api.searchjob import ChosenAlgorithm, SearchJob, SearchJobSpec
from winnow_operator.domain.spaces.space import Space, grid_size
from winnow_operator.errors import InvalidSpecError

ENOUGH_TO_LEARN = 50
"""Trials from which on a network is worth training: the first 16 it writes evenly."""
MANY_TRIALS = 1000
"""From here on the budgets that Optuna's documentation gives for CMA-ES and NSGA-II begin."""


def as_chosen(job: SearchJob) -> SearchJob:
    """The job with the algorithm that its status names in place of Auto; else as it is."""
    chosen = job.status.algorithm
    if job.spec.algorithm.name is not AlgorithmName.AUTO or chosen is None:
        return job
    return job.model_copy(update={"spec": with_algorithm(job.spec, chosen.name)})


def with_algorithm(spec: SearchJobSpec, name: AlgorithmName) -> SearchJobSpec:
    """The same search by another algorithm."""
    named = spec.algorithm.model_copy(update={"name": name})
    return spec.model_copy(update={"algorithm": named})


def choose_algorithm(spec: SearchJobSpec, space: Space) -> ChosenAlgorithm:
    """What Auto takes for a search, and why."""
    rules = (_grid, _all_at_once, _architectures, _many_of_several, _many_numbers)
    return next((found for rule in rules if (found := rule(spec, space))), _default(spec, space))


def _grid(spec: SearchJobSpec, space: Space) -> ChosenAlgorithm | None:
    size, trials = space.size, _trials(spec)
    if size is None or size > trials or _has_start(spec) or not _is_whole(space):
        return None
    words = (
        f"the space has {size} points, no more than budget.maxTrials, {trials}: each is run once"
    )
    return ChosenAlgorithm(name=AlgorithmName.GRID, reason=words)


def _is_whole(space: Space) -> bool:
    """Whether a grid goes through all points of a finite space."""
    try:
        return grid_size(space) == space.size
    except InvalidSpecError:  # a Log range of whole numbers: a grid would need to know how many
        return False


def _all_at_once(spec: SearchJobSpec, space: Space) -> ChosenAlgorithm | None:
    del space
    trials = _trials(spec)
    if _has_start(spec) or _slots(spec) < trials:
        return None
    words = f"all {trials} trials run at one time, so that none can learn from another"
    return ChosenAlgorithm(name=AlgorithmName.QMC, reason=words)


def _architectures(spec: SearchJobSpec, space: Space) -> ChosenAlgorithm | None:
    trials = _trials(spec)
    if space.nets is None or len(spec.objectives) > 1 or trials < ENOUGH_TO_LEARN:
        return None
    words = (
        f"architectures, and {trials} trials, of which {ENOUGH_TO_LEARN} are enough to learn from"
    )
    return ChosenAlgorithm(name=AlgorithmName.GENERATIVE, reason=words)


def _many_of_several(spec: SearchJobSpec, space: Space) -> ChosenAlgorithm | None:
    trials, count = _trials(spec), len(spec.objectives)
    is_plain = not space.conditions and spec.space.architecture is None
    if count == 1 or trials < MANY_TRIALS or not is_plain:
        return None
    words = f"{count} objectives and {trials} trials, of which {MANY_TRIALS} are many"
    return ChosenAlgorithm(name=AlgorithmName.NSGAII, reason=words)


def _many_numbers(spec: SearchJobSpec, space: Space) -> ChosenAlgorithm | None:
    trials, axes = _trials(spec), [d for d in space.dimensions if d.size != 1]
    if trials < MANY_TRIALS or len(spec.objectives) > 1 or not _is_of_numbers(spec, len(axes)):
        return None
    from winnow_operator.engines.cmaes import population_size

    population, slots = population_size(len(axes)), _slots(spec)
    if slots > population:
        return None
    words = (
        f"{len(axes)} numbers and {trials} trials, of which {MANY_TRIALS} are many, {slots} at one "
        f"time, no more than a generation of {population}"
    )
    return ChosenAlgorithm(name=AlgorithmName.CMAES, reason=words)


def _is_of_numbers(spec: SearchJobSpec, axes: int) -> bool:
    """Whether all that is searched are numbers, and more than one: a line has no directions."""
    has_words = any(p.choice is not None for p in spec.space.parameters)
    return axes > 1 and not has_words and spec.space.architecture is None


def _default(spec: SearchJobSpec, space: Space) -> ChosenAlgorithm:
    words = (
        f"{_trials(spec)} trials over {len(space.dimensions)} parameters, {_slots(spec)} at one time: "
        "it learns from few, and from all kinds of parameters"
    )
    return ChosenAlgorithm(name=AlgorithmName.TPE, reason=words)


def _has_start(spec: SearchJobSpec) -> bool:
    """Whether there is something to learn from before the first trial."""
    return bool(spec.start or spec.warm_start)


def _trials(spec: SearchJobSpec) -> int:
    return spec.budget.max_trials or 0


def _slots(spec: SearchJobSpec) -> int:
    """Trials at one time."""
    return spec.budget.parallelism * spec.trials_per_pod
