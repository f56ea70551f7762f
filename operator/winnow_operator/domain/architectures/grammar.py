"""A token grammar: an architecture is a sequence of decisions, and a mask says what may come next.

A sequence is complete when nothing may come next; there is no token for the end, as the number of
layers is the first decision. The grammar is a machine: `_start`, `_options` and `_step` are all that a
family adds. What two sequences have in common (the same function) their canonical form says:
tokens -> net -> canonical net -> text and tokens.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

from winnow_contract.models.nets import Net, net_from_json, read_net

Tokens = tuple[int, ...]
"""Places in a grammar's vocabulary."""
State = TypeVar("State", bound=Hashable)

UNIT_BITS = 53
"""Bits of a number in [0, 1)."""
MORE_BITS = 256
"""Bits that a number is continued by, so that late decisions are as even as early ones."""
MAX_LISTED = 10_000
"""So many sequences are looked at one by one to count different architectures."""


class Grammar(ABC, Generic[State]):
    """A space of architectures.

    Instances never change, but for what they remember of counting.
    """

    vocabulary: tuple[str, ...]
    """The tokens in words, such as `width=64`; their places are the tokens."""
    max_length: int
    """Tokens of the longest sequence."""

    def __init__(self) -> None:
        self._masks: dict[Tokens, tuple[bool, ...]] = {}
        self._counts: dict[Hashable, int] = {}
        self._texts: tuple[str, ...] | None = None
        self._places: dict[str, int] = {}

    # What a family says.

    @abstractmethod
    def _start(self) -> State:
        """Before the first token."""

    @abstractmethod
    def _options(self, state: State) -> Tokens:
        """The tokens that may come next, ascending; none when the sequence is complete."""

    @abstractmethod
    def _step(self, state: State, token: int) -> State:
        """After one more token, which is one of the options."""

    @abstractmethod
    def _slot(self, state: State) -> str:
        """What is decided next, in words that are the same in all sequences: `layer2.width`."""

    @abstractmethod
    def _build(self, tokens: Tokens) -> Net:
        """The net of a complete sequence."""

    @abstractmethod
    def _sequence(self, net: Net) -> Iterator[str]:
        """The words of a net's tokens, whether or not the grammar has them."""

    def _key(self, state: State) -> Hashable:
        """What the number of ways to go on depends on."""
        return state

    @property
    def _has_duplicates(self) -> bool:
        """Whether two sequences may be the same net."""
        return False

    # What all grammars can do.

    def allowed(self, prefix: Sequence[int]) -> tuple[bool, ...]:
        """Of each token of the vocabulary, whether it may come next.

        All False: the sequence is complete.

        Raises:
            ValueError: if the prefix itself is not allowed.
        """
        options = self.options(prefix)
        if options not in self._masks:
            places = range(len(self.vocabulary))
            self._masks[options] = tuple(place in options for place in places)
        return self._masks[options]

    def options(self, prefix: Sequence[int]) -> Tokens:
        """The tokens that may come next, ascending; none when the sequence is complete.

        Raises:
            ValueError: if the prefix itself is not allowed.
        """
        return self._options(self._after(prefix))

    def slot(self, prefix: Sequence[int]) -> str:
        """What is decided next, such as `layer2.width`; empty when the sequence is complete.

        Raises:
            ValueError: if the prefix itself is not allowed.
        """
        state = self._after(prefix)
        return self._slot(state) if self._options(state) else ""

    def decisions(self, tokens: Sequence[int]) -> Iterator[tuple[str, Tokens, int]]:
        """Of each token the slot that it fills, the tokens that were allowed there, and itself."""
        state = self._start()
        for token in tokens:
            yield self._slot(state), self._options(state), token
            state = self._step(state, token)

    def canonical(self, tokens: Sequence[int]) -> Tokens:
        """The sequence that stands for all that are the same function.

        Raises:
            ValueError: if the sequence is not complete, or not allowed.
        """
        return self.encode(self.decode(tokens)) if self._has_duplicates else self._complete(tokens)

    def decode(self, tokens: Sequence[int]) -> dict[str, Any]:
        """The canonical net as JSON, which is what a trainer builds (`winnow_contract.models.nets`).

        Raises:
            ValueError: if the sequence is not complete, or not allowed.
        """
        return self._net(tokens).to_json()

    def text(self, tokens: Sequence[int]) -> str:
        """The canonical text, at most 256 characters: the value of the parameter in a Trial.

        Two sequences have the same where they are the same function.

        Raises:
            ValueError: if the sequence is not complete, or not allowed.
        """
        return self._net(tokens).text

    def encode(self, architecture: Mapping[str, Any]) -> Tokens:
        """The canonical sequence of a net given as JSON.

        Raises:
            ValueError: if it is no net of this grammar.
        """
        return self._tokens(net_from_json(architecture).canonical())

    def parse(self, text: str) -> Tokens:
        """The canonical sequence of a net given as text.

        Raises:
            ValueError: if it is no net of this grammar.
        """
        return self._tokens(read_net(text))

    def canonical_text(self, text: str) -> str:
        """The canonical text of a net given as text.

        Raises:
            ValueError: if it is no net of this grammar.
        """
        net = read_net(text)
        self._tokens(net)
        return net.text

    def size(self) -> int | None:
        """The number of different architectures; None where they are too many to tell them apart."""
        if not self._has_duplicates:
            return self.sequences
        return None if self.sequences > MAX_LISTED else len(self._distinct())

    @property
    def sequences(self) -> int:
        """The number of complete sequences; two of them may be one architecture."""
        return self._count(self._start())

    def at(self, index: int) -> Tokens:
        """The canonical sequence with an index below `size`, or where that is None `sequences`."""
        if self._has_duplicates and self.sequences <= MAX_LISTED:
            return self.parse(self._distinct()[index])
        return self.canonical(self._unranked(index))

    def from_unit(self, unit: float) -> Tokens:
        """The canonical sequence at a position in [0, 1), every option of a decision alike."""
        more = hashlib.sha256(repr(unit).encode()).digest()
        bits = UNIT_BITS + MORE_BITS
        rest = (int(unit * 2**UNIT_BITS) << MORE_BITS) | int.from_bytes(more, "big")
        state, tokens = self._start(), list[int]()
        while options := self._options(state):
            place, rest = divmod(rest * len(options), 1 << bits)
            tokens.append(options[place])
            state = self._step(state, tokens[-1])
        return self.canonical(tokens)

    # How they do it.

    def _after(self, prefix: Sequence[int]) -> State:
        state = self._start()
        for place, token in enumerate(prefix):
            if token not in self._options(state):
                raise ValueError(f"token {place} is {token}, which may not stand there")
            state = self._step(state, token)
        return state

    def _complete(self, tokens: Sequence[int]) -> Tokens:
        if self._options(self._after(tokens)):
            raise ValueError(f"the sequence {list(tokens)} is not complete")
        return tuple(tokens)

    def _net(self, tokens: Sequence[int]) -> Net:
        return self._build(self._complete(tokens)).canonical()

    def _tokens(self, net: Net) -> Tokens:
        if not self._places:
            self._places = {word: place for place, word in enumerate(self.vocabulary)}
        places, words = self._places, list(self._sequence(net))
        unknown = next((word for word in words if word not in places), None)
        if unknown is not None:
            raise ValueError(f"architecture {net.text} has {unknown}, which the space has not")
        try:
            return self._complete([places[word] for word in words])
        except ValueError as error:
            raise ValueError(f"architecture {net.text} is not in the space: {error}") from error

    def _count(self, state: State) -> int:
        key = self._key(state)
        if key not in self._counts:
            options = self._options(state)
            below = (self._count(self._step(state, token)) for token in options)
            self._counts[key] = sum(below) if options else 1
        return self._counts[key]

    def _unranked(self, index: int) -> Tokens:
        state, tokens = self._start(), list[int]()
        while options := self._options(state):
            for token in options:
                after = self._step(state, token)
                if index < (below := self._count(after)):
                    break
                index -= below
            else:
                raise IndexError("there are fewer architectures")
            tokens.append(token)
            state = after
        return tuple(tokens)

    def _distinct(self) -> tuple[str, ...]:
        if self._texts is None:
            every = (self._unranked(index) for index in range(self.sequences))
            self._texts = tuple(dict.fromkeys(self._build(tokens).text for tokens in every))
        return self._texts
