"""Quantization-aware training: the model learns with its parameters and activations rounded.

After "Quantization and training of neural networks for efficient integer-arithmetic-only inference"
(arXiv 1712.05877): what is rounded in the forward pass is passed by in the backward pass. Ranges
follow the training at first and stay for its last third, so that it ends on a fixed grid. It starts
from the trained model, keeps the best epoch, and rows of the validation split move no range.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from winnow_trainer.compress.pruning.masks import held, masks_of
from winnow_trainer.compress.quantizing.integers import integer_graph
from winnow_trainer.compress.quantizing.post_training import damages_of
from winnow_trainer.compress.quantizing.quantization import Asked, Found, found
from winnow_trainer.compress.quantizing.quantizer import trained
from winnow_trainer.compress.quantizing.sensitivity import doubling, search
from winnow_trainer.compress.quantizing.simulation import Simulation

FOLLOWED = 2 / 3
"""Share of the epochs in which ranges follow the training."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A simulation that was trained."""

    simulation: Simulation
    untrained: float
    """Its metric with the same ranges before the first step."""
    value: float


def aware(asked: Asked) -> Found:
    """Train a model for integers.

    Raises:
        TrialError: if there are no rows to find ranges on, or a loss is not finite.
        Stopping: when the watch says so.
    """
    rows, workshop, epochs = asked.calibration_rows(), asked.workshop, asked.options["epochs"]
    followed = max(1, math.floor(FOLLOWED * epochs))

    def attempt(excluded: Sequence[str]) -> Trained:
        layers = asked.without(tuple(excluded))
        simulation = Simulation(asked.model, rows, layers, trained(), followed)
        simulation.calibrate(rows)
        untrained = workshop.quality(simulation)[0]
        masks = {f"graph.{name}": mask for name, mask in masks_of(asked.model).items()}
        with held(simulation, masks):
            workshop.retrain(simulation, epochs, asked.options["learningRate"])
        return Trained(simulation, untrained, workshop.quality(simulation)[0])

    def damages(first: Trained) -> dict[str, float]:
        return damages_of(first.simulation, rows)

    ended = search(attempt, lambda made: made.value, damages, asked.limit, doubling)
    figures = {
        f"untrained_{workshop.metric}": ended.made.untrained,
        "calibrationRows": len(rows),
        "rangeEpochs": followed,
    }
    graph = integer_graph(ended.made.simulation, rows)
    return found(ended, *graph, *_sentences(asked, ended.made, followed), **figures)


def _sentences(asked: Asked, made: Trained, followed: int) -> tuple[str, ...]:
    started = (
        f"With the ranges that it started from, before the first training step, "
        f"{asked.workshop.metric} was {made.untrained:.4g}."
    )
    ranges = (
        f"Ranges followed the training in {followed} of its {asked.options['epochs']} epochs; the "
        "best epoch is kept. Batch norms are part of the layers before them from the start."
    )
    return started, ranges
