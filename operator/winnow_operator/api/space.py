"""The search space as a user writes it: parameters with ranges or lists of values.

Whether a grid over it has an end is a question to algorithm and space together, so that rule
stands at the spec (`searchjob`).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from winnow_operator.api.fields import EXACT_INTEGER, ApiModel, DecimalString, ParameterName
from winnow_operator.api.rules import Rule, named_list, rules, said, set_list

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


def _range_rules(number: str, zero: str) -> dict[str, Any]:
    """Rules that hold for ranges of real and of whole numbers.

    Args:
        number: what makes a CEL number of a field, as `double({})`.
        zero: 0 of that type.
    """
    low, high, step = (number.format(f"self.{name}") for name in ("min", "max", "step"))
    return rules(
        *_RANGE_OR_LIST,
        Rule(
            f"!has(self.min) || !has(self.max) || {low} < {high}",
            "min must be less than max",
            said("min is %s, it must be less than max, %s", "self.min", "self.max"),
            ".min",
        ),
        Rule(
            f"!{_LOG} || !has(self.min) || {low} > {zero}",
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
            f"!has(self.step) || {step} > {zero}",
            "step must be more than 0",
            said("step is %s, it must be more than 0", "self.step"),
            ".step",
        ),
    )


class DoubleRange(ApiModel):
    """Real numbers: a range `min` to `max`, or a list of `values`."""

    model_config = ConfigDict(json_schema_extra=_range_rules("double({})", "0.0"))

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


class Space(ApiModel):
    """What is searched."""

    parameters: tuple[Parameter, ...] = Field(
        min_length=1, max_length=32, json_schema_extra=named_list("name")
    )
    """The dimensions, at most 32."""
