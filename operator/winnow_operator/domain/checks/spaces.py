"""Whether the search space can be searched: each parameter, and the grid over all of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from winnow_operator.api.algorithms import WITH_CHOICES, WITH_CONDITIONS, those_that_can
from winnow_operator.api.searchjob import AlgorithmName, Parameter, Scale, SearchJobSpec, When
from winnow_operator.api.searchjob import Space as SpaceSpec
from winnow_operator.domain.architectures.dimension import nets_of
from winnow_operator.domain.checks.architectures import check_architecture
from winnow_operator.domain.spaces.limits import MAX_SIFTED, Range, limit_of
from winnow_operator.domain.spaces.space import (
    Dimension,
    DoubleSpan,
    IntSpan,
    grid_size,
    parse_space,
)
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
    alone = parameter.model_copy(update={"when": None})
    return parse_space(SpaceSpec(parameters=(alone,))).dimensions[0]


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


def check_conditions(spec: SearchJobSpec) -> Iterator[str]:
    """Each `when` names an earlier choice and some of its words, and the algorithm can do it."""
    words: dict[str, tuple[str, ...]] = {}
    for parameter in spec.space.parameters:
        if parameter.when is not None:
            yield from _check_condition(parameter, parameter.when, words)
        words[parameter.name] = parameter.choice.values if parameter.choice else ()
    if spec.algorithm.name in WITH_CONDITIONS:
        return
    for parameter in spec.space.parameters:
        if parameter.when is not None:
            yield (
                f"parameter {parameter.name} has a condition (when), which algorithm "
                f"{spec.algorithm.name} cannot search: use {those_that_can(WITH_CONDITIONS)}"
            )


def _check_condition(
    parameter: Parameter, when: When, words: Mapping[str, tuple[str, ...]]
) -> Iterator[str]:
    name, parent = parameter.name, when.parameter
    if parent not in words:
        yield (
            f"parameter {name}: when names {parent}, which is no parameter before it, allowed: "
            f"{', '.join(words) or 'none, it is the first'}"
        )
    elif not words[parent]:
        yield f"parameter {name}: when names {parent}, which is no choice: only a choice can decide"
    elif unknown := [value for value in when.values if value not in words[parent]]:
        yield (
            f"parameter {name}: when names {unknown[0]!r}, which is no value of {parent}, allowed: "
            f"{', '.join(words[parent])}"
        )


def check_limits(spec: SearchJobSpec) -> Iterator[str]:
    """Each constraint of the space names numbers, has limits, and some point may keep it."""
    words = {p.name for p in spec.space.parameters if p.choice is not None}
    ranges = {d.name: _range(d) for d in readable_dimensions(spec) if d.name not in words}
    for place, constraint in enumerate(spec.space.constraints):
        field = f"spec.space.constraints[{place}]"
        if (constraint.sum is None) == (constraint.product is None):
            yield f"{field}: give either sum or product"
            continue
        if constraint.min is None and constraint.max is None:
            yield f"{field} has no limit: give min, max or both"
        limit = limit_of(constraint)
        unknown = [name for name in limit.names if name not in ranges]
        if unknown:
            yield (
                f"{field} names {unknown[0]}, which is no parameter of numbers, allowed: "
                f"{', '.join(ranges)}"
            )
        elif not limit.can_hold(ranges):
            yield f"{field} can be kept by no point of the space: check its limits and factors"
    if spec.space.constraints and spec.algorithm.name is AlgorithmName.GRID:
        points = _grid_points(spec)
        if isinstance(points, int) and points > MAX_SIFTED:
            yield (
                f"the grid over spec.space has {points} points before its constraints, allowed are at "
                f"most {MAX_SIFTED}: take fewer with points or step"
            )


def _range(dimension: Dimension) -> Range:
    """Lowest and highest value of a dimension of numbers."""
    if isinstance(dimension, IntSpan | DoubleSpan):
        return float(dimension.low), float(dimension.high)
    values = [dimension.at(place) for place in range(dimension.size or 0)]
    numbers = [float(value) for value in values if not isinstance(value, str)]
    return min(numbers, default=0.0), max(numbers, default=0.0)


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


def _readable_nets(spec: SearchJobSpec) -> Iterator[Dimension]:
    """The dimension of architectures; one that cannot be read has its complaint already."""
    if spec.space.architecture is not None and not any(check_architecture(spec)):
        yield nets_of(spec.space.architecture)


def _grid_points(spec: SearchJobSpec) -> int | list[str]:
    """How many points the grid has, or why it has no end; 0 where that is said elsewhere."""
    axes, faults = list[Dimension](), list[str]()
    for dimension in (*_readable_nets(spec), *readable_dimensions(spec)):
        try:
            axes.append(dimension.grid_axis())
        except InvalidSpecError as error:
            faults.append(str(error))
    if faults:
        return faults
    if any(parameter.when for parameter in spec.space.parameters):
        return 0 if list(check_conditions(spec)) else grid_size(parse_space(spec.space))
    return math.prod(axis.size or 1 for axis in axes)


def check_grid(spec: SearchJobSpec) -> Iterator[str]:
    """A Grid has an end, and one that trial numbers can reach."""
    if spec.algorithm.name is not AlgorithmName.GRID:
        return
    points = _grid_points(spec)
    if isinstance(points, list):
        yield from points
    elif spec.budget.max_trials is None and points > MAX_TRIALS:
        yield (
            f"the grid over spec.space has {points} points, allowed are at most {MAX_TRIALS}: take "
            "fewer with points or step, or set spec.budget.maxTrials"
        )
