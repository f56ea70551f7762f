"""CNNs of a searched cell: its nodes and how they hang together, then the stages made of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from typing_extensions import override

from winnow_contract.models.nets import CellNode, CnnNet, Net, Stage
from winnow_operator.domain.architectures.grammar import Grammar, Tokens


@dataclass(frozen=True, slots=True)
class CnnSpace:
    """What may be chosen."""

    nodes: int
    """Nodes of the largest cell."""
    operations: tuple[tuple[str, int], ...]
    """Operations with their kernels, as ("conv", 3); not all of them max."""
    stages: tuple[int, ...]
    """How many stages there may be."""
    widths: tuple[int, ...]
    strides: tuple[int, ...] = (1, 2)
    branches: bool = False
    """Whether a node may read any earlier one; if not, each reads the one before it."""
    skips: bool = False
    """Whether a node may add what an earlier one has given."""


class _State(NamedTuple):
    nodes_left: int
    """With the one that is being decided; -1: not known yet."""
    stages_left: int
    slot: int
    """Which decision of the node or stage is next."""
    source: int
    """Of the node that is being decided: how far back what it reads is."""
    is_max: tuple[bool, ...]
    """Of what enters the cell and each node, whether it is the greatest of something, and no more."""
    stage: int = 1
    """Number of the stage that is being decided."""


class CnnGrammar(Grammar[_State]):
    """The decisions of a CNN.

    nodes=N, for each input=D, an operation as conv3, skip=D (how many nodes back; 0: none); then
    stages=N, for each width=W and stride=S.

    A cell with branches may have nodes that lead nowhere, and nodes in another order: those are
    what the canonical form takes away. A pooling by max never reads another one: both together
    are one with a larger kernel.
    """

    def __init__(self, space: CnnSpace) -> None:
        super().__init__()
        self.space = space
        back = range(1, space.nodes + 1)
        words = {
            "nodes": [f"nodes={count}" for count in back],
            "input": [f"input={far}" for far in back] if space.branches else [],
            "operation": [f"{name}{kernel}" for name, kernel in space.operations],
            "skip": ["skip=0", *(f"skip={far}" for far in back)] if space.skips else [],
            "stages": [f"stages={count}" for count in space.stages],
            "width": [f"width={width}" for width in space.widths],
            "stride": [f"stride={stride}" for stride in space.strides],
        }
        self.vocabulary = tuple(word for listed in words.values() for word in listed)
        places = {word: place for place, word in enumerate(self.vocabulary)}
        self._words = {
            name: tuple(places[word] for word in listed) for name, listed in words.items()
        }
        self._node_slots = [name for name in ("input", "operation", "skip") if words[name]]
        self._stage_slots = ["width", "stride"]
        longest = space.nodes * len(self._node_slots) + max(space.stages) * len(self._stage_slots)
        self.max_length = 2 + longest

    @property
    @override
    def _has_duplicates(self) -> bool:
        return self.space.branches

    @override
    def _start(self) -> _State:
        return _State(-1, -1, 0, 1, (False,))

    def _name(self, state: _State) -> str:
        if state.nodes_left < 0:
            return "nodes"
        if state.nodes_left:
            return self._node_slots[state.slot]
        return "stages" if state.stages_left < 0 else self._stage_slots[state.slot]

    @override
    def _options(self, state: _State) -> Tokens:
        if state.stages_left == 0:
            return ()
        name = self._name(state)
        tokens = self._words[name]
        if name == "input":
            return tokens[: len(state.is_max)]
        if name == "skip":
            return tokens[: len(self._before(state)) + 1]
        if name == "operation" and state.is_max[-state.source]:
            return tuple(token for token in tokens if not self._is_max(token))
        return tokens

    def _before(self, state: _State) -> tuple[bool, ...]:
        """What stands before the node whose skip is decided; its own operation is there already."""
        return state.is_max[:-1]

    def _is_max(self, token: int) -> bool:
        return self.vocabulary[token].startswith("max")

    @override
    def _step(self, state: _State, token: int) -> _State:
        name = self._name(state)
        place = self._words[name].index(token)
        match name:
            case "nodes":
                return state._replace(nodes_left=place + 1)
            case "stages":
                return state._replace(stages_left=self.space.stages[place])
            case "input":
                return state._replace(source=place + 1, slot=state.slot + 1)
            case "operation":
                made = (*state.is_max, self._is_max(token))
                return self._advanced(state._replace(is_max=made, source=1))
            case "skip":
                made = (*state.is_max[:-1], state.is_max[-1] and place == 0)
                return self._advanced(state._replace(is_max=made))
            case _:
                return self._advanced(state)

    def _advanced(self, state: _State) -> _State:
        slots = self._node_slots if state.nodes_left else self._stage_slots
        if state.slot < len(slots) - 1:
            return state._replace(slot=state.slot + 1)
        if state.nodes_left > 1:
            return state._replace(nodes_left=state.nodes_left - 1, slot=0)
        if state.nodes_left == 1:
            return _State(0, -1, 0, 1, (False,))
        return state._replace(stages_left=state.stages_left - 1, slot=0, stage=state.stage + 1)

    @override
    def _slot(self, state: _State) -> str:
        name = self._name(state)
        if name in {"nodes", "stages"}:
            return name
        if state.nodes_left:
            return f"node{len(state.is_max) - (name == 'skip')}.{name}"
        return f"stage{state.stage}.{name}"

    @override
    def _build(self, tokens: Tokens) -> Net:
        words = iter(self.vocabulary[token] for token in tokens)
        cell = tuple(self._node(place, words) for place in range(1, _number(next(words)) + 1))
        count = _number(next(words))
        stages = tuple(Stage(_number(next(words)), _number(next(words))) for _ in range(count))
        return CnnNet(cell, stages)

    def _node(self, place: int, words: Iterator[str]) -> CellNode:
        chosen = {name: next(words) for name in self._node_slots}
        back = _number(chosen.get("skip", "skip=0"))
        operation = chosen["operation"]
        return CellNode(
            operation[:-1],
            int(operation[-1]),
            place - _number(chosen.get("input", "input=1")),
            place - back if back else None,
        )

    @override
    def _sequence(self, net: Net) -> Iterator[str]:
        if not isinstance(net, CnnNet):
            yield f"family {net.family}"
            return
        yield f"nodes={len(net.cell)}"
        for place, node in enumerate(net.cell, start=1):
            if self.space.branches or node.source != place - 1:
                yield f"input={place - node.source}"
            yield f"{node.operation}{node.kernel}"
            if self.space.skips or node.skip is not None:
                yield f"skip={0 if node.skip is None else place - node.skip}"
        yield f"stages={len(net.stages)}"
        for stage in net.stages:
            yield f"width={stage.width}"
            yield f"stride={stage.stride}"


def _number(word: str) -> int:
    return int(word.partition("=")[2])
