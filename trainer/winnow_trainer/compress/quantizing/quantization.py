"""What the three ways to quantize share: what they are asked, and what they find."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from winnow_trainer.architectures import LayerKind, Model
from winnow_trainer.compress.quantizing.sensitivity import Limit, Search
from winnow_trainer.compress.workshop import Workshop
from winnow_trainer.errors import TrialError

Run = Callable[[Tensor], Tensor]
"""Outputs (rows, outputs) of raw rows, on the CPU."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A model, and which of its layers are to compute in integers."""

    model: Model
    """Without batch norms and dropout (`folding`), on the device of the data."""
    layers: Mapping[str, LayerKind]
    """By name, in the order of the model; at least one."""
    options: Mapping[str, Any]
    """Of the resolved step."""
    workshop: Workshop
    limit: Limit

    def without(self, excluded: tuple[str, ...]) -> tuple[str, ...]:
        """Layers but for some."""
        return tuple(layer for layer in self.layers if layer not in excluded)

    def calibration_rows(self) -> Tensor:
        """Rows of the training split on which ranges are found; the same ones each time.

        Raises:
            TrialError: if there are none.
        """
        features = self.workshop.training.features
        if not len(features):
            raise TrialError(
                "NoCalibrationData",
                "quantize finds ranges on rows of the training split, which has none: give more "
                "data, or use mode Dynamic",
            )
        random = torch.Generator().manual_seed(self.workshop.seed)
        order = torch.randperm(len(features), generator=random)[: self.options["calibrationRows"]]
        return features[order.to(features.device)]


@dataclass(frozen=True, slots=True)
class Found:
    """An integer model."""

    run: Run
    """Its torch form, which ONNX Runtime has to reproduce."""
    content: bytes
    """Of model.onnx."""
    excluded: tuple[str, ...]
    """Layers that stay in 32 bits, the most damaging first."""
    is_allowed: bool
    """Whether no more is lost than may be."""
    first: float
    """The metric with all layers in integers."""
    damages: Mapping[str, float] = field(default_factory=dict)
    """Of each layer alone, where layers were ranked."""
    figures: Mapping[str, Any] = field(default_factory=dict)
    """For the report, by name."""
    sentences: tuple[str, ...] = ()


def found(ended: Search[Any], run: Run, content: bytes, *sentences: str, **figures: float) -> Found:
    """What a search for exclusions has come to.

    Args:
        ended: the search.
        run: the torch form of the model that it kept.
        content: of model.onnx, the same model.
        sentences: for the report.
        figures: the same, by name; how many attempts there were comes to them.
    """
    return Found(
        run,
        content,
        ended.excluded,
        ended.is_allowed,
        ended.first,
        ended.damages,
        {**figures, "attempts": ended.tries},
        sentences,
    )
