"""What a student learns from its teacher's outputs, beside the targets.

classification   (1 - alpha) cross-entropy + alpha T^2 KL(teacher / T || student / T)
                 (arXiv 1503.02531; T^2 keeps the two gradients of one size at any temperature T)
regression       (1 - alpha) squared error to the target + alpha squared error to the teacher,
                 both in the unit of the target's spread; a value has no temperature

With alpha 0 the gradients are those of the plain loss, bit by bit.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from winnow_contract.models.settings import SettingValue
from winnow_trainer.architectures import Model
from winnow_trainer.training import EVALUATION_ROWS, RowLoss, plain_loss


def lesson(
    student: Model,
    settings: Mapping[str, SettingValue],
    answers: Tensor,
    *,
    temperature: float,
    alpha: float,
) -> RowLoss:
    """The loss of a student.

    Args:
        student: is trained with it.
        settings: of its training, for label smoothing.
        answers: the teacher's outputs for all rows of the training split, (rows, outputs).
        temperature: divides logits; above 0.
        alpha: share of the teacher's part, 0 to 1.
    """
    plain = plain_loss(student, settings)
    imitation = _imitation(student, answers, temperature)

    def loss(outputs: Tensor, targets: Tensor, rows: Tensor) -> Tensor:
        return (1 - alpha) * plain(outputs, targets) + alpha * imitation(outputs, targets, rows)

    return loss


def _imitation(student: Model, answers: Tensor, temperature: float) -> RowLoss:
    if student.rescale is not None:
        scale = student.rescale.scale
        values = answers / scale
        return lambda outputs, _, rows: functional.mse_loss(outputs / scale, values[rows])
    soft = functional.log_softmax(answers / temperature, dim=1)

    def divergence(outputs: Tensor, _: Tensor, rows: Tensor) -> Tensor:
        guess = functional.log_softmax(outputs / temperature, dim=1)
        distance = functional.kl_div(guess, soft[rows], reduction="batchmean", log_target=True)
        return distance * temperature**2

    return divergence


@torch.no_grad()
def answers_of(teacher: Model, features: Tensor) -> Tensor:
    """The teacher's outputs, (rows, outputs); it always sees rows as they are served."""
    teacher.eval()
    return torch.cat([teacher(rows) for rows in torch.split(features, EVALUATION_ROWS)])
