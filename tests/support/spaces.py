"""Search spaces for tests: built from short specs, and drawn by hypothesis."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from winnow_operator.api.searchjob import Space as SpaceSpec
from winnow_operator.domain.spaces.space import Space, parse_space


def space_of(*parameters: dict[str, Any]) -> Space:
    """The space of these parameters, as they stand in a spec."""
    return parse_space(SpaceSpec.model_validate({"parameters": list(parameters)}))


def double(name: str, **fields: Any) -> dict[str, Any]:
    """A parameter of real numbers."""
    return {"name": name, "double": fields}


def integer(name: str, **fields: Any) -> dict[str, Any]:
    """A parameter of whole numbers."""
    return {"name": name, "int": fields}


def choice(name: str, *values: str) -> dict[str, Any]:
    """A parameter of words."""
    return {"name": name, "choice": {"values": list(values)}}


def when(parameter: dict[str, Any], parent: str, *values: str) -> dict[str, Any]:
    """A parameter that exists only with some values of a choice."""
    return {**parameter, "when": {"parameter": parent, "values": list(values)}}


_decimals = st.builds(
    lambda digits, exponent: f"{Decimal(digits).scaleb(exponent):f}",
    st.integers(-99_999, 99_999),
    st.integers(-6, 2),
)
_words = st.text('abcxyz"\\,=\u00e4 ', min_size=1, max_size=6)


@st.composite
def _real_ranges(draw: st.DrawFn) -> dict[str, Any]:
    log = draw(st.booleans())
    ends = draw(st.lists(_decimals, min_size=2, max_size=2, unique_by=Decimal))
    low, high = sorted((abs(Decimal(e)) if log else Decimal(e)) for e in ends)
    if log:
        low, high = low + Decimal("0.0001"), high + Decimal("0.0002")
    span = {"min": f"{low:f}", "max": f"{high:f}", "scale": "Log" if log else "Linear"}
    return {**span, "points": draw(st.integers(2, 9))}


@st.composite
def _real_steps(draw: st.DrawFn) -> dict[str, Any]:
    low = Decimal(draw(_decimals))
    step = Decimal(draw(st.integers(1, 99))).scaleb(draw(st.integers(-4, 1)))
    # The highest value need not be on a step.
    high = (
        low + step * draw(st.integers(1, 6)) + step * Decimal(draw(st.sampled_from(("0", "0.5"))))
    )
    return {"min": f"{low:f}", "max": f"{high:f}", "step": f"{step:f}"}


@st.composite
def _whole_ranges(draw: st.DrawFn) -> dict[str, Any]:
    if draw(st.booleans()):
        low = draw(st.integers(1, 50))
        high = low + draw(st.integers(1, 9))
        return {"min": low, "max": high, "scale": "Log", "points": draw(st.integers(2, 9))}
    low, step = draw(st.integers(-50, 50)), draw(st.integers(1, 7))
    return {"min": low, "max": low + draw(st.integers(1, 40)), "step": step}


_finite = st.one_of(
    _real_steps().map(lambda fields: ("double", fields)),
    st.lists(_decimals, min_size=1, max_size=5, unique_by=float).map(
        lambda values: ("double", {"values": values})
    ),
    _whole_ranges().map(lambda fields: ("int", fields)),
    st.lists(st.integers(-9, 9), min_size=1, max_size=5, unique=True).map(
        lambda values: ("int", {"values": values})
    ),
    st.lists(_words, min_size=1, max_size=4, unique=True).map(
        lambda values: ("choice", {"values": values})
    ),
)
_endless = _real_ranges().map(lambda fields: ("double", fields))


def _space(kinds: list[tuple[str, dict[str, Any]]]) -> Space:
    return space_of(*({"name": f"p{i}", kind: fields} for i, (kind, fields) in enumerate(kinds)))


finite_spaces = st.lists(_finite, min_size=1, max_size=3).map(_space)
"""Spaces with a number of points."""
spaces = st.lists(st.one_of(_finite, _endless), min_size=1, max_size=4).map(_space)
"""Any spaces; each of their dimensions has a grid."""
