"""Post-training quantization: ranges are found on some rows of the training split, once.

Nothing is trained. Where more is lost than may be, the layers that move the outputs most stay in
32 bits, and ranges are found again for the others.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from winnow_trainer.compress.quantizing.integers import integer_graph
from winnow_trainer.compress.quantizing.quantization import Asked, Found, found
from winnow_trainer.compress.quantizing.quantizer import calibrated
from winnow_trainer.compress.quantizing.sensitivity import damage_of, one_by_one, search
from winnow_trainer.compress.quantizing.simulation import BATCH_ROWS, Simulation


def post_training(asked: Asked) -> Found:
    """Quantize a model as it is.

    Raises:
        TrialError: if there are no rows to find ranges on, or an output is not finite.
        Stopping: when the watch says so.
    """
    rows, workshop = asked.calibration_rows(), asked.workshop

    def attempt(excluded: Sequence[str]) -> tuple[Simulation, float]:
        workshop.watch.before_batch()
        simulation = Simulation(asked.model, rows, asked.without(tuple(excluded)), calibrated())
        simulation.calibrate(rows)
        return simulation, workshop.quality(simulation)[0]

    def damages(first: tuple[Simulation, float]) -> dict[str, float]:
        return damages_of(first[0], rows)

    ended = search(attempt, lambda made: made[1], damages, asked.limit, one_by_one)
    return found(ended, *integer_graph(ended.made[0], rows), calibrationRows=len(rows))


@torch.no_grad()
def damages_of(simulation: Simulation, rows: Tensor) -> dict[str, float]:
    """How far each layer alone moves the outputs when it computes in integers.

    Args:
        simulation: calibrated.
        rows: raw rows to compare on.
    """

    def outputs(*layers: str) -> Tensor:
        with simulation.rounded(layers):
            return torch.cat([simulation(piece) for piece in torch.split(rows, BATCH_ROWS)])

    wanted = outputs()
    return {layer: damage_of(outputs(layer), wanted) for layer in simulation.layers}
