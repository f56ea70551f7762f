"""Sequences of tokens under a grammar: written by a network or by chance, and changed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from winnow_operator.domain import architectures
from winnow_operator.engines.architectures.policy_network import (
    Floats,
    Masks,
    PolicyNetwork,
    Tokens,
)

TokenSequence = architectures.Tokens
"""One sequence, without padding."""
REMEMBERED = 4_096
"""Beginnings of sequences whose masks, and whole ones whose texts are kept."""


class Writer:
    """Writes sequences that the grammar allows."""

    def __init__(self, grammar: architectures.Grammar[Any]) -> None:
        self.grammar = grammar
        self.vocabulary, self.length = len(grammar.vocabulary), grammar.max_length
        self._mask = lru_cache(REMEMBERED)(lambda prefix: np.array(grammar.allowed(prefix)))
        self._text = lru_cache(REMEMBERED)(grammar.text)
        self._slot = lru_cache(REMEMBERED)(grammar.slot)
        self._canonical = lru_cache(REMEMBERED)(grammar.canonical)

    def mask(self, prefix: TokenSequence) -> npt.NDArray[np.bool_]:
        """(vocabulary,): which tokens may come next."""
        return self._mask(prefix)

    def text(self, tokens: TokenSequence) -> str:
        """The text of a whole sequence's architecture."""
        return self._text(tokens)

    def canonical(self, tokens: TokenSequence) -> TokenSequence:
        """The one sequence of all that write the same architecture."""
        return self._canonical(tokens)

    def slot(self, prefix: TokenSequence) -> str:
        """What is decided next, such as `layer2.width`."""
        return self._slot(prefix)

    def draw(self, source: np.random.Generator) -> TokenSequence:
        """A sequence by chance, each allowed token as likely as the others."""
        return self.completed((), (), source)

    def changed(self, tokens: TokenSequence, source: np.random.Generator) -> TokenSequence:
        """A sequence with another token at one place; what follows stays as far as it is allowed."""
        open_places = [place for place in range(len(tokens)) if self.mask(tokens[:place]).sum() > 1]
        if not open_places:
            return tokens
        place = int(source.choice(open_places))
        others = np.flatnonzero(self.mask(tokens[:place]))
        token = int(source.choice(others[others != tokens[place]]))
        return self.completed((*tokens[:place], token), tokens, source)

    def completed(
        self, prefix: TokenSequence, wanted: TokenSequence, source: np.random.Generator
    ) -> TokenSequence:
        """A whole sequence that begins so, with wanted tokens where they are allowed."""
        while (mask := self.mask(prefix)).any():
            place = len(prefix)
            if place < len(wanted) and mask[wanted[place]]:
                token = wanted[place]
            else:
                token = int(source.choice(np.flatnonzero(mask)))
            prefix = (*prefix, token)
        return prefix

    def written(
        self,
        network: PolicyNetwork,
        count: int,
        temperature: float,
        source: np.random.Generator,
    ) -> list[TokenSequence]:
        """Sequences that a network writes; a high temperature makes them more even."""
        found: list[TokenSequence] = [()] * count
        hidden, before = network.start(count)
        for place in range(self.length):
            masks = np.array([self.mask(prefix) for prefix in found])
            live = np.any(masks, axis=1)
            if not live.any():
                break
            hidden, logits = network.step(hidden, before, place)
            chosen = _drawn(logits / temperature, masks, source)
            before = np.where(live, chosen, 0)
            found = [
                (*prefix, int(token)) if alive else prefix
                for prefix, token, alive in zip(found, chosen, live, strict=True)
            ]
        return found

    def masks_of(self, sequences: Sequence[TokenSequence]) -> Masks:
        """What was allowed at each step of these sequences."""
        masks = np.zeros((len(sequences), self.length, self.vocabulary), np.bool_)
        for row, tokens in enumerate(sequences):
            for place in range(len(tokens)):
                masks[row, place] = self.mask(tokens[:place])
        return masks

    def padded(self, sequences: Sequence[TokenSequence]) -> Tokens:
        """(sequences, length), with any token after the end of each."""
        tokens = np.zeros((len(sequences), self.length), np.int64)
        for row, sequence in enumerate(sequences):
            tokens[row, : len(sequence)] = sequence
        return tokens


def _drawn(logits: Floats, masks: npt.NDArray[np.bool_], source: np.random.Generator) -> Tokens:
    """A token per row, by its share (Gumbel's trick); any one where none is allowed."""
    noise = source.gumbel(size=logits.shape)
    drawn: Tokens = np.where(masks, logits + noise, -np.inf).argmax(axis=1)
    return drawn
