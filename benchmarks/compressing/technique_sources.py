"""The trained models that techniques are tried on, and the data of each seed.

A seed chooses the split, the start and the batches. Every technique trains and keeps its best epoch
by the validation split; what is compared is the accuracy on the test split, which nothing else reads.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import torch
from torch import nn

from winnow_contract.models.settings import resolve_settings
from winnow_measure.quality import measure
from winnow_trainer.architectures import Model, plan
from winnow_trainer.compress.workshop import Work, Workshop
from winnow_trainer.data.builtin import load_builtin
from winnow_trainer.data.dataset import Dataset
from winnow_trainer.determinism import seed_everything
from winnow_trainer.splits import split
from winnow_trainer.task import DataKind, Evaluation
from winnow_trainer.training import Epoch, Part, TrainingPlan, outputs_of, train

DATA = "digits"
METRIC = "accuracy"
TEST, VALIDATION = 0.3, 0.2
"""A large test split: a difference of one row in 540 is 0.19 points."""


class Unwatched:
    """Follows no training."""

    def before_batch(self) -> None:
        """Never stop."""

    def after_epoch(self, epoch: Epoch) -> None:
        """Take no note."""


@dataclass(frozen=True, slots=True)
class Source:
    """What is trained before a technique is tried on it."""

    family: str
    settings: tuple[tuple[str, str], ...]
    """Names and values as a user writes them; the others have their defaults."""


@dataclass(frozen=True, slots=True)
class Bench:
    """A trained source with the data of its seed."""

    work: Work
    workshop: Workshop
    test: Part

    def accuracy(self, model: nn.Module) -> float:
        """On the test split."""
        return replace(self.workshop, validation=self.test).quality(model)[0]

    def accuracy_of(self, run: object) -> float:
        """On the test split, of what is no module: the torch form of an integer graph."""
        outputs = outputs_of(run, self.test.features)  # type: ignore[arg-type] # any callable
        return measure(DataKind.CLASSIFICATION, METRIC, outputs, self.test.targets.numpy())[0]


@cache
def trained(source: Source, seed: int) -> Bench:
    """Train a source, once for all contests; no step changes what it is given."""
    dataset, settings = _data(), resolve_settings(source.family, dict(source.settings))
    splits = split(dataset, Evaluation(TEST, VALIDATION, seed))
    features, targets = torch.from_numpy(dataset.features), torch.from_numpy(dataset.targets)
    training, validation, test = (
        Part(features[rows], targets[rows])
        for rows in (splits.train, splits.validation, splits.test)
    )
    architecture = plan(source.family, settings, dataset)
    random = seed_everything(seed)
    model = Model(architecture)
    model.fit_scales(training.features, training.targets)
    kind = DataKind.CLASSIFICATION
    train(model, (training, validation), TrainingPlan(kind, settings, METRIC), random, Unwatched())
    workshop = Workshop(training, validation, kind, METRIC, settings, seed, Unwatched())
    return Bench(Work(model, architecture), workshop, test)


@cache
def _data() -> Dataset:
    return load_builtin(DATA, DataKind.AUTO)
