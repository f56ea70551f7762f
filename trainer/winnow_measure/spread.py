"""From the figures of several rounds to one figure and its standard error.

A machine has moods: another pod wakes up, the clock drops, and everything in that round is slower
together. Models are measured in turns, so the mood of a round is known: how all models do in it
compared with their own medians. It is divided out, because it says nothing about any of them.

    figure           median over the rounds, moods divided out
    standard error   sqrt(pi / 2) s / sqrt(rounds), that of a median of normal values (Kenney and
                     Keeping, Mathematics of Statistics, 1962), s the standard deviation over the
                     rounds; and sqrt(m / (m - 1)) as much, because a mood that is estimated from
                     m models takes a part of their own spread with it

An outlier among the rounds leaves the median where it is and makes the error larger, as it should.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

__all__ = ["summarise"]

Table = npt.NDArray[np.float64]


def summarise(table: Table, *, share_moods: bool = True) -> list[tuple[float, float | None]]:
    """A figure and its standard error for each model; no error with a single round.

    Args:
        table: (models, rounds), all above 0.
        share_moods: whether the models were measured in turns, so that a round has one mood.
    """
    models, rounds = table.shape
    has_moods = share_moods and models > 1 and rounds > 1
    adjusted = table / _moods(table) if has_moods else table
    figures = np.median(adjusted, axis=1)
    if rounds == 1:
        return [(float(figure), None) for figure in figures]
    deviations = adjusted.std(axis=1, ddof=1)
    factor = math.sqrt(math.pi / 2 / rounds) * (
        math.sqrt(models / (models - 1)) if has_moods else 1
    )
    return [
        (float(figure), float(factor * deviation))
        for figure, deviation in zip(figures, deviations, strict=True)
    ]


def _moods(table: Table) -> Table:
    """How slow each round was for everybody, 1 is as usual: (rounds,)."""
    relative = table / np.median(table, axis=1, keepdims=True)  # (models, rounds)
    moods: Table = np.median(relative, axis=0)
    return moods / np.median(moods)
