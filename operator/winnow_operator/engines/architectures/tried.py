"""Which architectures were suggested already, and one that was not."""

from __future__ import annotations

from collections.abc import Iterable

from winnow_operator.domain.spaces.space import Nets, Space
from winnow_operator.engines.sampling import left_over
from winnow_operator.engines.unseen import Seen


class Tried:
    """The texts of all suggestions: an architecture has one text, however it is written."""

    def __init__(self, nets: Nets, seed: int, *, repeats: bool = False) -> None:
        """Begin with none.

        Args:
            nets: all that may come.
            seed: of the order in which what is left comes.
            repeats: architectures may come again once all were tried, because a trial has other
                parameters too.
        """
        self._nets, self._seed, self._repeats = nets, seed, repeats
        self._space = Space((nets,))
        self._seen = Seen(self._space, seed)
        self._all_came = False

    def add(self, text: str) -> None:
        """Remember a suggestion."""
        self._seen.add({self._nets.name: text})

    def restart(self, texts: Iterable[str]) -> None:
        """Remember these, and nothing else."""
        self._seen.restart({self._nets.name: text} for text in texts)
        self._all_came = False

    def may_come(self, text: str) -> bool:
        """Whether an architecture may be suggested."""
        if self._seen.is_new({self._nets.name: text}):
            return True
        return self._repeats and (self._all_came or self._seen.exhausted)

    def left_over(self, number: int) -> str | None:
        """One that may come, for a trial whose engine finds none itself; None if there is none."""
        point = left_over(self._space, self._seed, number, self._seen)
        self._all_came = point is None
        return None if point is None else str(point[self._nets.name])
