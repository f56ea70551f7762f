"""Environment variables, read one at a time: what cannot be used is named with what is allowed."""

from __future__ import annotations

from collections.abc import Mapping

from winnow_contract.errors import EnvironmentVariableError

__all__ = ["flag", "fraction", "whole_number"]

_FLAGS = {"true": True, "false": False}


def whole_number(
    variables: Mapping[str, str], name: str, default: int, *, minimum: int = 0, maximum: int
) -> int:
    """A whole number; the default where the variable is missing or empty.

    Raises:
        EnvironmentVariableError: if it is none, or out of bounds.
    """
    text = variables.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or not minimum <= int(text) <= maximum:
        raise EnvironmentVariableError(
            f"{name} is {text[:80]!r}, allowed are whole numbers from {minimum} to {maximum}"
        )
    return int(text)


def fraction(
    variables: Mapping[str, str], name: str, default: float, *, minimum: float, maximum: float
) -> float:
    """A decimal number; the default where the variable is missing or empty.

    Raises:
        EnvironmentVariableError: if it is none, or out of bounds.
    """
    text = variables.get(name) or str(default)
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not minimum <= number <= maximum:  # NaN is between nothing
        raise EnvironmentVariableError(
            f"{name} is {text[:80]!r}, allowed are numbers from {minimum:g} to {maximum:g}"
        )
    return number


def flag(variables: Mapping[str, str], name: str, *, default: bool) -> bool:
    """`true` or `false`; the default where the variable is missing or empty.

    Raises:
        EnvironmentVariableError: if it is something else.
    """
    text = variables.get(name, "")
    if not text:
        return default
    if text not in _FLAGS:
        raise EnvironmentVariableError(f"{name} is {text[:80]!r}, allowed are true and false")
    return _FLAGS[text]
