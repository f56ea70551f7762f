"""Guesses how good an architecture is from those that were tried.

Bayesian linear regression on what each decision is and on which two stand side by side, in its dual
form: nothing grows with the number of such features, only with that of the trials. A draw from
the posterior instead of its mean makes a choice of the best one Thompson sampling (Thompson, "On
the Likelihood that One Unknown Probability Exceeds Another", 1933): what is uncertain is tried.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_solve, cholesky, solve_triangular

from winnow_operator.engines.architectures.policy_network import Floats
from winnow_operator.engines.architectures.token_sequences import TokenSequence, Writer

NOISES = (0.03, 0.1, 0.3, 1.0)
"""Variances of a value's noise that are considered, beside 1 of the architectures' own."""
JITTER = 1e-9
ABSENT = -1
WEIGHT = 1.0
"""Of the constant, beside 1 of each decision and of each pair."""

Features = npt.NDArray[np.int64]
"""(architectures, decisions, 2): of each decision its token, and its token with the one before it"""


class PerformanceModel:
    """The posterior after some trials."""

    def __init__(self, writer: Writer, sequences: Sequence[TokenSequence], values: Floats) -> None:
        """Fit it.

        Args:
            writer: of the grammar.
            sequences: canonical ones.
            values: of each, higher is better; they are standardised here.
        """
        self._writer = writer
        self._columns: dict[str, int] = {}
        self._mean, self._spread = float(values.mean()), float(values.std()) or 1.0
        standard = (values - self._mean) / self._spread
        self._features = self._features_of(sequences)
        kernel = likeness(self._features, self._features)
        fits = [_fit(kernel, standard, noise) for noise in NOISES]
        self._factor, self._weights, _ = max(fits, key=lambda fit: fit[2])

    def posterior(self, sequences: Sequence[TokenSequence]) -> tuple[Floats, Floats]:
        """Mean, (sequences,), and covariance of these architectures' values without noise."""
        features = self._features_of(sequences)
        across = likeness(self._features, features)
        half = solve_triangular(self._factor, across, lower=True)
        covariance = likeness(features, features) - half.T @ half
        return self._mean + self._spread * across.T @ self._weights, self._spread**2 * covariance

    def draw(self, sequences: Sequence[TokenSequence], source: np.random.Generator) -> Floats:
        """Values of these architectures in one draw from the posterior."""
        mean, covariance = self.posterior(sequences)
        values, vectors = np.linalg.eigh(covariance)
        spread = np.sqrt(np.maximum(values, 0.0)) * source.standard_normal(len(mean))
        drawn: Floats = mean + vectors @ spread
        return drawn

    def _features_of(self, sequences: Sequence[TokenSequence]) -> Features:
        """A decision has the same column in all sequences, wherever it stands."""
        named = [list(self._decisions(tokens)) for tokens in sequences]
        places = [
            [self._columns.setdefault(slot, len(self._columns)) for slot, *_ in n] for n in named
        ]
        found = np.full((len(sequences), len(self._columns), 2), ABSENT)
        for row, columns in enumerate(places):
            found[row, columns] = [(token, pair) for _, token, pair in named[row]]
        return found

    def _decisions(self, tokens: TokenSequence) -> Iterator[tuple[str, int, int]]:
        """Of each decision its name, its token, and a number for that token after the one before."""
        before = 0
        for place, token in enumerate(tokens):
            slot = self._writer.slot(tokens[:place])
            yield slot, token, before * self._writer.vocabulary + token
            before = token + 1


def likeness(some: Features, others: Features) -> Floats:
    """(some, others): how alike they are, 1 for the same.

    It is the cosine of the vectors of their features: a constant, each decision, each pair.
    """
    shared = min(some.shape[1], others.shape[1])
    both = np.zeros((len(some), len(others)))
    for column in range(shared):
        equal = some[:, None, column] == others[None, :, column]
        both += (equal & (some[:, None, column] != ABSENT)).sum(axis=2)
    cosines: Floats = (WEIGHT + both) / np.sqrt(np.outer(_length(some), _length(others)))
    return cosines


def _length(features: Features) -> Floats:
    """(architectures,): the square of its vector's length."""
    present: Floats = np.sum(features != ABSENT, axis=(1, 2), dtype=np.float64)
    return WEIGHT + present


def _fit(kernel: Floats, values: Floats, noise: float) -> tuple[Floats, Floats, float]:
    """Factor of the covariance, weights, and the log evidence up to a constant."""
    covariance = kernel + (noise + JITTER) * np.eye(len(values))
    factor = cholesky(covariance, lower=True)
    weights = cho_solve((factor, True), values)
    evidence = -0.5 * float(values @ weights) - float(np.log(np.diag(factor)).sum())
    return factor, weights, evidence
