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
    EVOLUTION = "Evolution"
    GENERATIVE = "Generative"
    AUTO = "Auto"


class RestAlgorithm(StrEnum):
    """Algorithms that suggest the other parameters beside an architecture."""

    RANDOM = "Random"
    TPE = "TPE"


ARCHITECTURES_ONLY = frozenset({AlgorithmName.EVOLUTION, AlgorithmName.GENERATIVE})
"""They write architectures, and leave the other parameters to one of the algorithms above."""


LEARNING = ARCHITECTURES_ONLY | frozenset(
    {AlgorithmName.TPE, AlgorithmName.CMAES, AlgorithmName.NSGAII, AlgorithmName.AUTO}
)
"""What they suggest depends on results, of other searches too; Auto takes one of them where there are any."""
WITH_CHOICES = frozenset(AlgorithmName) - {AlgorithmName.CMAES}
"""They search words as well as numbers."""
WITH_SEVERAL_OBJECTIVES = frozenset(AlgorithmName) - {AlgorithmName.CMAES} - ARCHITECTURES_ONLY
"""They take several objectives as they are."""
WITH_CONDITIONS = frozenset(AlgorithmName) - {AlgorithmName.CMAES, AlgorithmName.NSGAII}
"""They search parameters that only some trials have."""
WITH_ARCHITECTURES = frozenset(AlgorithmName) - {AlgorithmName.CMAES, AlgorithmName.NSGAII}
"""They search nets, `spec.space.architecture`."""


def those_that_can(able: Iterable[AlgorithmName], *, architectures: bool = False) -> str:
    """Their names for a sentence, in the order of the enum: `Grid, Random or TPE`.

    Args:
        able: algorithms.
        architectures: name those too that search architectures only.
    """
    left_out = frozenset[AlgorithmName]() if architectures else ARCHITECTURES_ONLY
    names = [str(name) for name in AlgorithmName if name in able and name not in left_out]
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def learning_algorithms(*, architectures: bool) -> str:
    """Names of those that learn, for a sentence.

    Args:
        architectures: of those that search them, else of those that need none.
    """
    able = LEARNING & WITH_ARCHITECTURES if architectures else LEARNING
    return those_that_can(able, architectures=architectures)
