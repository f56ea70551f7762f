"""A space of architectures as one dimension of a search space: its values are texts of nets."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from winnow_contract.models.nets import read_net
from winnow_operator.api.architecture import ArchitectureSpace
from winnow_operator.domain.architectures.cnn import CnnGrammar, CnnSpace
from winnow_operator.domain.architectures.grammar import MAX_LISTED, Grammar
from winnow_operator.domain.architectures.listed import ListedGrammar
from winnow_operator.domain.architectures.mlp import MlpGrammar, MlpSpace
from winnow_operator.domain.architectures.transformer import TransformerGrammar, TransformerSpace
from winnow_operator.domain.spaces.dimensions import Dimension
from winnow_operator.domain.spaces.values import Value
from winnow_operator.errors import InvalidSpecError

ARCHITECTURE = "architecture"
"""Name of the dimension, and of the setting and the parameter that take its value."""


@dataclass(frozen=True, slots=True)
class Nets:
    """All nets of a grammar, each by its canonical text."""

    grammar: Grammar[Any]
    name: str = ARCHITECTURE

    @property
    def size(self) -> int | None:
        """Number of different nets; where they cannot be told apart, of sequences, which are more."""
        return self.grammar.size() or self.grammar.sequences

    def at(self, index: int) -> str:
        """The net with this index; of sequences, two may be one net."""
        return self.grammar.text(self.grammar.at(index))

    def from_unit(self, unit: float) -> str:
        """The net at a position in [0, 1), each option of a decision equally likely."""
        return self.grammar.text(self.grammar.from_unit(unit))

    def to_unit(self, value: Value) -> float:
        """Nets are in no order, so that none has a position.

        Raises:
            TypeError: always.
        """
        raise TypeError(f"net {value} has no position")

    def has(self, value: Value) -> bool:
        """Whether it is the text of one of the nets."""
        try:
            self.grammar.parse(str(value))
        except ValueError:
            return False
        return True

    def grid_axis(self) -> Dimension:
        """All nets, if they can be listed.

        Raises:
            InvalidSpecError: if there are too many to tell which are the same.
        """
        count = self.grammar.size()
        if count is None:
            raise InvalidSpecError(
                "spec.space.architecture has more nets than a Grid can tell apart, "
                f"{self.grammar.sequences} sequences of which some are the same; allowed with branches "
                f"are at most {MAX_LISTED}: narrow it, or use another algorithm"
            )
        return self

    def parse(self, text: str) -> str:
        """The canonical text of a net.

        Raises:
            InvalidSpecError: if it is no net of the space.
        """
        try:
            return self.grammar.canonical_text(text)
        except ValueError as error:
            raise InvalidSpecError(f"spec.space.architecture: {error}") from error


def nets_of(space: ArchitectureSpace) -> Nets:
    """The dimension that a spec describes.

    Raises:
        InvalidSpecError: naming the field, what was given and what is allowed.
    """
    try:
        return Nets(_grammar(space))
    except ValueError as error:
        raise InvalidSpecError(f"spec.space.architecture: {error}") from error


def document_of(text: str) -> dict[str, Any]:
    """A net as JSON, for images that build it themselves."""
    return read_net(text).to_json()


@lru_cache(maxsize=64)  # a job's space is asked for at every look, and counting takes a while
def _grammar(space: ArchitectureSpace) -> Grammar[Any]:
    if space.mlp is not None:
        mlp = space.mlp
        return MlpGrammar(
            MlpSpace(
                _counts(mlp.depth.min, mlp.depth.max),
                mlp.widths,
                tuple(map(str, mlp.activations)),
                tuple(map(str, mlp.norms)),
                mlp.skips,
            )
        )
    if space.cnn is not None:
        cnn = space.cnn
        return CnnGrammar(
            CnnSpace(
                cnn.nodes,
                tuple((word[:-1], int(word[-1])) for word in cnn.operations),
                _counts(cnn.stages.min, cnn.stages.max),
                cnn.widths,
                cnn.strides,
                cnn.branches,
                cnn.skips,
            )
        )
    if space.transformer is not None:
        form = space.transformer
        depths = _counts(form.depth.min, form.depth.max)
        return TransformerGrammar(TransformerSpace(depths, form.widths, form.heads, form.hidden))
    return ListedGrammar(space.nets or ())


def _counts(low: int, high: int) -> tuple[int, ...]:
    return tuple(range(low, high + 1))
