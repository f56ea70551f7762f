"""Small data sets without content, and architectures planned for them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from winnow_contract.models.settings import resolve_settings
from winnow_trainer.architectures import Architecture, Model, plan
from winnow_trainer.data.dataset import Dataset, ImageShape, Layout
from winnow_trainer.task import DataKind

GRAY = ImageShape(9, 6, 1, Layout.HWC)


def dataset(
    *row_shape: int, image: ImageShape | None = None, classes: int = 3, rows: int = 6
) -> Dataset:
    """Rows of zeros; without classes their targets are values."""
    kind = DataKind.CLASSIFICATION if classes else DataKind.REGRESSION
    names = tuple(map(str, range(classes)))
    features = np.zeros((rows, *row_shape), np.float32)
    targets = np.arange(rows) % max(classes, 1)
    return Dataset(features, targets, kind, "", names, image)


def planned(family: str, data: Dataset, **given: Any) -> Architecture:
    """An architecture for a data set, with some settings given."""
    return plan(family, resolve_settings(family, given), data)


SMALL: dict[str, dict[str, Any]] = {
    "MLP": {"widths": "32-16-24", "norm": "batch"},
    "CNN": {"channels": "8-16-8", "norm": "batch"},
    "ResNet": {"channels": "8-16", "blocks": "2-3"},
    "Transformer": {"width": 32, "heads": 4, "depth": 3, "feedforward": 2, "summary": "token"},
}
"""Settings of a small model of each family, for images of 9x6."""


def small(family: str, **given: Any) -> Architecture:
    """A small architecture of a family, for images of 9x6 in three classes."""
    return planned(family, dataset(54, image=GRAY), **{**SMALL[family], **given})


def trained_looking(architecture: Architecture, seed: int = 0) -> Model:
    """A model whose every weight and buffer is random, as after a training; in eval mode."""
    torch.manual_seed(seed)
    model = Model(architecture).eval()
    for name, tensor in model.state_dict().items():
        if tensor.is_floating_point():
            # Variances and scales are divided by: they must be positive.
            tensor.uniform_(0.5, 1.5) if "var" in name or "scale" in name else tensor.normal_(
                std=0.3
            )
    return model
