"""From what is recorded of measured models to the choice among them: the status and the report use it.

The baseline is measured in every round, and recorded once: it counts with the figures of its Trial,
those of the first round. Of a later round is recorded what the baseline measured otherwise there
(`differing`); with that, each candidate is compared with the baseline beside which it ran, and never
with times of another round.
Pure, and blind for the test split.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from winnow_contract.choosing.goals import Goal
from winnow_contract.choosing.selection import Candidate, Choice, choose, of_baseline
from winnow_contract.manifests import Values
from winnow_contract.measuring.metrics import is_of_the_machine


@dataclass(frozen=True, slots=True)
class Recorded:
    """A measured model as its Trial has it."""

    number: int
    name: str
    values: Values = field(default_factory=dict)
    """On the validation split and in the serving runtime, by key."""
    beside: Values = field(default_factory=dict)
    """What the baseline measured otherwise in the same round than its own Trial says."""
    round: int = 1
    """That measured it."""


def differing(found: Values, baseline: Recorded, round_: int) -> Values:
    """The figures of the baseline in a round that are not those of its Trial.

    What does not depend on the machine's mood (quality, sizes) comes out the same in every round;
    of another round, all that does is told, were it the same by chance.
    """
    recorded = baseline.values
    if round_ == baseline.round and found == recorded:
        return {}
    return {
        key: pair
        for key, pair in found.items()
        if is_of_the_machine(key) or recorded.get(key) != pair
    }


def as_candidate(recorded: Recorded, baseline: Recorded) -> Candidate:
    """A model as the choice sees it, beside the baseline of its own round."""
    if recorded.number == baseline.number:
        return of_baseline(baseline.number, baseline.name, baseline.values)
    shared = {
        key: pair
        for key, pair in baseline.values.items()
        if recorded.round == baseline.round or not is_of_the_machine(key)
    }
    beside = {**shared, **recorded.beside}
    return Candidate(recorded.number, recorded.name, recorded.values, beside)


def choose_recorded(
    baseline: Recorded, others: Iterable[Recorded], *, goals: Sequence[Goal], prefer: Sequence[str]
) -> Choice:
    """The choice among all that was measured, in whatever rounds.

    Args:
        baseline: as its Trial has it.
        others: all other models that were measured.
        goals: all of them are to be met.
        prefer: keys of metrics, the most important first.
    """
    candidates = [as_candidate(other, baseline) for other in others]
    return choose(as_candidate(baseline, baseline), candidates, goals=goals, prefer=prefer)
