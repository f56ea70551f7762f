"""Transformers: the width of a token, then of each layer its heads and hidden units."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from typing_extensions import override

from winnow_contract.models.nets import Encoder, Net, TransformerNet
from winnow_operator.domain.architectures.grammar import Grammar, Tokens


@dataclass(frozen=True, slots=True)
class TransformerSpace:
    """What may be chosen."""

    depths: tuple[int, ...]
    widths: tuple[int, ...]
    heads: tuple[int, ...]
    """Of each layer those that divide the width."""
    hidden: tuple[int, ...] = ()
    """Empty: all layers have what the setting `feedforward` says."""


class _State(NamedTuple):
    width: int
    """0: not known yet."""
    left: int
    """Layers that are to come, with the one that is being decided; -1: not known yet."""
    slot: int
    place: int
    """Number of the layer that is being decided, from 1."""


class TransformerGrammar(Grammar[_State]):
    """width=W, depth=N, then for each layer heads=H and hidden=U."""

    def __init__(self, space: TransformerSpace) -> None:
        super().__init__()
        self.space = space
        words = {
            "width": [f"width={width}" for width in space.widths],
            "depth": [f"depth={depth}" for depth in space.depths],
            "heads": [f"heads={count}" for count in space.heads],
            "hidden": [f"hidden={units}" for units in space.hidden],
        }
        self.vocabulary = tuple(word for listed in words.values() for word in listed)
        places = {word: place for place, word in enumerate(self.vocabulary)}
        self._words = {
            name: tuple(places[word] for word in listed) for name, listed in words.items()
        }
        self._layer_slots = [name for name in ("heads", "hidden") if words[name]]
        self.max_length = 2 + max(space.depths) * len(self._layer_slots)

    @override
    def _start(self) -> _State:
        return _State(0, -1, 0, 1)

    def _name(self, state: _State) -> str:
        if not state.width:
            return "width"
        return "depth" if state.left < 0 else self._layer_slots[state.slot]

    @override
    def _options(self, state: _State) -> Tokens:
        if state.left == 0:
            return ()
        name = self._name(state)
        tokens = self._words[name]
        if name != "heads":
            return tokens
        pairs = zip(tokens, self.space.heads, strict=True)
        return tuple(token for token, heads in pairs if state.width % heads == 0)

    @override
    def _step(self, state: _State, token: int) -> _State:
        name = self._name(state)
        place = self._words[name].index(token)
        if name == "width":
            return state._replace(width=self.space.widths[place])
        if name == "depth":
            return state._replace(left=self.space.depths[place])
        if state.slot < len(self._layer_slots) - 1:
            return state._replace(slot=state.slot + 1)
        return state._replace(left=state.left - 1, slot=0, place=state.place + 1)

    @override
    def _slot(self, state: _State) -> str:
        name = self._name(state)
        return name if name in {"width", "depth"} else f"layer{state.place}.{name}"

    @override
    def _build(self, tokens: Tokens) -> Net:
        width, depth, *rest = (int(self.vocabulary[t].partition("=")[2]) for t in tokens)
        size = len(self._layer_slots)
        layers = (Encoder(*rest[start : start + size]) for start in range(0, depth * size, size))
        return TransformerNet(width, tuple(layers))

    @override
    def _sequence(self, net: Net) -> Iterator[str]:
        if not isinstance(net, TransformerNet):
            yield f"family {net.family}"
            return
        yield f"width={net.width}"
        yield f"depth={len(net.layers)}"
        for layer in net.layers:
            yield f"heads={layer.heads}"
            if self.space.hidden or layer.hidden:
                yield f"hidden={layer.hidden}"
