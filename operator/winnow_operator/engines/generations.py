"""What engines have in common that learn from whole generations of trials.

A trial belongs to the generation that was current when it was suggested. Once a generation has
enough trials with a value, the model is told of them and the next generation begins.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence

from typing_extensions import override

from winnow_operator.domain.spaces.space import Space, Value
from winnow_operator.engines.base import Record
from winnow_operator.engines.replays import Known, Line, Model, ReplayedEngine
from winnow_operator.engines.sampling import left_over
from winnow_operator.engines.unseen import Seen


class GenerationEngine(ReplayedEngine[Model]):
    """Tells a model of each generation, and asks it for points."""

    def __init__(
        self, space: Space, seed: int, population: int, known: Sequence[Record] = ()
    ) -> None:
        super().__init__()
        self._known = known
        self._space = space
        self._seed = seed
        self._population = population
        self._seen = Seen(space, seed)

    @abstractmethod
    def _told(self, model: Model, generation: Sequence[Record]) -> Model:
        """The model after a generation; it may be another one."""

    @abstractmethod
    def _points(self, model: Model, number: int) -> Iterator[Mapping[str, Value]]:
        """What the model suggests for a trial, in the order in which it is to be considered."""

    @override
    def _point(self, model: Model, number: int) -> Mapping[str, Value] | None:
        if self._seen.exhausted:
            return None
        point = next(filter(self._seen.is_new, self._points(model, number)), None)
        return point or left_over(self._space, self._seed, number, self._seen)

    @override
    def _add_point(self, point: Mapping[str, Value]) -> None:
        self._seen.add(point)

    @override
    def _restart_points(self) -> None:
        self._seen.restart(record.assignment for record in self._records.values())

    @override
    def _advance(self, line: Line[Model], known: Known) -> None:
        """Tell the model of the current generation if enough of it is known."""
        records = (self._records[n] for n in line.members if known(n))
        valued = [record for record in records if record.results]
        if len(valued) >= self._population:
            line.model = self._told(line.model, valued[: self._population])
            line.members = []
