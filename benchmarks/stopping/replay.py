"""What a search would have been with a rule, replayed from trainings that went to their end. Pure.

A rule only cuts a training off, and a training depends on its own seed alone: so what a trial had at a rung
is what it has there in any search. The decisions are those of the operator and of the trainer,
by their own code.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from winnow_contract.rungbook import RungBook
from winnow_contract.rungscores import RungScores
from winnow_contract.stopping import StoppingRule
from winnow_operator.domain.searches.early_stopping import decide

Ladders = Mapping[int, "Climb"]
"""By number of the trial."""


@dataclass(frozen=True, slots=True)
class Climb:
    """One training to its end; values are of the validation split, higher is better."""

    rungs: Mapping[int, float]
    """By epoch."""
    final: float
    test: float
    test_error: float
    """Standard error of the value on the test split."""
    epochs: int
    epoch_seconds: float


@dataclass(frozen=True, slots=True)
class Played:
    """A search as it came out."""

    winner: int
    epochs: Mapping[int, int]
    """Of each trial."""

    @property
    def spent(self) -> int:
        """Epochs of all trials."""
        return sum(self.epochs.values())


def to_the_end(climbs: Ladders) -> Played:
    """Every trial trains to its end."""
    return Played(_best(climbs, climbs), {n: climb.epochs for n, climb in climbs.items()})


def one_epoch(climbs: Ladders, kept: int) -> Played:
    """Every trial trains for one epoch, and the best of them then to their end."""
    ranked = sorted(climbs, key=lambda n: (-climbs[n].rungs[1], n))
    on = ranked[:kept]
    epochs = {n: climb.epochs if n in on else 1 for n, climb in climbs.items()}
    return Played(_best(climbs, on), epochs)


def side_by_side(climbs: Ladders, rule: StoppingRule, workers: int) -> Played:
    """So many pods at one time, decided by the operator as soon as a rung is reached.

    What comes in between on a cluster, scrapes and the end of a pod, is left out.
    """
    waiting = sorted(climbs, reverse=True)
    running: dict[int, dict[int, float]] = {}
    ended = RungScores()
    passed: dict[int, int] = {}
    epochs: dict[int, int] = {}
    events: list[tuple[float, int, int]] = []

    def start(now: float) -> None:
        while waiting and len(running) < workers:
            number = waiting.pop()
            running[number] = {}
            heapq.heappush(events, (now + climbs[number].epoch_seconds, number, 1))

    start(0.0)
    while events:
        now, number, epoch = heapq.heappop(events)
        climb = climbs[number]
        is_over = epoch == climb.epochs
        if not is_over and epoch in climb.rungs:
            running[number][epoch] = -climb.rungs[epoch]
            made = decide(rule, ended, running, passed)
            passed |= made.passed
            is_over = number in made.stopped
        if is_over:
            epochs[number] = epoch
            ended.add(running.pop(number))
            start(now)
        else:
            heapq.heappush(events, (now + climb.epoch_seconds, number, epoch + 1))
    return cut(climbs, epochs)


def in_one_pod(climbs: Ladders, rule: StoppingRule) -> Played:
    """One trial after the other, decided by the trainer among those of its pod."""
    book, epochs = RungBook(rule, "Maximize", decides=True), dict[int, int]()
    for number, climb in sorted(climbs.items()):
        epochs[number] = climb.epochs
        for rung, value in sorted(climb.rungs.items()):
            _, verdict = book.reach(number, rung, value, climb.epochs)
            if verdict is not None:
                epochs[number] = rung
                break
    return cut(climbs, epochs)


def cut(climbs: Ladders, epochs: Mapping[int, int]) -> Played:
    """What came of a search whose trials had so many epochs: one that was cut off cannot win."""
    return Played(_best(climbs, [n for n, e in epochs.items() if e == climbs[n].epochs]), epochs)


def _best(climbs: Ladders, among: Iterable[int]) -> int:
    return min(among, key=lambda n: (-climbs[n].final, n))
