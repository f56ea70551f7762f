"""The search algorithms, and what each of them can do.

Rules of admission, checks and the page of the API take it from here, so that a refusal always
names those that can.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class AlgorithmName(StrEnum):
    """Search algorithms."""

    GRID = "Grid"
    RANDOM = "Random"
    QMC = "QMC"
    TPE = "TPE"
    CMAES = "CMAES"
    NSGAII = "NSGAII"
    AUTO = "Auto"


LEARNING = frozenset(
    {AlgorithmName.TPE, AlgorithmName.CMAES, AlgorithmName.NSGAII, AlgorithmName.AUTO}
)
"""What they suggest depends on results; Auto takes one of them where it is to learn."""
WITH_CHOICES = frozenset(AlgorithmName) - {AlgorithmName.CMAES}
"""They search words as well as numbers."""
WITH_SEVERAL_OBJECTIVES = frozenset(AlgorithmName) - {AlgorithmName.CMAES}
"""They take several objectives as they are."""
WITH_CONDITIONS = frozenset(AlgorithmName) - {AlgorithmName.CMAES, AlgorithmName.NSGAII}
"""They search parameters that only some trials have."""
WITH_ARCHITECTURES = frozenset(AlgorithmName) - {AlgorithmName.CMAES, AlgorithmName.NSGAII}
"""They search nets, `spec.space.architecture`."""


def those_that_can(able: Iterable[AlgorithmName]) -> str:
    """Their names for a sentence, in the order of the enum: `Grid, Random or TPE`."""
    names = [str(name) for name in AlgorithmName if name in able]
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))
