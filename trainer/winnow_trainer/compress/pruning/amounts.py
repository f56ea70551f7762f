"""How many units or weights go, which, and in how many rounds.

Amounts are shares of what there was at the start, so that an iterative schedule ends where a one
shot one does. Each round keeps the same share of what is left.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum

import torch
from torch import Tensor

LEAST_UNITS = 2 / 3
"""What Global leaves each layer at least, as a share of what Layer would: one that keeps next to
nothing is a bottleneck that no training repairs, however little its units seem to matter."""
LEAST_WEIGHTS = 0.01
"""Share of a tensor's weights that Global leaves it at least, so that none is cut through."""


class Scope(StrEnum):
    """What is ranked together."""

    GLOBAL = "Global"
    LAYER = "Layer"


def amounts_of_rounds(amount: float, rounds: int) -> tuple[float, ...]:
    """The share that is gone after each round; the last is the amount itself."""
    shares = [1 - (1 - amount) ** (number / rounds) for number in range(1, rounds)]
    return (*shares, amount)


def epochs_of_rounds(epochs: int, rounds: int) -> tuple[int, ...]:
    """Epochs shared evenly; what is left over goes to the last rounds, which lose the most."""
    each, more = divmod(epochs, rounds)
    return tuple(each + (number >= rounds - more) for number in range(rounds))


def kept_units(
    scores: Sequence[Tensor], starts: Sequence[int], amount: float, scope: Scope
) -> list[Tensor]:
    """The units that stay, ascending, for each layer; always at least one.

    Args:
        scores: (units,) of each layer as it is now; the highest stay.
        starts: units of each layer before anything was cut.
        amount: share of those that goes.
        scope: whether each layer loses this share, or all together.
    """
    if scope is Scope.LAYER:
        counts = [
            min(len(layer), share_kept(start, amount))
            for layer, start in zip(scores, starts, strict=True)
        ]
    else:
        counts = _global_counts(scores, starts, amount)
    return [
        layer.argsort(descending=True, stable=True)[:count].sort().values.cpu()
        for layer, count in zip(scores, counts, strict=True)
    ]


def share_kept(count: int, amount: float) -> int:
    """How many of some stay when a share goes."""
    return max(1, round(count * (1 - amount)))


def _global_counts(scores: Sequence[Tensor], starts: Sequence[int], amount: float) -> list[int]:
    """How many units each layer keeps when all are ranked together."""
    floor = LEAST_UNITS * (1 - amount)
    least = [
        min(len(layer), max(1, math.ceil(start * floor)))
        for layer, start in zip(scores, starts, strict=True)
    ]
    # The best of each layer stay in any case; the rest compete.
    rivals = [
        layer.sort(descending=True).values[count:]
        for layer, count in zip(scores, least, strict=True)
    ]
    owners = torch.cat([torch.full((len(layer),), place) for place, layer in enumerate(rivals)])
    wanted = share_kept(sum(starts), amount) - sum(least)
    winners = torch.cat(list(rivals)).cpu().argsort(descending=True, stable=True)
    kept = torch.bincount(owners[winners[: max(0, wanted)]], minlength=len(rivals))
    return [count + int(more) for count, more in zip(least, kept, strict=True)]


def kept_weights(scores: Mapping[str, Tensor], amount: float, scope: Scope) -> dict[str, Tensor]:
    """A mask for each tensor, in its shape: 1 where a weight stays, 0 where it goes.

    Args:
        scores: of each weight; the lowest go.
        amount: share of the weights that goes.
        scope: whether each tensor loses this share, or all together.
    """
    if scope is Scope.LAYER:
        return {
            name: _mask(layer.flatten(), amount).view_as(layer) for name, layer in scores.items()
        }
    floor = min(LEAST_WEIGHTS, 1 - amount)
    ranked = torch.cat([_with_safe(layer.flatten(), floor) for layer in scores.values()])
    pieces = torch.split(_mask(ranked, amount), [layer.numel() for layer in scores.values()])
    return {
        name: piece.view_as(layer)
        for (name, layer), piece in zip(scores.items(), pieces, strict=True)
    }


def _with_safe(scores: Tensor, floor: float) -> Tensor:
    """The scores, the best of them beyond all others."""
    safe = scores.clone()
    safe[scores.topk(share_kept(len(scores), 1 - floor)).indices] = math.inf
    return safe


def _mask(scores: Tensor, amount: float) -> Tensor:
    mask = torch.ones_like(scores)
    lost = len(scores) - share_kept(len(scores), amount)
    mask[scores.argsort(stable=True)[:lost]] = 0
    return mask
