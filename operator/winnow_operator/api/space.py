"""The search space as a user writes it: parameters with ranges or lists of values.

Whether a grid over it has an end is a question to algorithm and space together, so that rule
stands at the spec (`searchjob`).
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from winnow_operator.api.architecture import ArchitectureSpace
from winnow_operator.api.fields import EXACT_INTEGER, ApiModel, DecimalString, ParameterName
from winnow_operator.api.rules import (
    Rule,
    atomic_list,
    named_list,
    no_decimals,
    rules,
    said,
    set_list,
)

WholeNumber = Annotated[int, Field(ge=-EXACT_INTEGER, le=EXACT_INTEGER)]
ChoiceValue = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]+$", min_length=1, max_length=256)]
"""One line of text."""


class Scale(StrEnum):
    """How a range is covered: evenly, or evenly in its logarithm."""

    LINEAR = "Linear"
    LOG = "Log"


_LOG = "(has(self.scale) && self.scale == 'Log')"

_RANGE_OR_LIST = (
    Rule(
        "has(self.values) || (has(self.min) && has(self.max))",
        "give min and max for a range, or values for a list",
        said(
            "min is %s and max is %s: give both for a range, or values for a list",
            "has(self.min) ? dyn(self.min) : dyn('missing')",
            "has(self.max) ? dyn(self.max) : dyn('missing')",
        ),
    ),
    Rule(
        "!has(self.values) || (!has(self.min) && !has(self.max) && !has(self.step) && "
        f"!has(self.points) && !{_LOG})",
        "values are listed, so min, max, step, points and scale Log have no meaning: give a "
        "list or a range",
    ),
)


def _range_rules(
    number: str, zero: str, unless: Callable[..., str] | None = None
) -> dict[str, Any]:
    """Rules that hold for ranges of real and of whole numbers.

    Args:
        number: what makes a CEL number of a field, as `double({})`.
        zero: 0 of that type.
        unless: makes a condition on fields under which they are not compared.
    """

    def skipped(*names: str) -> str:
        return f"{unless(*(f'self.{name}' for name in names))} || " if unless else ""

    low, high, step = (number.format(f"self.{name}") for name in ("min", "max", "step"))
    return rules(
        *_RANGE_OR_LIST,
        Rule(
            f"!has(self.min) || !has(self.max) || {skipped('min', 'max')}{low} < {high}",
            "min must be less than max",
            said("min is %s, it must be less than max, %s", "self.min", "self.max"),
            ".min",
        ),
        Rule(
            f"!{_LOG} || !has(self.min) || {skipped('min')}{low} > {zero}",
            "min must be more than 0 with scale Log",
            said("min is %s, with scale Log it must be more than 0", "self.min"),
            ".min",
        ),
        Rule(
            f"!{_LOG} || !has(self.step)",
            "step must be left out with scale Log",
            said(
                "step is %s, with scale Log it must be left out; points says how many values a "
                "Grid takes",
                "self.step",
            ),
            ".step",
        ),
        Rule(
            f"!has(self.step) || {skipped('step')}{step} > {zero}",
            "step must be more than 0",
            said("step is %s, it must be more than 0", "self.step"),
            ".step",
        ),
    )


class DoubleRange(ApiModel):
    """Real numbers: a range `min` to `max`, or a list of `values`."""

    model_config = ConfigDict(json_schema_extra=_range_rules("double({})", "0.0", no_decimals))

    min: DecimalString | None = None
    """Lowest value, included."""
    max: DecimalString | None = None
    """Highest value, included."""
    scale: Scale = Scale.LINEAR
    """Linear, or Log for ranges over orders of magnitude."""
    step: DecimalString | None = None
    """Only values `min + k * step`; not with Log."""
    points: int | None = Field(default=None, ge=2, le=1000)
    """How many points a Grid takes from the range, both ends included."""
    values: tuple[DecimalString, ...] | None = Field(
        default=None, min_length=1, max_length=1000, json_schema_extra=set_list()
    )
    """These values and no others, instead of a range."""


class IntRange(ApiModel):
    """Whole numbers: a range `min` to `max`, or a list of `values`."""

    model_config = ConfigDict(json_schema_extra=_range_rules("{}", "0"))

    min: WholeNumber | None = None
    """Lowest value, included."""
    max: WholeNumber | None = None
    """Highest value, included."""
    scale: Scale = Scale.LINEAR
    """Linear, or Log for ranges over orders of magnitude."""
    step: int | None = Field(default=None, ge=1, le=EXACT_INTEGER)
    """Only values `min + k * step`; not with Log."""
    points: int | None = Field(default=None, ge=2, le=1000)
    """How many points a Grid takes from the range, both ends included."""
    values: tuple[WholeNumber, ...] | None = Field(
        default=None, min_length=1, max_length=1000, json_schema_extra=set_list()
    )
    """These values and no others, instead of a range."""


class Choice(ApiModel):
    """One of some words."""

    values: tuple[ChoiceValue, ...] = Field(
        min_length=1, max_length=256, json_schema_extra=set_list()
    )
    """The words to choose from."""


_ONE_TYPE = Rule(
    "[has(self.double), has(self.int), has(self.choice)].exists_one(given, given)",
    "give exactly one of double, int and choice",
    said(
        "parameter %s has %s of double, int and choice: give exactly one",
        "self.name",
        "[has(self.double), has(self.int), has(self.choice)].filter(given, given).size()",
    ),
)


class When(ApiModel):
    """For which trials a parameter exists."""

    parameter: ParameterName
    """Name of a choice that stands before it."""
    values: tuple[ChoiceValue, ...] = Field(
        min_length=1, max_length=256, json_schema_extra=set_list()
    )
    """Values of that choice with which it exists."""


class Parameter(ApiModel):
    """One dimension of the space: exactly one of `double`, `int` and `choice`."""

    model_config = ConfigDict(json_schema_extra=rules(_ONE_TYPE))

    name: ParameterName
    """Name under which the trial gets the value."""
    double: DoubleRange | None = None
    """Real numbers."""
    int: IntRange | None = None
    """Whole numbers."""
    choice: Choice | None = None
    """Words."""
    when: When | None = None
    """Only trials with one of these values of another parameter have it; without, all do."""


class Term(ApiModel):
    """One parameter of a sum."""

    parameter: ParameterName
    """Name of a parameter of numbers."""
    factor: DecimalString = "1"
    """What its value is multiplied with."""


_SUM_OR_PRODUCT = Rule(
    "has(self.sum) != has(self.product)",
    "give either sum or product",
    said(
        "a constraint of the space has %s of sum and product: give one",
        "has(self.sum) ? 'both' : 'none'",
    ),
)
_SOME_LIMIT = Rule(
    "has(self.min) || has(self.max)",
    "a constraint of the space has no limit: give min, max or both",
)
_LIMITS_IN_ORDER = Rule(
    f"!has(self.min) || !has(self.max) || {no_decimals('self.min', 'self.max')} || "
    "double(self.min) <= double(self.max)",
    "min must be at most max",
    said("min is %s, it must be at most max, %s", "self.min", "self.max"),
    ".min",
)


class SpaceConstraint(ApiModel):
    """A sum or a product of values that lies within limits; other points are not tried."""

    model_config = ConfigDict(
        json_schema_extra=rules(_SUM_OR_PRODUCT, _SOME_LIMIT, _LIMITS_IN_ORDER)
    )

    sum: tuple[Term, ...] | None = Field(
        default=None, min_length=1, max_length=8, json_schema_extra=named_list("parameter")
    )
    """Values, each multiplied with its factor, added up."""
    product: tuple[ParameterName, ...] | None = Field(
        default=None, min_length=1, max_length=8, json_schema_extra=set_list()
    )
    """Names of parameters of numbers whose values are multiplied."""
    min: DecimalString | None = None
    """The lowest result that is allowed."""
    max: DecimalString | None = None
    """The highest result that is allowed."""


_NO_NUMBER = "!has(self.parameters) || !self.parameters.exists(p, p.name == {} && !has(p.choice))"
_BAD_TERM = "has(c.sum) && c.sum.exists(t, " + _NO_NUMBER.format("t.parameter") + ")"
_BAD_FACTOR = "has(c.product) && c.product.exists(t, " + _NO_NUMBER.format("t") + ")"
_SOMETHING = Rule(
    "has(self.architecture) || (has(self.parameters) && self.parameters.size() > 0)",
    "the space is empty: give parameters, an architecture, or both",
)
_ROOM_FOR_NET = Rule(
    "!has(self.architecture) || !has(self.parameters) || self.parameters.size() <= 31",
    "beside an architecture there may be at most 31 parameters",
    said(
        "parameters are %s, beside an architecture allowed are at most 31: a Trial records 32 values",
        "self.parameters.size()",
    ),
    ".parameters",
)
_OTHER_NAME = Rule(
    "!has(self.architecture) || !has(self.parameters) || "
    "!self.parameters.exists(p, p.name == 'architecture')",
    "a parameter is named architecture, which is the name of the net: leave it or "
    "space.architecture out",
    path=".parameters",
)
_OF_NUMBERS = Rule(
    f"!has(self.constraints) || self.constraints.all(c, !({_BAD_TERM}) && !({_BAD_FACTOR}))",
    "a constraint of the space must name parameters of numbers",
    path=".constraints",
)


class Space(ApiModel):
    """What is searched."""

    model_config = ConfigDict(
        json_schema_extra=rules(_SOMETHING, _ROOM_FOR_NET, _OTHER_NAME, _OF_NUMBERS)
    )

    parameters: tuple[Parameter, ...] = Field(
        default=(), max_length=32, json_schema_extra=named_list("name")
    )
    """The dimensions, at most 32; may be left out where an architecture is searched."""
    architecture: ArchitectureSpace | None = None
    """The nets that are searched, beside the parameters. What a net names itself (such as its width)
    is no parameter then."""
    constraints: tuple[SpaceConstraint, ...] = Field(
        default=(), max_length=8, json_schema_extra=atomic_list()
    )
    """Between parameters: points that break one are not tried."""
