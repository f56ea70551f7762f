"""A workshop with little data, and models that have learnt it."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

import torch

from tests.support.architectures import GRAY, SMALL, dataset, planned
from winnow_contract.models.settings import resolve_settings
from winnow_contract.steps.chains import resolve_step
from winnow_trainer.architectures import Model
from winnow_trainer.compress.workshop import Work, Workshop
from winnow_trainer.determinism import make_deterministic, seed_everything
from winnow_trainer.task import DataKind
from winnow_trainer.training import Epoch, Part

CLASSES = 3


class NoWatch:
    """Counts what it is told."""

    def __init__(self) -> None:
        self.batches = 0
        self.epochs: list[Epoch] = []

    def before_batch(self) -> None:
        """Count."""
        self.batches += 1

    def after_epoch(self, epoch: Epoch) -> None:
        """Keep."""
        self.epochs.append(epoch)


def clouds(rows: int, seed: int, spread: float = 2.0) -> Part:
    """Rows of 54 numbers around a centre per class: learnt at once, never without errors."""
    random = torch.Generator().manual_seed(7)
    centres = torch.randn(CLASSES, 54, generator=random)
    random.manual_seed(seed)
    targets = torch.arange(rows) % CLASSES
    return Part(centres[targets] + spread * torch.randn(rows, 54, generator=random), targets)


def slopes(rows: int, seed: int) -> Part:
    """Rows of 54 numbers and a value that is nearly a weighted sum of them."""
    random = torch.Generator().manual_seed(7)
    weights = torch.randn(54, generator=random)
    random.manual_seed(seed)
    features = torch.randn(rows, 54, generator=random)
    return Part(features, (features @ weights) * 10 + 500 + torch.randn(rows, generator=random))


def workshop(family: str, kind: DataKind = DataKind.CLASSIFICATION, **given: Any) -> Workshop:
    """Settings and data of a small source of a family."""
    make_deterministic(1)
    is_classified = kind is DataKind.CLASSIFICATION
    make = clouds if is_classified else slopes
    settings = {**SMALL[family], "batch_size": 32, "learning_rate": 0.01, "epochs": 6, **given}
    return Workshop(
        training=make(240, 1),
        validation=make(240, 2),
        kind=kind,
        metric="accuracy" if is_classified else "r2",
        settings=resolve_settings(family, settings),
        seed=3,
        watch=NoWatch(),
    )


def source(family: str, shop: Workshop) -> Work:
    """A model that has learnt the workshop's data; each caller has its own."""
    settings = tuple(sorted(_named(shop).items()))
    work = _learnt(family, shop.kind, settings)
    return Work(copy.deepcopy(work.model), work.architecture)


@cache
def _learnt(family: str, kind: DataKind, settings: tuple[tuple[str, Any], ...]) -> Work:
    """The same for all tests, because training takes longer than most of them."""
    shop = workshop(family, kind, **dict(settings))
    is_classified = kind is DataKind.CLASSIFICATION
    data = dataset(54, image=GRAY, classes=CLASSES if is_classified else 0)
    architecture = planned(family, data, **dict(settings))
    seed_everything(1)
    model = Model(architecture)
    model.fit_scales(shop.training.features, shop.training.targets)
    shop.retrain(model, 6, 0.01)
    return Work(model, architecture)


def _named(shop: Workshop) -> dict[str, Any]:
    """Settings as a user writes them."""
    return {
        name: "-".join(map(str, value)) if isinstance(value, tuple) else value
        for name, value in shop.settings.items()
    }


def step(kind: str, **options: Any) -> dict[str, Any]:
    """The options of a resolved step."""
    resolved: dict[str, Any] = resolve_step({kind: options})[kind]
    return resolved
