"""MLPs of some number of layers: of each its width, activation, normalisation, and a skip."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from typing_extensions import override

from winnow_contract.models.nets import Layer, MlpNet, Net
from winnow_operator.domain.architectures.grammar import Grammar, Tokens


@dataclass(frozen=True, slots=True)
class MlpSpace:
    """What may be chosen."""

    depths: tuple[int, ...]
    widths: tuple[int, ...]
    activations: tuple[str, ...] = ()
    """Empty: all layers have the setting `activation`."""
    norms: tuple[str, ...] = ()
    """Empty: all layers have the setting `norm`."""
    skips: bool = False
    """Whether a layer may add what an earlier one of its width has given."""


class _State(NamedTuple):
    left: int
    """Layers that are to come, with the one that is being decided; -1: not known yet."""
    slot: int
    """Which decision of the layer is next."""
    widths: tuple[int, ...]
    """Tokens of the widths so far."""


class MlpGrammar(Grammar[_State]):
    """depth=N, then for each layer width=W, activation=A, norm=N, skip=D (how many layers back)."""

    def __init__(self, space: MlpSpace) -> None:
        super().__init__()
        self.space = space
        farthest = max(space.depths) if space.skips else 1
        self._slots = {
            "width": [f"width={width}" for width in space.widths],
            "activation": [f"activation={word}" for word in space.activations],
            "norm": [f"norm={word}" for word in space.norms],
            "skip": ["skip=0", *(f"skip={back}" for back in range(1, farthest))],
        }
        if not space.skips:
            del self._slots["skip"]
        self._slots = {name: words for name, words in self._slots.items() if words}
        depths = [f"depth={depth}" for depth in space.depths]
        self.vocabulary = (*depths, *(word for words in self._slots.values() for word in words))
        self.max_length = 1 + max(space.depths) * len(self._slots)
        places = {word: place for place, word in enumerate(self.vocabulary)}
        self._depths = tuple(range(len(depths)))
        self._tokens_of = [
            (name, tuple(places[word] for word in words)) for name, words in self._slots.items()
        ]

    @override
    def _start(self) -> _State:
        return _State(-1, 0, ())

    @override
    def _options(self, state: _State) -> Tokens:
        if state.left < 0:
            return self._depths
        if state.left == 0:
            return ()
        name, tokens = self._tokens_of[state.slot]
        if name != "skip":
            return tokens
        before, width = state.widths[:-1], state.widths[-1]
        return (tokens[0], *(tokens[b] for b in range(1, len(before) + 1) if before[-b] == width))

    @override
    def _step(self, state: _State, token: int) -> _State:
        if state.left < 0:
            return _State(self.space.depths[token], 0, ())
        name, _ = self._tokens_of[state.slot]
        widths = (*state.widths, token) if name == "width" else state.widths
        is_last = state.slot == len(self._tokens_of) - 1
        return _State(state.left - is_last, 0 if is_last else state.slot + 1, widths)

    @override
    def _slot(self, state: _State) -> str:
        if state.left < 0:
            return "depth"
        name, _ = self._tokens_of[state.slot]
        return f"layer{len(state.widths) + (name == 'width')}.{name}"

    @override
    def _key(self, state: _State) -> Hashable:
        if not self.space.skips:
            return state.left, state.slot
        # One width is as good as another, so all that counts is how often each has come.
        often = Counter(state.widths)
        current = often[state.widths[-1]] if state.slot else 0
        return state.left, state.slot, tuple(sorted(often.values())), current

    @override
    def _build(self, tokens: Tokens) -> Net:
        words = [self.vocabulary[token].partition("=") for token in tokens[1:]]
        size, layers = len(self._slots), list[Layer]()
        for start in range(0, len(words), size):
            chosen = {name: value for name, _, value in words[start : start + size]}
            back, norm = int(chosen.get("skip", "0")), chosen.get("norm", "")
            layers.append(
                Layer(
                    int(chosen["width"]),
                    chosen.get("activation", ""),
                    "" if norm == "none" else norm,
                    len(layers) + 1 - back if back else 0,
                )
            )
        return MlpNet(tuple(layers))

    @override
    def _sequence(self, net: Net) -> Iterator[str]:
        if not isinstance(net, MlpNet):
            yield f"family {net.family}"
            return
        yield f"depth={len(net.layers)}"
        for place, layer in enumerate(net.layers, start=1):
            yield f"width={layer.width}"
            if self.space.activations or layer.activation:
                yield f"activation={layer.activation}"
            if self.space.norms or layer.norm:
                yield f"norm={layer.norm or 'none'}"
            if self.space.skips or layer.skip:
                yield f"skip={place - layer.skip if layer.skip else 0}"
