"""The search space: all dimensions of a spec, and one canonical text per assignment.

A dimension with a condition belongs to an assignment only where an earlier one, its parent, has one
of some values. So the dimensions are a forest, and points are counted tree by tree.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from winnow_operator.api.searchjob import DoubleRange, IntRange, Parameter, Scale
from winnow_operator.api.searchjob import Space as SpaceSpec
from winnow_operator.domain.architectures.dimension import Nets, nets_of
from winnow_operator.domain.spaces.dimensions import Dimension, DoubleSpan, IntSpan, Listed
from winnow_operator.domain.spaces.limits import Limit, limit_of
from winnow_operator.domain.spaces.values import (
    LARGEST,
    SMALLEST,
    Value,
    is_expressible,
    value_text,
)
from winnow_operator.errors import InvalidSpecError

__all__ = [
    "MAX_ENUMERATED",
    "Dimension",
    "DoubleSpan",
    "IntSpan",
    "Listed",
    "Nets",
    "Space",
    "Value",
    "grid_size",
    "parse_space",
    "value_text",
]

MAX_ENUMERATED = 10_000_000
"""A stepped range of real numbers may not have more steps than this."""
MAX_TEXT = 256
"""Characters of a value in a Trial."""


@dataclass(frozen=True, slots=True)
class Condition:
    """When a dimension belongs to an assignment."""

    parent: str
    """Name of an earlier dimension."""
    values: frozenset[str]
    """Texts of its values."""


@dataclass(frozen=True, slots=True)
class Space:
    """All dimensions, the architecture first, then parameters in the order of the spec."""

    dimensions: tuple[Dimension, ...]
    conditions: Mapping[str, Condition] = field(default_factory=dict)
    """By name, of the dimensions that have one."""
    limits: tuple[Limit, ...] = ()
    """What points must keep; `size` and `at` take no notice of them."""

    @property
    def nets(self) -> Nets | None:
        """The dimension of architectures, if they are searched."""
        return next((d for d in self.dimensions if isinstance(d, Nets)), None)

    def without_nets(self) -> Space:
        """The space of the ordinary parameters alone."""
        rest = tuple(d for d in self.dimensions if not isinstance(d, Nets))
        return Space(rest, self.conditions, self.limits)

    def allows(self, assignment: Mapping[str, Value]) -> bool:
        """Whether a point keeps all limits."""
        return all(limit.holds(assignment) for limit in self.limits)

    @property
    def size(self) -> int | None:
        """Number of different assignments, allowed or not; None where there is no end of them."""
        if any(dimension.size is None for dimension in self.dimensions):
            return None
        return math.prod(self._tree_size(d) for d in self._roots)

    @property
    def _roots(self) -> list[Dimension]:
        return [d for d in self.dimensions if d.name not in self.conditions]

    def _children(self, parent: Dimension, place: int) -> list[Dimension]:
        """Dimensions that belong to an assignment because the parent has the value at this place."""
        return [
            d
            for d in self.dimensions
            if (condition := self.conditions.get(d.name)) is not None
            and condition.parent == parent.name
            and value_text(parent.at(place)) in condition.values
        ]

    def _has_children(self, dimension: Dimension) -> bool:
        return any(c.parent == dimension.name for c in self.conditions.values())

    def tree_sizes(self) -> list[tuple[Dimension, int]]:
        """Each dimension without a condition, and how many assignments it and its tree have.

        Only where `size` is known; a place (`at`) counts them through, the last one fastest.
        """
        return [(root, self._tree_size(root)) for root in self._roots]

    def _tree_size(self, root: Dimension) -> int:
        """Different assignments of a dimension and of all that depend on it; sizes are known."""
        count = root.size or 1
        if not self._has_children(root):
            return count
        return sum(self._branch_size(root, place) for place in range(count))

    def _branch_size(self, root: Dimension, place: int) -> int:
        return math.prod(self._tree_size(child) for child in self._children(root, place))

    def at(self, index: int) -> dict[str, Value]:
        """The assignment with this index, the last dimension changing fastest.

        Only where `size` is known.
        """
        found: dict[str, Value] = {}
        self._fill(found, self._roots, index)
        return {d.name: found[d.name] for d in self.dimensions if d.name in found}

    def _fill(self, found: dict[str, Value], roots: list[Dimension], index: int) -> None:
        for root in reversed(roots):
            index, within = divmod(index, self._tree_size(root))
            if not self._has_children(root):
                found[root.name] = root.at(within)
                continue
            place = 0
            while within >= (size := self._branch_size(root, place)):
                within, place = within - size, place + 1
            found[root.name] = root.at(place)
            self._fill(found, self._children(root, place), within)

    def belongs(self, dimension: Dimension, assignment: Mapping[str, Value]) -> bool:
        """Whether a dimension has a value where those before it are as assigned."""
        condition = self.conditions.get(dimension.name)
        if condition is None:
            return True
        parent = assignment.get(condition.parent)
        return parent is not None and value_text(parent) in condition.values

    def belonging(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """Of values for all dimensions, those that belong to the assignment."""
        kept: dict[str, Value] = {}
        for dimension in self.dimensions:
            if self.belongs(dimension, kept):
                kept[dimension.name] = values[dimension.name]
        return kept

    def grid(self) -> Space:
        """The finite space that a Grid goes through.

        Raises:
            InvalidSpecError: if a dimension has no end of values.
        """
        axes = tuple(dimension.grid_axis() for dimension in self.dimensions)
        return Space(axes, self.conditions, self.limits)

    def to_texts(self, assignment: Mapping[str, Value]) -> tuple[tuple[str, str], ...]:
        """(name, value) texts of an assignment, as a Trial records them."""
        return tuple(
            (d.name, value_text(assignment[d.name]))
            for d in self.dimensions
            if d.name in assignment
        )

    def from_texts(self, texts: tuple[tuple[str, str], ...]) -> dict[str, Value]:
        """The assignment that a Trial records.

        Raises:
            InvalidSpecError: if a value is missing or of another type.
        """
        given, found = dict(texts), dict[str, Value]()
        for dimension in self.dimensions:
            if not self.belongs(dimension, found):
                continue
            if dimension.name not in given:
                raise InvalidSpecError(f"a recorded trial has no value for {dimension.name}")
            found[dimension.name] = dimension.parse(given[dimension.name])
        return found

    def canonical(self, assignment: Mapping[str, Value]) -> str:
        """The one text that decides whether two assignments are the same."""
        texts = dict(self.to_texts(assignment))
        listed = [texts.get(dimension.name) for dimension in self.dimensions]
        return json.dumps(listed, separators=(",", ":"))


def grid_size(space: Space) -> int:
    """Number of points of the grid over a space.

    Raises:
        InvalidSpecError: if a dimension has no end of values.
    """
    return space.grid().size or 0


def parse_space(spec: SpaceSpec) -> Space:
    """The space that a spec describes.

    Raises:
        InvalidSpecError: naming the parameter, what was given and what is allowed.
    """
    names = [p.name for p in spec.parameters]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidSpecError(f"spec.space.parameters names {', '.join(twice)} more than once")
    conditions = {
        p.name: Condition(p.when.parameter, frozenset(p.when.values))
        for p in spec.parameters
        if p.when is not None
    }
    nets = () if spec.architecture is None else (nets_of(spec.architecture),)
    dimensions = (*nets, *(_dimension(parameter) for parameter in spec.parameters))
    return Space(dimensions, conditions, tuple(map(limit_of, spec.constraints)))


def _dimension(parameter: Parameter) -> Dimension:
    kinds = (parameter.double, parameter.int, parameter.choice)
    if sum(kind is not None for kind in kinds) != 1:
        raise InvalidSpecError(f"parameter {parameter.name}: give one of double, int and choice")
    if parameter.choice is not None:
        return _listed(parameter.name, parameter.choice.values)
    if parameter.int is not None:
        return _int_dimension(parameter.name, parameter.int)
    assert parameter.double is not None  # noqa: S101 -- exactly one is given
    return _double_dimension(parameter.name, parameter.double)


def _listed(name: str, values: tuple[Value, ...]) -> Listed:
    listed = Listed(name, values)
    texts = [value_text(value) for value in values]
    twice = next((text for i, text in enumerate(texts) if text in texts[:i]), None)
    if twice is not None:
        raise InvalidSpecError(f"parameter {name} lists {twice} more than once; list it once")
    long = next((text for text in texts if len(text) > MAX_TEXT), None)
    if long is not None:
        raise InvalidSpecError(
            f"parameter {name} lists {long[:20]!r}... of {len(long)} characters, allowed are "
            f"at most {MAX_TEXT}"
        )
    return listed


def _int_dimension(name: str, span: IntRange) -> Dimension:
    if span.values is not None:
        _check_list(name, span)
        return _listed(name, span.values)
    if span.min is None or span.max is None:
        raise InvalidSpecError(f"parameter {name}: give min and max, or values")
    _check_span(name, span, span.min, span.max)
    return IntSpan(name, span.min, span.max, span.step or 1, span.scale is Scale.LOG, span.points)


def _double_dimension(name: str, span: DoubleRange) -> Dimension:
    if span.values is not None:
        _check_list(name, span)
        return _listed(name, tuple(_real(name, "values", text) for text in span.values))
    if span.min is None or span.max is None:
        raise InvalidSpecError(f"parameter {name}: give min and max, or values")
    _real(name, "min", span.min)
    _real(name, "max", span.max)
    low, high = Decimal(span.min), Decimal(span.max)
    _check_span(name, span, low, high)
    step = None if span.step is None else Decimal(span.step)
    if step is not None:
        _check_step(name, low, high, step)
    return DoubleSpan(name, low, high, step, span.scale is Scale.LOG, span.points)


def _real(name: str, part: str, text: str) -> float:
    number = float(text) + 0.0  # no minus before a zero
    if not is_expressible(number):
        raise InvalidSpecError(
            f"parameter {name}: {part} is {text}, allowed are 0 and sizes from {SMALLEST:g} to "
            f"{LARGEST:g}"
        )
    return number


def _check_list(name: str, span: IntRange | DoubleRange) -> None:
    others = (span.min, span.max, span.step, span.points)
    if any(part is not None for part in others):
        raise InvalidSpecError(
            f"parameter {name} lists values, so min, max, step and points must be left out"
        )


def _check_span(
    name: str, span: IntRange | DoubleRange, low: int | Decimal, high: int | Decimal
) -> None:
    if low >= high:
        raise InvalidSpecError(
            f"parameter {name}: min is {span.min}, it must be less than max, {span.max}"
        )
    if span.scale is not Scale.LOG:
        return
    if low <= 0:
        raise InvalidSpecError(
            f"parameter {name}: min is {span.min}, a Log range needs more than 0"
        )
    if span.step is not None:
        raise InvalidSpecError(
            f"parameter {name}: step is {span.step}, a Log range has no steps; leave it out"
        )


def _check_step(name: str, low: Decimal, high: Decimal, step: Decimal) -> None:
    if step <= 0 or (high - low) / step > MAX_ENUMERATED:
        raise InvalidSpecError(
            f"parameter {name}: step is {step}, allowed is more than 0 and at most "
            f"{MAX_ENUMERATED} steps"
        )
    # Neighbours must differ as the numbers that a trial gets, or points would be run twice.
    finest = 2 * math.ulp(float(max(abs(low), abs(high))))
    if float(step) < finest:
        raise InvalidSpecError(
            f"parameter {name}: step is {step}, near {max(abs(low), abs(high))} allowed is at "
            f"least {finest:g}, the finest step of a 64-bit number"
        )
