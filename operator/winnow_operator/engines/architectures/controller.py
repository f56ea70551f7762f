"""Trains the network that writes architectures, from the trials whose outcome is known.

After each batch of new outcomes the network takes a few steps of Adam on three losses:

- policy gradient (Williams, "REINFORCE", 1992) on the newest trials. The advantage of a trial is its
  rank among all that are known, from -0.5 to 0.5: no scale to set, a trial that failed has the worst
  rank, and old trials can be used again;
- maximum likelihood of the best fifth (priority queue training: Abolafia et al., "Neural Program
  Synthesis with Priority Queue Training", 2018);
- minus the entropy, with a weight that fades as trials come in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from winnow_operator.engines.architectures.performance_model import PerformanceModel
from winnow_operator.engines.architectures.policy_network import Adam, Floats, Loss, PolicyNetwork
from winnow_operator.engines.architectures.token_sequences import TokenSequence, Writer
from winnow_operator.engines.quality import Quality, merits

BATCH = 8
"""New outcomes after which the network learns."""
WARM_UP = 16
"""Trials before it first learns: it writes evenly until then."""
STEPS = 4
RATE = 1e-2
CLIP = 1.0
NEWEST = 2
"""Batches that the policy gradient is taken on."""
BEST_SHARE = 0.2
MOST = 64
"""Sequences of a kind in one step, at most: so the cost of a step has an end."""
MODELLED = 1000
"""Known trials that the performance model is made of: its cost grows with their cube."""
ENTROPY = 0.03
FADES_AT = 100
"""Known trials with which the weight of the entropy has halved."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Which losses the network learns from; without one of them, an ablation."""

    policy_gradient: float = 1.0
    replay: float = 0.5
    entropy: float = ENTROPY


@dataclass(frozen=True, slots=True)
class Lesson:
    """What happened when the network learnt from a batch."""

    after: int
    """Number of the last trial that was written before it."""
    known: int
    """Trials whose outcome it knew."""
    loss: float
    """Mean over the steps taken."""
    entropy: float
    """Nats per architecture, of the newest it learnt from, before the steps."""


@dataclass(slots=True)
class Controller:
    """The network, and all that it was told."""

    writer: Writer
    source: np.random.Generator
    recipe: Recipe = Recipe()
    network: PolicyNetwork = field(init=False)
    sequences: list[TokenSequence] = field(default_factory=list)
    qualities: list[Quality] = field(default_factory=list)
    lessons: list[Lesson] = field(default_factory=list)
    performance: PerformanceModel | None = None
    """Of what is known; made when it is first needed after a lesson."""
    _adam: Adam = field(init=False)

    def __post_init__(self) -> None:
        self.network = PolicyNetwork(self.writer.vocabulary, self.writer.length, self.source)
        self._adam = Adam(self.network.parameters, RATE, CLIP)

    @property
    def wanted(self) -> int:
        """New outcomes that it waits for; more as trials come in, so that a replay has an end."""
        return max(BATCH, len(self.sequences) // 32) if self.sequences else WARM_UP

    def predictor(self) -> PerformanceModel:
        """How good architectures are, from the newest that are known."""
        if self.performance is None:
            known = slice(-MODELLED, None)
            values = merits(self.qualities)[known]
            self.performance = PerformanceModel(self.writer, self.sequences[known], values)
        return self.performance

    def learn(
        self, sequences: Sequence[TokenSequence], qualities: Sequence[Quality], after: int
    ) -> None:
        """Take note of a batch, and train on it and on what was known before.

        Args:
            sequences: canonical ones, of trials whose outcome has become known.
            qualities: theirs.
            after: number of the last trial that was written before.
        """
        self.sequences.extend(sequences)
        self.qualities.extend(qualities)
        self.performance = None
        count = len(self.sequences)
        newest = min(MOST, count, max(len(sequences), NEWEST * BATCH))
        chosen, likelihood, entropy = self._weights(newest)
        rows = [self.sequences[place] for place in chosen]
        tokens, masks = self.writer.padded(rows), self.writer.masks_of(rows)
        steps = list[Loss]()
        for _ in range(STEPS):
            steps.append(self.network.loss(tokens, masks, likelihood, entropy))
            self._adam.step(steps[-1].gradients)
        loss = float(np.mean([step.value for step in steps]))
        spread = float(steps[0].entropies[:newest].mean())
        self.lessons.append(Lesson(after, count, loss, spread))

    def advantages(self) -> Floats:
        """Of each trial that is known: what the policy gradient weighs it with."""
        return merits(self.qualities) - 0.5

    def _weights(self, newest: int) -> tuple[list[int], Floats, Floats]:
        """The newest and the best, with the weights of their likelihoods and entropies."""
        count, recipe = len(self.sequences), self.recipe
        recent = list(range(count - newest, count))
        best = sorted(range(count), key=lambda place: (self.qualities[place], place))
        best = best[: min(MOST, max(1, int(BEST_SHARE * count)))]
        advantage = self.advantages()[recent] * recipe.policy_gradient / len(recent)
        likelihood = np.concatenate((advantage, np.full(len(best), recipe.replay / len(best))))
        fading = recipe.entropy * FADES_AT / (FADES_AT + count) / len(recent)
        entropy = np.concatenate((np.full(len(recent), fading), np.zeros(len(best))))
        return recent + best, likelihood, entropy
