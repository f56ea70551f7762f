"""Draws documents from a strategy outside of a test: the same ones whenever the number is the same."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

from tests.support.api import Body


def drawn(documents: SearchStrategy[Body], count: int, number: int) -> list[Body]:
    """`count` documents, the same ones for the same number."""
    found: list[Body] = []

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(documents)
    def draw(document: Body) -> None:
        found.append(document)

    draw()
    return found
