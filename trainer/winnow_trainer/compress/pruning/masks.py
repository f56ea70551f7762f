"""Masks: single weights set to zero, and kept there while the others are trained.

The unit `Weight` of a prune step. Tensors keep their shapes, so a masked model is neither smaller
nor faster; its report says so.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from winnow_trainer.architectures import Model
from winnow_trainer.compress.pruning.amounts import Scope, kept_weights
from winnow_trainer.compress.pruning.importance import Importance, prunable_weights, weight_scores
from winnow_trainer.compress.workshop import Work, Workshop

Masks = Mapping[str, Tensor]
"""For each masked tensor, by name, one in its shape: 1 where a weight stays, 0 where it is gone."""


def masks_of(model: Model) -> dict[str, Tensor]:
    """The mask that a model has already: wherever a weight is exactly zero."""
    return {
        name: (weight.detach() != 0).to(weight.dtype)
        for name, weight in prunable_weights(model).items()
    }


def with_gone_first(scores: Mapping[str, Tensor], model: Model) -> dict[str, Tensor]:
    """Scores in which weights that are zero already come before all others.

    Args:
        scores: by parameter, each of its parameter's shape.
        model: whose parameters they are.
    """
    masks = masks_of(model)
    return {
        name: values.masked_fill(masks[name] == 0, -torch.inf) for name, values in scores.items()
    }


@contextmanager
def held(model: nn.Module, masks: Masks) -> Iterator[None]:
    """Set masked weights to zero, and let no gradient reach them within the block.

    A weight that is zero and has no gradient stays zero under every optimiser here: momentum,
    averages and weight decay are multiples of the two.
    """
    weights = {name: model.get_parameter(name) for name in masks}
    with torch.no_grad():
        for name, weight in weights.items():
            weight.mul_(masks[name])
    hooks = [
        weight.register_hook(masks[name].mul)  # type: ignore[no-untyped-call] # torch gives it none
        for name, weight in weights.items()
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def zero_share(masks: Masks) -> float:
    """Share of the weights that are gone."""
    total = sum(mask.numel() for mask in masks.values())
    return 1 - sum(float(mask.sum()) for mask in masks.values()) / total


class Weights:
    """Sets weights of one model to zero, a share of all that can be pruned."""

    claims: Mapping[str, bool] = {"smallerThanParent": False, "masked": True}

    def __init__(self, start: Work, workshop: Workshop) -> None:
        del start  # amounts are shares of all weights, whatever is gone already
        self._workshop = workshop

    def remove(self, work: Work, amount: float, scope: Scope, importance: Importance) -> Work:
        """A model whose least important weights are zero, those that were already among them.

        Args:
            work: what is masked; it stays as it is.
            amount: share of the weights that is zero then.
            scope: what is ranked together.
            importance: what decides.
        """
        model = copy.deepcopy(work.model)
        scores = weight_scores(importance, model, self._workshop.evidence(model))
        masks = kept_weights(with_gone_first(scores, model), amount, scope)
        with held(model, masks):
            return Work(model, work.architecture)

    def held(self, model: Model) -> AbstractContextManager[None]:
        """Keep zero what is zero now."""
        return held(model, masks_of(model))

    def layers(self, end: Work) -> list[dict[str, Any]]:
        """What each tensor has lost, for the report."""
        return [
            {
                "layer": name.removesuffix(".weight"),
                "unit": "weights",
                "before": mask.numel(),
                "after": int(mask.sum()),
                "amount": round(zero_share({name: mask}), 6),
            }
            for name, mask in masks_of(end.model).items()
        ]

    def share_gone(self, work: Work) -> float:
        """Share of the weights that are zero."""
        return round(zero_share(masks_of(work.model)), 6)
