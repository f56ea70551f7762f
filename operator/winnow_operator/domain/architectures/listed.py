"""Nets that a user has written down, one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from typing_extensions import override

from winnow_contract.models.nets import Net, read_net
from winnow_operator.domain.architectures.grammar import Grammar, Tokens


class ListedGrammar(Grammar[bool]):
    """One token, which is the net's canonical text.

    Raises:
        SettingError: if a text is no net.
        ValueError: if two are the same net.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        super().__init__()
        self._nets = tuple(read_net(text) for text in texts)
        self.vocabulary = tuple(net.text for net in self._nets)
        self.max_length = 1
        for place, text in enumerate(self.vocabulary):
            first = self.vocabulary.index(text)
            if first != place:
                raise ValueError(
                    f"{texts[place]!r} is the same net as {texts[first]!r}: list it once"
                )

    @override
    def _start(self) -> bool:
        return False

    @override
    def _options(self, state: bool) -> Tokens:
        return () if state else tuple(range(len(self.vocabulary)))

    @override
    def _step(self, state: bool, token: int) -> bool:
        return True

    @override
    def _slot(self, state: bool) -> str:
        return "net"

    @override
    def _build(self, tokens: Tokens) -> Net:
        return self._nets[tokens[0]]

    @override
    def _sequence(self, net: Net) -> Iterator[str]:
        yield net.text
