"""Spaces of architectures as grammars of tokens, for all who search or record nets.

grammar       what every grammar can do: masks, canonical form, counting, texts
mlp, cnn, transformer   the spaces of one family each
listed        nets that a user has written down
dimension     such a space as one dimension of a search space

Pure: no randomness. Whoever draws gives the number that decides.
"""

from __future__ import annotations

from winnow_operator.domain.architectures.cnn import CnnGrammar, CnnSpace
from winnow_operator.domain.architectures.grammar import Grammar, Tokens
from winnow_operator.domain.architectures.listed import ListedGrammar
from winnow_operator.domain.architectures.mlp import MlpGrammar, MlpSpace
from winnow_operator.domain.architectures.transformer import (
    TransformerGrammar,
    TransformerSpace,
)

__all__ = [
    "CnnGrammar",
    "CnnSpace",
    "Grammar",
    "ListedGrammar",
    "MlpGrammar",
    "MlpSpace",
    "Tokens",
    "TransformerGrammar",
    "TransformerSpace",
]
