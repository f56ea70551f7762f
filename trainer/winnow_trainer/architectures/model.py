"""A model of any family: raw rows in, logits or values out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn
from typing_extensions import override

from winnow_trainer.architectures.cnn import cnn
from winnow_trainer.architectures.description import Architecture
from winnow_trainer.architectures.mlp import mlp
from winnow_trainer.architectures.resnet import ResNet
from winnow_trainer.architectures.rows import Rescale, Standardize, read_rows
from winnow_trainer.architectures.sizes import resize, sizes_of
from winnow_trainer.architectures.transformer import Transformer
from winnow_trainer.task import DataKind

_BODIES: Mapping[str, Callable[[Architecture, tuple[int, ...]], nn.Module]] = {
    "MLP": mlp,
    "CNN": cnn,
    "ResNet": ResNet,
    "Transformer": Transformer,
}


class Model(nn.Module):
    """Raw rows in, logits or values out."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.rows, features = read_rows(architecture)
        self.standardize = Standardize(features)
        self.body = _BODIES[architecture.family](architecture, features)
        is_regression = architecture.kind is DataKind.REGRESSION
        self.rescale = Rescale() if is_regression else None
        resize(self, architecture.sizes)

    @override
    def forward(self, rows: Tensor) -> Tensor:
        outputs: Tensor = self.body(self.standardize(self.rows(rows)))
        return outputs if self.rescale is None else self.rescale(outputs)

    def fit_scales(self, features: Tensor, targets: Tensor) -> None:
        """Learn standardisation from the training split.

        Args:
            features: (rows, *row) as the data has them.
            targets: (rows,) classes or values.
        """
        self.standardize.fit(self.rows(features))
        if self.rescale is not None:
            self.rescale.fit(targets)

    @property
    def parameter_count(self) -> int:
        """How many numbers were learnt by gradients."""
        return sum(parameter.numel() for parameter in self.parameters())


def count_parameters(architecture: Architecture) -> float:
    """How many parameters a model would have, found out without making any; infinite if overflown."""
    try:
        return outline(architecture).parameter_count
    except RuntimeError:
        return math.inf


def outline(architecture: Architecture) -> Model:
    """A model without memory for its weights (on torch's meta device): its modules and sizes.

    Raises:
        RuntimeError: if a size is beyond all numbers.
    """
    with torch.device("meta"):
        return Model(architecture)


def cut_architecture(architecture: Architecture, model: Model) -> Architecture:
    """The architecture that rebuilds a model whose modules were cut after it was built.

    Args:
        architecture: what the model was built from.
        model: as it is now.
    """
    plain = sizes_of(outline(replace(architecture, sizes={})))
    real = sizes_of(model)
    return replace(
        architecture, sizes={name: real[name] for name in plain if real[name] != plain[name]}
    )
