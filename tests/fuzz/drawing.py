"""Draws documents from a strategy outside of a test: the same ones whenever the number is the same."""

from __future__ import annotations

import json
from typing import TypeVar

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.support.api import Body

T = TypeVar("T")

DRAWN = 2
"""So many are drawn for each that is kept: hypothesis repeats and varies one before it makes another."""
FEW = 12
"""One of so many choices is an odd one where `mostly` chooses."""


def drawn(documents: SearchStrategy[Body], count: int, number: int) -> list[Body]:
    """`count` documents, no two alike, the same ones for the same number."""
    found: dict[str, Body] = {}

    @seed(number)
    @settings(
        max_examples=DRAWN * count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(documents)
    def draw(document: Body) -> None:
        found.setdefault(json.dumps(document, sort_keys=True), document)

    draw()
    distinct = list(found.values())
    return [distinct[place * len(distinct) // count] for place in range(count)]


def mostly(likely: SearchStrategy[T], odd: SearchStrategy[T]) -> SearchStrategy[T]:
    """What goes together most of the time: of choices at will, hardly any do."""
    return st.integers(1, FEW).flatmap(lambda die: odd if die == FEW else likely)
