"""Which layers stay in 32 bits, where an integer model loses more than is allowed.

Layers are ranked by the damage that each does alone, and left out from the worst on until the loss
is allowed: the greedy search of NNCF's `quantize_with_accuracy_control`. Damage is how far the
outputs move, which tells layers apart where the quality of a few hundred rows does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from torch import Tensor

from winnow_measure.quality import HIGHER_IS_BETTER

SLACK = 1e-9
"""Decimals of a limit are not exactly those of a measured difference."""
Try = TypeVar("Try")


@dataclass(frozen=True, slots=True)
class Limit:
    """What may be lost of a metric."""

    metric: str
    reference: float
    """What the source of the job has."""
    most: float | None
    """How much worse it may be, absolute; None if nothing is asked."""
    start: float | None = None
    """What the model has in 32 bits; None: as the source."""

    def lost(self, value: float) -> float:
        """How much worse a value is than the reference; below 0 if it is better."""
        sign = 1 if self.metric in HIGHER_IS_BETTER else -1
        return sign * (self.reference - value)

    def allows(self, value: float) -> bool:
        """Whether a value is good enough."""
        return self.most is None or self.lost(value) <= self.most + SLACK

    @property
    def is_reachable(self) -> bool:
        """Whether layers in 32 bits could help: not where the steps before have lost too much."""
        return self.start is None or self.allows(self.start)


@dataclass(frozen=True, slots=True)
class Search(Generic[Try]):
    """Where a search for exclusions has ended."""

    made: Try
    excluded: tuple[str, ...]
    """Layers that it does without, the most damaging first."""
    first: float
    """The metric of the first attempt, without exclusions."""
    tries: int
    is_allowed: bool
    damages: Mapping[str, float]
    """Of each layer alone, where layers were ranked."""


def damage_of(outputs: Tensor, wanted: Tensor) -> float:
    """How far outputs have moved: their squared error, in units of how much outputs differ.

    Args:
        outputs: (rows, outputs).
        wanted: those of the model in 32 bits.
    """
    spread = (wanted - wanted.mean(0)).square().mean()
    error = (outputs - wanted).square().mean()
    return float(error / spread.clamp_min(torch.finfo(wanted.dtype).tiny))


def search(
    attempt: Callable[[Sequence[str]], Try],
    value_of: Callable[[Try], float],
    damages_of: Callable[[Try], Mapping[str, float]],
    limit: Limit,
    counts: Callable[[int], Iterable[int]],
) -> Search[Try]:
    """Leave layers out until the loss is allowed; if it never is, what lost least.

    Args:
        attempt: makes a model without some layers in integers.
        value_of: the metric of one.
        damages_of: what each layer does alone in the first one; asked only if it is needed.
        limit: what is allowed; where it cannot be reached, nothing is left out.
        counts: of how many layers there are, how many are left out in each further attempt.
    """
    best, tries = attempt(()), 1
    kept: tuple[str, ...] = ()
    first = value_of(best)
    is_over = limit.allows(first) or not limit.is_reachable
    damages = {} if is_over else damages_of(best)
    # The most damaging first; the order of the model decides between equals.
    order = sorted(damages, key=lambda layer: -damages[layer])
    for count in counts(len(order)):
        made, tries = attempt(order[:count]), tries + 1
        is_allowed = limit.allows(value_of(made))
        # Only the best one is kept: each may be a large model.
        if is_allowed or limit.lost(value_of(made)) < limit.lost(value_of(best)):
            best, kept = made, tuple(order[:count])
        if is_allowed:
            break
    return Search(best, kept, first, tries, limit.allows(value_of(best)), damages)


def one_by_one(layers: int) -> Iterable[int]:
    """Every number of layers that leaves one in integers."""
    return range(1, layers)


def doubling(layers: int) -> Iterable[int]:
    """1, 2, 4 and so on: for attempts that take a training each."""
    return (1 << power for power in range(layers.bit_length()) if 1 << power < layers)
