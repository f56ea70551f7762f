"""Generative: a network that learns during the search to write architectures.

A suggestion is one of some architectures that the network writes and that were not tried yet: the one
for which a model of their performance draws the highest value, or without such a model the first.
Where all that it writes was tried, it writes again, more evenly each time.

The network learns as outcomes become known, so its past matters: an engine that is rebuilt trains it
again on the same batches, which follow from the histories in the Trials.
"""

from __future__ import annotations

import copy
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from typing_extensions import override

from winnow_operator.domain.spaces.space import Nets, Value
from winnow_operator.engines.architectures.controller import (
    BATCH,
    WARM_UP,
    Controller,
    Lesson,
    Recipe,
)
from winnow_operator.engines.architectures.token_sequences import TokenSequence, Writer
from winnow_operator.engines.architectures.tried import Tried
from winnow_operator.engines.base import Record
from winnow_operator.engines.quality import quality_of
from winnow_operator.engines.replays import Known, Line, ReplayedEngine
from winnow_operator.engines.seeds import derived

PROPOSALS = 64
"""Architectures that the performance model chooses from."""
REDRAWS = 8
HOTTER = 1.5
"""The temperature of each redraw, beside that of the one before."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What the network learnt from one batch of outcomes, and what it wrote then."""

    known: int
    """Trials whose outcome it knew."""
    loss: float
    entropy: float
    """Nats per architecture; it falls as the network makes up its mind."""
    written: int
    """Trials that have a score and were written before it learnt again."""
    mean_score: float | None
    """Of those; lower is better."""


class GenerativeEngine(ReplayedEngine[Controller]):
    """Suggests architectures."""

    def __init__(  # noqa: PLR0913 -- the parts that ablations leave out
        self,
        nets: Nets,
        seed: int,
        *,
        predictor: bool = True,
        repeats: bool = False,
        recipe: Recipe | None = None,
        known: Sequence[Record] = (),
    ) -> None:
        """Begin untrained.

        Args:
            nets: what may be written.
            seed: of all randomness, with the number of the trial.
            predictor: whether a model of their performance chooses among those written.
            repeats: whether architectures may come again once all were tried.
            recipe: what the network learns from.
            known: trials of other searches, which it learns from before its first suggestion.
        """
        super().__init__()
        self._nets = nets
        self._seed = seed
        self._predictor = predictor
        self._recipe = recipe or Recipe()
        self._known = known
        self._trained: Controller | None = None
        """As it is before the first suggestion; nothing is written with it, only with copies."""
        self._writer = Writer(nets.grammar)
        self._tried = Tried(nets, seed, repeats=repeats)

    @override
    def _new_model(self) -> Controller:
        if self._trained is None:
            self._trained = self._taught_what_is_known()
        return copy.deepcopy(self._trained, {id(self._writer): self._writer})

    def _taught_what_is_known(self) -> Controller:
        source = np.random.default_rng(derived(self._seed, "generative"))
        model = Controller(self._writer, source, self._recipe)
        left = list(self._known)
        while left:
            batch, left = left[: model.wanted], left[model.wanted :]
            self._teach(model, batch, 0)
        del model.lessons[:-1]  # nothing was written between them
        return model

    def _teach(self, model: Controller, records: Sequence[Record], after: int) -> None:
        sequences = [self._nets.grammar.parse(self._text(record)) for record in records]
        model.learn(sequences, [quality_of(record) for record in records], after)

    @override
    def _advance(self, line: Line[Controller], known: Known) -> None:
        found = [number for number in line.members if known(number)]
        if len(found) < line.model.wanted:
            return
        self._teach(line.model, [self._records[number] for number in found], line.last)
        line.members = [number for number in line.members if not known(number)]

    @override
    def _point(self, model: Controller, number: int) -> Mapping[str, Value] | None:
        source = np.random.default_rng(derived(self._seed, "generative", number))
        text = self._written(model, source) or self._tried.left_over(number)
        return None if text is None else {self._nets.name: text}

    def _written(self, model: Controller, source: np.random.Generator) -> str | None:
        """What the network writes, if any of it may come."""
        count = PROPOSALS if self._predictor else BATCH
        for redraw in range(REDRAWS):
            written = self._writer.written(model.network, count, HOTTER**redraw, source)
            found = dict.fromkeys(map(self._writer.canonical, written))
            new = [t for t in found if self._tried.may_come(self._writer.text(t))]
            if new:
                return self._writer.text(self._best(model, new, source))
        return None

    def _best(
        self, model: Controller, new: Sequence[TokenSequence], source: np.random.Generator
    ) -> TokenSequence:
        if not self._predictor or len(model.sequences) < WARM_UP or len(new) == 1:
            return new[0]
        return new[int(model.predictor().draw(new, source).argmax())]

    @override
    def _add_point(self, point: Mapping[str, Value]) -> None:
        self._tried.add(str(point[self._nets.name]))

    @override
    def _restart_points(self) -> None:
        self._tried.restart(map(self._text, self._records.values()))

    def _text(self, record: Record) -> str:
        return str(record.assignment[self._nets.name])

    def batches(self) -> list[Batch]:
        """What the network learnt so far, batch by batch."""
        last = max(self._records, default=0)
        lessons = self._line_for(last + 1).model.lessons
        ends = [*(lesson.after for lesson in lessons[1:]), last]
        return [self._batch(*pair) for pair in zip(lessons, ends, strict=False)]

    def _batch(self, lesson: Lesson, end: int) -> Batch:
        numbers = range(lesson.after + 1, end + 1)
        records = [self._records[number] for number in numbers if number in self._records]
        scores = [record.score for record in records if record.score is not None]
        mean = statistics.fmean(scores) if scores else None
        return Batch(lesson.known, lesson.loss, lesson.entropy, len(scores), mean)
