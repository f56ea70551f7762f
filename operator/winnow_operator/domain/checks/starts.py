"""Whether the points that a search starts with are points of its space."""

from __future__ import annotations

from collections.abc import Iterator

from winnow_operator.api.algorithms import LEARNING, learning_algorithms
from winnow_operator.api.searchjob import SearchJobSpec, StartPoint
from winnow_operator.domain.checks.architectures import check_architecture
from winnow_operator.domain.checks.spaces import (
    check_conditions,
    check_limits,
    check_parameters,
)
from winnow_operator.domain.spaces.space import Dimension, Space, Value, parse_space
from winnow_operator.errors import InvalidSpecError


def check_start(spec: SearchJobSpec) -> Iterator[str]:
    """Each point has a value for each parameter that belongs to it, and none comes twice."""
    if not spec.start:
        return
    if spec.algorithm.name not in LEARNING:
        yield (
            f"spec.start has points, and algorithm {spec.algorithm.name} learns nothing from them: "
            f"use {_learning(spec)}"
        )
    known = (check_architecture, check_parameters, check_conditions, check_limits)
    if any(any(check(spec)) for check in known):
        return  # what the space is, is not known
    space, seen = parse_space(spec.space), dict[str, int]()
    for place, point in enumerate(spec.start):
        field = f"spec.start[{place}]"
        try:
            assignment = read_point(space, point)
        except InvalidSpecError as error:
            yield f"{field}: {error}"
            continue
        if not space.allows(assignment):
            yield f"{field} breaks spec.space.constraints"
        first = seen.setdefault(space.canonical(assignment), place)
        if first != place:
            yield f"{field} is the same point as spec.start[{first}]: keep one"


def check_warm_start(spec: SearchJobSpec) -> Iterator[str]:
    """The algorithm learns, and no search is named twice."""
    names = [warm.search_job for warm in spec.warm_start]
    if names and spec.algorithm.name not in LEARNING:
        yield (
            f"spec.warmStart names {names[0]}, and algorithm {spec.algorithm.name} learns nothing from "
            f"it: use {_learning(spec)}"
        )
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"spec.warmStart names {name} more than once: keep one"


def _learning(spec: SearchJobSpec) -> str:
    return learning_algorithms(architectures=spec.space.architecture is not None)


def read_point(space: Space, point: StartPoint) -> dict[str, Value]:
    """A point as an assignment.

    Raises:
        InvalidSpecError: naming the parameter, its value and what is allowed.
    """
    texts = {parameter.name: parameter.value for parameter in point.parameters}
    found: dict[str, Value] = {}
    for dimension in space.dimensions:
        if not space.belongs(dimension, found):
            continue
        if dimension.name not in texts:
            raise InvalidSpecError(f"parameter {dimension.name} has no value: give one")
        found[dimension.name] = _value(dimension, texts[dimension.name])
    unknown = sorted(texts.keys() - found.keys())
    if unknown:
        raise InvalidSpecError(
            f"parameter {unknown[0]} does not belong to it, allowed: {', '.join(found)}"
        )
    return found


def _value(dimension: Dimension, text: str) -> Value:
    value = dimension.parse(text)
    if not dimension.has(value):
        raise InvalidSpecError(
            f"parameter {dimension.name} is {text}, which is no value of its range"
        )
    return value
