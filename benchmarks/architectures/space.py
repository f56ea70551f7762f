"""The space of the tabular benchmark: five slots, each with one of six operations. Pure.

A slot that is skipped does nothing, so architectures that differ only in where their skipped slots
stand are the same network: 3,906 architectures are written in 7,776 ways.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from typing_extensions import override

from winnow_contract.models.nets import Net
from winnow_operator.domain.architectures.grammar import Grammar, Tokens

SLOTS = 5
SKIP = 0
OPERATIONS = ("skip", "relu-64", "relu-8", "tanh-64", "residual-64", "norm")
EPOCHS = (1, 3, 9, 27)
SEEDS = 3

Architecture = tuple[int, ...]
"""Operations of the slots that are not skipped, in order; without any, a linear classifier."""


def architectures() -> list[Architecture]:
    """All of them, the shallow first."""
    operations = range(1, len(OPERATIONS))
    return [
        found for depth in range(SLOTS + 1) for found in itertools.product(operations, repeat=depth)
    ]


class SlotGrammar(Grammar[int]):
    """One decision per slot. The trainer cannot build these nets: they stand in the table alone."""

    def __init__(self) -> None:
        super().__init__()
        self.vocabulary = OPERATIONS
        self.max_length = SLOTS

    @override
    def _start(self) -> int:
        return 0

    @override
    def _options(self, state: int) -> Tokens:
        return tuple(range(len(OPERATIONS))) if state < SLOTS else ()

    @override
    def _step(self, state: int, token: int) -> int:
        return state + 1

    @override
    def _slot(self, state: int) -> str:
        return f"slot{state + 1}"

    @override
    def _build(self, tokens: Tokens) -> Net:
        raise TypeError("a row of the table is no net of the trainer")

    @override
    def _sequence(self, net: Net) -> Iterator[str]:
        raise TypeError("a net of the trainer is no row of the table")

    @override
    def canonical(self, tokens: Sequence[int]) -> Tokens:
        return self.parse(self.text(tokens))

    @override
    def text(self, tokens: Sequence[int]) -> str:
        return " ".join(OPERATIONS[token] for token in tokens if token != SKIP)

    @override
    def parse(self, text: str) -> Tokens:
        found = tuple(map(OPERATIONS.index, text.split()))
        return found + (SKIP,) * (SLOTS - len(found))

    @override
    def size(self) -> int:
        return len(architectures())

    @override
    def at(self, index: int) -> Tokens:
        found = architectures()[index]
        return found + (SKIP,) * (SLOTS - len(found))
