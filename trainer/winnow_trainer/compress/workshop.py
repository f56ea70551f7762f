"""Where the steps of a chain train and measure: the data, the source's settings, the seed.

A step trains as the source was trained, with three exceptions: AdamW with a rate that falls along a
cosine, because what was searched suits a start from nothing; and the best epoch is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from winnow_contract.models.settings import SettingValue
from winnow_measure.quality import Measured, measure
from winnow_trainer.architectures import Architecture, Model
from winnow_trainer.compress.pruning.importance import Evidence
from winnow_trainer.determinism import seed_everything
from winnow_trainer.task import DataKind
from winnow_trainer.training import (
    Part,
    RowLoss,
    Training,
    TrainingPlan,
    Watch,
    plain_loss,
    predict,
    train,
)

RETRAINING: Mapping[str, SettingValue] = {
    "optimizer": "adamw",
    "schedule": "cosine",
    "warmup": 0.0,
    "keep": "best",
    "patience": 0,
    "divergence": 0.0,
}
"""Settings that a step's training has in place of the source's."""


@dataclass(frozen=True, slots=True)
class Work:
    """A model as it is handed from step to step."""

    model: Model
    architecture: Architecture


@dataclass(frozen=True, slots=True)
class Made(Work):
    """What a step has made of it."""

    report: Mapping[str, Any]
    """Numbers and sentences for the manifest, JSON."""
    claims: Mapping[str, bool]
    """What must be true of it, for whoever measures: smallerThanParent, masked."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """What all steps of a chain share."""

    training: Part
    validation: Part
    kind: DataKind
    metric: str
    """The quality metric that epochs and rounds are judged by."""
    settings: Mapping[str, SettingValue]
    """All settings of the source, as resolved."""
    seed: int
    watch: Watch

    def quality(self, model: nn.Module) -> Measured:
        """The metric on the validation split.

        Raises:
            TrialError: with cause NaN if an output is not finite.
        """
        targets = self.validation.targets.cpu().numpy()
        return measure(self.kind, self.metric, predict(model, self.validation), targets)

    def evidence(self, model: Model) -> Evidence:
        """What importance is found from; the same rows each time."""
        random = torch.Generator().manual_seed(self.seed)
        return Evidence(self.training, plain_loss(model, self.settings), random)

    def retrain(
        self, model: nn.Module, epochs: int, learning_rate: float, lesson: RowLoss | None = None
    ) -> Training:
        """Train a model in place; the same batches in the same order each time.

        Args:
            model: what is trained.
            epochs: passes over the training split.
            learning_rate: at the start; it falls to 0.
            lesson: what is learnt in place of the plain loss.

        Raises:
            TrialError: with cause NaN if the loss is not finite.
            Stopping: when the watch says so.
        """
        given = {"epochs": epochs, "learning_rate": learning_rate}
        settings = {**self.settings, **RETRAINING, **given}
        plan = TrainingPlan(self.kind, settings, self.metric, lesson)
        parts = self.training, self.validation
        return train(model, parts, plan, seed_everything(self.seed), self.watch)
