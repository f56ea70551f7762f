"""Whether the search space can be searched: each parameter, and the grid over all of them."""

from __future__ import annotations

from collections.abc import Iterator

from winnow_operator.api.algorithms import WITH_CHOICES, those_that_can
from winnow_operator.api.searchjob import AlgorithmName, Parameter, Scale, SearchJobSpec
from winnow_operator.api.searchjob import Space as SpaceSpec
from winnow_operator.domain.space import Dimension, DoubleSpan, IntSpan, parse_space
from winnow_operator.errors import InvalidSpecError

MAX_TRIALS = 99_999
"""Trials are numbered with five digits."""


def check_parameters(spec: SearchJobSpec) -> Iterator[str]:
    """Each parameter by itself, and their names."""
    names = [parameter.name for parameter in spec.space.parameters]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"spec.space.parameters names {name} more than once: each needs its own name"
    for parameter in spec.space.parameters:
        yield from _check_parameter(parameter)


def _check_parameter(parameter: Parameter) -> Iterator[str]:
    span = parameter.double or parameter.int
    if span is not None and span.values is not None and span.scale is Scale.LOG:
        yield f"parameter {parameter.name} lists values, so scale Log has no meaning: leave it out"
    try:
        dimension = dimension_of(parameter)
    except InvalidSpecError as error:
        yield str(error)
        return
    if isinstance(dimension, DoubleSpan):
        yield from _check_double(dimension)
    if isinstance(dimension, DoubleSpan | IntSpan):
        yield from _check_step(dimension)


def dimension_of(parameter: Parameter) -> Dimension:
    """The dimension of one parameter.

    Raises:
        InvalidSpecError: naming the parameter, what was given and what is allowed.
    """
    return parse_space(SpaceSpec(parameters=(parameter,))).dimensions[0]


def readable_dimensions(spec: SearchJobSpec) -> Iterator[Dimension]:
    """Dimensions of the parameters that can be read; the others have their complaint already."""
    for parameter in spec.space.parameters:
        try:
            yield dimension_of(parameter)
        except InvalidSpecError:
            continue


def _check_double(span: DoubleSpan) -> Iterator[str]:
    if not float(span.low) < float(span.high):
        yield (
            f"parameter {span.name}: min {span.low} and max {span.high} are the same number in "
            "64 bits: they must be further apart"
        )


def _check_step(span: DoubleSpan | IntSpan) -> Iterator[str]:
    if span.step is not None and span.step > span.high - span.low:
        yield (
            f"parameter {span.name}: step is {span.step}, it must be at most max - min, "
            f"{span.high - span.low}: else there is but one value"
        )


def check_choices(spec: SearchJobSpec) -> Iterator[str]:
    """Words stand in no order, so an algorithm over numbers cannot search them."""
    if spec.algorithm.name in WITH_CHOICES:
        return
    for parameter in spec.space.parameters:
        if parameter.choice is not None:
            yield (
                f"parameter {parameter.name} is a choice, and algorithm {spec.algorithm.name} "
                f"searches numbers alone: use {those_that_can(WITH_CHOICES)}, or write it as int "
                "or double"
            )


def check_grid(spec: SearchJobSpec) -> Iterator[str]:
    """A Grid has an end, and one that trial numbers can reach."""
    if spec.algorithm.name is not AlgorithmName.GRID:
        return
    points = 1
    for dimension in readable_dimensions(spec):
        try:
            points *= dimension.grid_axis().size or 1
        except InvalidSpecError as error:
            yield str(error)
    if spec.budget.max_trials is None and points > MAX_TRIALS:
        yield (
            f"the grid over spec.space has {points} points, allowed are at most {MAX_TRIALS}: take "
            "fewer with points or step, or set spec.budget.maxTrials"
        )
