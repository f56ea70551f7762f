"""The course of the learning rate over a training."""

from __future__ import annotations

import math

RISE_SHARE = 0.3
"""Share of a onecycle schedule that rises (Smith and Topin, 2018)."""
RISE_START = 0.04
"""Where it starts, of the highest rate."""


def rate_factor(schedule: str, warmup: float, progress: float) -> float:
    """Factor on the learning rate.

    Args:
        schedule: setting of that name.
        warmup: share of the training in which the rate rises linearly.
        progress: share of the training that is done, 0 to 1.
    """
    if schedule == "onecycle":
        return _one_cycle(progress)
    if progress < warmup:
        return progress / warmup
    rest = (progress - warmup) / (1 - warmup)
    match schedule:
        case "cosine":
            return _cosine(rest)
        case "step":
            return 0.1 ** ((rest >= 0.5) + (rest >= 0.75))  # noqa: PLR2004 -- half, three quarters
        case _:
            return 1.0


def _one_cycle(progress: float) -> float:
    if progress < RISE_SHARE:
        return 1 - (1 - RISE_START) * _cosine(progress / RISE_SHARE)
    return _cosine((progress - RISE_SHARE) / (1 - RISE_SHARE))


def _cosine(share: float) -> float:
    """From 1 down to 0."""
    return 0.5 * (1 + math.cos(math.pi * share))
