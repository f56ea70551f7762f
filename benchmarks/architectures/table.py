"""The tabular benchmark as searches see it: what an architecture gave with one seed, and its mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.architectures.space import (
    EPOCHS,
    OPERATIONS,
    SEEDS,
    SLOTS,
    Architecture,
    architectures,
)
from winnow_operator.engines.seeds import generator

PATH = Path(__file__).resolve().parents[1] / "measured" / "nas-table.npz"
MEASURED = 1497
"""Images that each accuracy is the share of."""


@dataclass(frozen=True, slots=True)
class Table:
    """Accuracies, (architectures, seeds, milestones)."""

    accuracies: npt.NDArray[np.float64]
    _places: Mapping[Architecture, int] = field(
        default_factory=lambda: {found: place for place, found in enumerate(architectures())}
    )

    def drawn(self, text: str, seed: int) -> float:
        """The accuracy at the end with one of the table's seeds, in a search with this seed.

        All searches with the same seed get the same, so that they can be compared in pairs.
        """
        return float(self.accuracies[self._place(text), generator(seed, text).randrange(SEEDS), -1])

    def mean(self, text: str) -> float:
        """The accuracy at the end, over all seeds."""
        return float(self.accuracies[self._place(text), :, -1].mean())

    @property
    def best(self) -> float:
        """The highest mean."""
        return float(self.accuracies[:, :, -1].mean(axis=1).max())

    def _place(self, text: str) -> int:
        return self._places[tuple(map(OPERATIONS.index, text.split()))]


def read_table(path: Path = PATH) -> Table:
    """The table that is committed."""
    with np.load(path) as found:
        return Table(found["right"] / MEASURED)


def facts(table: Table) -> str:
    """What a space must say of itself before any search of it means something."""
    final = table.accuracies[:, :, -1]
    means = final.mean(axis=1)
    ranks = means.argsort().argsort()
    earlier = [
        np.corrcoef(ranks, table.accuracies[:, :, place].mean(axis=1).argsort().argsort())[0, 1]
        for place in range(len(EPOCHS) - 1)
    ]
    correlations = ", ".join(
        f"{value:.2f} at {epochs}" for epochs, value in zip(EPOCHS, earlier, strict=False)
    )
    good = 100 * float((means > means.max() - 0.003).mean())
    return (
        f"{len(means)} architectures of {len(OPERATIONS) ** SLOTS} encodings, {SEEDS} seeds, "
        f"{EPOCHS[-1]} epochs: mean {means.mean():.4f}, standard deviation {means.std():.4f}, of seeds "
        f"{final.std(axis=1, ddof=1).mean():.4f} (median {np.median(final.std(axis=1, ddof=1)):.4f}), "
        f"best {means.max():.4f}; {good:.2f} % lie within 0.3 points of it. Rank correlation with the "
        f"last epoch by epochs: {correlations}"
    )
