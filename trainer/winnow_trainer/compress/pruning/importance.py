"""How important each weight and each unit of a model is; pruning removes the least important.

              a weight w                          a unit (neuron, channel, head)
Magnitude     its size, |w|                       sum of w^2 over all that belongs to it
Taylor        mean of (w g)^2 over batches        mean of (sum of w g)^2 over batches, w over what
                                                  reads the unit
Random        any number                          any number; the control

The second row is the change of the loss, to first order, when a weight or a unit's output becomes
zero (arXiv 1906.10771); g is the gradient of a small batch of the training split. The rows have
each other's targets: of its own ones a model that fits them has no gradient left, and what remains
is noise. With any targets the change of the loss says how much the outputs change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import torch
from torch import Tensor

from winnow_trainer.architectures import Model, compute_layers
from winnow_trainer.compress.pruning.couplings import Coupling, Member
from winnow_trainer.training import Loss, Part

BATCH_ROWS = 8
"""Small, because gradients of many rows cancel out."""
BATCHES = 32
"""Enough that the order of units hardly changes with more."""


class Importance(StrEnum):
    """What decides."""

    MAGNITUDE = "Magnitude"
    TAYLOR = "Taylor"
    RANDOM = "Random"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What importance is found from, besides the model itself."""

    training: Part
    loss: Loss
    random: torch.Generator
    """Chooses the rows of Taylor, and the numbers of Random."""


def prunable_weights(model: Model) -> dict[str, Tensor]:
    """Matrices and kernels by name; biases, normalisations and learnt vectors are left alone."""
    return {
        f"{name}.weight": model.get_parameter(f"{name}.weight") for name in compute_layers(model)
    }


def weight_scores(importance: Importance, model: Model, evidence: Evidence) -> dict[str, Tensor]:
    """A score for each prunable weight, in the shape of its tensor; small ones go first."""
    weights = {name: tensor.detach() for name, tensor in prunable_weights(model).items()}
    match importance:
        case Importance.MAGNITUDE:
            return {name: weight.abs() for name, weight in weights.items()}
        case Importance.TAYLOR:
            return _mean(
                {name: effects[name].square() for name in weights}
                for effects in _effects(model, evidence)
            )
        case Importance.RANDOM:
            return {
                name: _random(weight.shape, evidence, weight.device)
                for name, weight in weights.items()
            }


def unit_scores(
    importance: Importance, model: Model, couplings: Sequence[Coupling], evidence: Evidence
) -> list[Tensor]:
    """A score (units,) for each unit of each coupling; small ones go first.

    Those of different couplings are comparable: magnitudes as shares of the coupling's mean,
    because layers differ in scale without any meaning; the others as they are.
    """
    match importance:
        case Importance.MAGNITUDE:
            state = model.state_dict()
            return [_share_of_mean(_magnitude(state, coupling)) for coupling in couplings]
        case Importance.TAYLOR:
            scores = _mean(
                {coupling.name: _effect(effects, coupling).square() for coupling in couplings}
                for effects in _effects(model, evidence)
            )
            return [scores[coupling.name] for coupling in couplings]
        case Importance.RANDOM:
            device = next(model.parameters()).device
            return [_random((coupling.units,), evidence, device) for coupling in couplings]


def _effects(model: Model, evidence: Evidence) -> Iterator[Mapping[str, Tensor]]:
    """For one batch after the other: each parameter times its gradient."""
    model.eval()  # statistics of a batch would make a unit depend on its neighbours
    parameters = dict(model.named_parameters())
    features, targets = evidence.training.features, evidence.training.targets
    for batch, others in zip(_batches(evidence), _batches(evidence), strict=True):
        loss = evidence.loss(model(features[batch]), targets[others])
        gradients = torch.autograd.grad(loss, list(parameters.values()))
        yield {
            name: parameter.detach() * gradient
            for (name, parameter), gradient in zip(parameters.items(), gradients, strict=True)
        }


def _batches(evidence: Evidence) -> tuple[Tensor, ...]:
    """Some rows of the training split in random order, as many in each batch."""
    targets = evidence.training.targets
    order = torch.randperm(len(targets), generator=evidence.random)[: BATCH_ROWS * BATCHES]
    return torch.split(order.to(targets.device), BATCH_ROWS)


def _mean(batches: Iterator[dict[str, Tensor]]) -> dict[str, Tensor]:
    total = next(batches)
    count = 1
    for batch in batches:
        for name, tensor in batch.items():
            total[name] += tensor
        count += 1
    return {name: tensor / count for name, tensor in total.items()}


def _random(shape: Sequence[int], evidence: Evidence, device: torch.device) -> Tensor:
    return torch.rand(tuple(shape), generator=evidence.random).to(device)


def _magnitude(state: Mapping[str, Tensor], coupling: Coupling) -> Tensor:
    """(units,): how much of each unit there is; what only shifts outputs does not count."""
    squares = [
        _by_unit(state[member.tensor].square(), member)
        for member in coupling.members
        if member.tensor.endswith(".weight")
    ]
    return torch.stack(squares).sum(0)


def _effect(effects: Mapping[str, Tensor], coupling: Coupling) -> Tensor:
    """(units,): change of a batch's loss when what a unit gives becomes zero."""
    # Only what reads it: its own weights say the same once more, and nothing before a batch norm.
    readers = [
        _by_unit(effects[member.tensor], member) for member in coupling.members if member.is_reader
    ]
    return torch.stack(readers).sum(0)


def _by_unit(values: Tensor, member: Member) -> Tensor:
    """(units,): what of a tensor belongs to each unit, added up."""
    sums = values.movedim(member.dim, 0).flatten(1).sum(1) if values.dim() > 1 else values
    return sums[member.positions.to(values.device)].sum(1)


def _share_of_mean(scores: Tensor) -> Tensor:
    mean = scores.mean()
    return scores / mean if mean > 0 else scores
