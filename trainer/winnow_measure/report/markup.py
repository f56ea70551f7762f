"""Markup that cannot be broken out of: every text and attribute is escaped where it is put in.

`Markup` is text that is markup already; any other text is data. Names of elements and attributes
are written by this package alone, never taken from data.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

__all__ = ["Markup", "element", "join", "text"]

Attribute = str | float | None
"""None leaves the attribute out."""

_FORBIDDEN = dict.fromkeys(
    [*range(9), 11, 12, *range(14, 32), 127, *range(0xD800, 0xE000)], "\N{REPLACEMENT CHARACTER}"
)
"""What no HTML page may hold, not even escaped; files' names and messages can have it."""


class Markup(str):
    """Text that is markup: it is put in as it is."""

    __slots__ = ()


def text(data: object) -> Markup:
    """Data as text of the page."""
    if isinstance(data, Markup):
        return data
    return Markup(_escaped(str(data)))


def _escaped(data: str) -> str:
    return escape(data.translate(_FORBIDDEN), quote=True)


def element(name: str, *children: object, **attributes: Attribute) -> Markup:
    """One element with its children, which are escaped unless they are markup.

    Attributes are written in the order given; a `_` in a name becomes `-` and one at its end goes
    (`class_`, `stroke_width`).
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_escaped(_attribute(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{join(children)}</{name}>")


def join(children: Iterable[object], separator: str = "") -> Markup:
    """Children one after the other."""
    return Markup(separator.join(text(child) for child in children))


_VOID = frozenset({"meta"})


def _attribute(value: str | float) -> str:
    """Coordinates with two decimals at most: more would only make the page longer."""
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return str(value)
