"""Nested figures and sentences, as manifests hold them, as tables.

A manifest is input: it may hold anything, at any depth, as long as it likes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from winnow_measure.report.markup import Markup, element, join

__all__ = ["facts", "inline"]

DEEPEST = 8
"""Objects within objects that are followed."""
MOST_ROWS = 200
"""Rows of a table; a sensitivity of every layer of a large net has more."""
MOST_COLUMNS = 12
SENTENCES = "sentences"
"""Key under which a step says in words what it did."""


def facts(caption: str, values: object) -> Markup:
    """Sentences as they are, lists of objects as tables of their own, the rest as one table."""
    if not isinstance(values, Mapping):
        return _pairs(caption, values)
    listed = {key: value for key, value in values.items() if _is_listing(value)}
    plain = {k: v for k, v in values.items() if k not in listed and k != SENTENCES}
    return join(
        (
            *(element("p", sentence) for sentence in _sentences(values.get(SENTENCES))),
            _pairs(caption, plain),
            *(_listing(str(key), value) for key, value in listed.items()),
        )
    )


def _sentences(value: object) -> list[str]:
    if isinstance(value, list | tuple):
        return [inline(item) for item in value[:MOST_ROWS]]
    return [] if value is None else [inline(value)]


def _is_listing(value: object) -> bool:
    is_list = isinstance(value, list | tuple) and len(value) > 0
    return is_list and all(isinstance(item, Mapping) for item in value)  # type: ignore[attr-defined]  # a list


def _listing(caption: str, items: Sequence[Mapping[object, object]]) -> Markup:
    """A row for each object, a column for each key that one of them has."""
    keys = list(dict.fromkeys(key for item in items for key in item))[:MOST_COLUMNS]
    head = element("tr", *(element("th", key, scope="col") for key in keys))
    rows = [
        element("tr", *(element("td", inline(item.get(key, "")), class_="words") for key in keys))
        for item in items[:MOST_ROWS]
    ]
    words = _with_rest(caption, len(items) - len(rows))
    return element("table", words, element("thead", head), element("tbody", *rows))


def _pairs(caption: str, values: object) -> Markup:
    rows = list(_flat(values))
    if not rows:
        return Markup("")
    body = [
        element(
            "tr", element("th", name or "value", scope="row"), element("td", text, class_="words")
        )
        for name, text in rows[:MOST_ROWS]
    ]
    return element("table", _with_rest(caption, len(rows) - len(body)), element("tbody", *body))


def _with_rest(caption: str, left_out: int) -> Markup:
    words = f"{caption}, {left_out} more rows in manifest.json" if left_out > 0 else caption
    return element("caption", words)


def _flat(values: object, name: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """Nested figures as rows, `sensitivity.layer1.conv` and so on."""
    pairs: list[tuple[object, object]] = []
    if isinstance(values, Mapping):
        pairs = list(values.items())
    elif isinstance(values, list | tuple) and any(isinstance(v, Mapping | list) for v in values):
        pairs = list(enumerate(values, 1))
    elif values is not None:
        yield name, inline(values)
    for key, value in pairs if depth < DEEPEST else ():
        yield from _flat(value, f"{name}.{key}" if name else str(key), depth + 1)


def inline(value: object, depth: int = 0) -> str:
    """A value in one line."""
    if depth > DEEPEST:
        return "…"
    if isinstance(value, list | tuple):
        return ", ".join(inline(item, depth + 1) for item in value) or "none"
    if isinstance(value, Mapping):
        pairs = [f"{key} {inline(item, depth + 1)}" for key, item in value.items()]
        return ", ".join(pairs) or "none"
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
