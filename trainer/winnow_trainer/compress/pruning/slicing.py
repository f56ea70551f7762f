"""Cutting units out of a model: every tensor that they lie in becomes smaller.

The cut model is built anew from its architecture, which says its real sizes in plain numbers
(`Architecture.sizes`): what is written to model.json rebuilds it without any library that cuts.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from winnow_trainer.architectures import Architecture, Model, cut_architecture
from winnow_trainer.compress.pruning.couplings import Coupling

State = Mapping[str, Tensor]


def cut(
    model: Model,
    architecture: Architecture,
    couplings: Sequence[Coupling],
    kept: Sequence[Tensor],
) -> tuple[Model, Architecture]:
    """A smaller model and its architecture; the one given stays as it is.

    Args:
        model: what is cut.
        architecture: what it was built from.
        couplings: its units.
        kept: for each coupling the units that stay, ascending.
    """
    state = sliced(model.state_dict(), couplings, kept)
    shell = copy.deepcopy(model)
    for name, parameter in shell.named_parameters():
        parameter.data = state[name]
    smaller = cut_architecture(architecture, shell)
    return rebuilt(smaller, state, next(model.parameters()).device), smaller


def rebuilt(architecture: Architecture, state: State, device: torch.device) -> Model:
    """A model of an architecture with these weights.

    Raises:
        RuntimeError: if they do not fit.
    """
    model = Model(architecture).to(device)
    model.load_state_dict(state)
    return model


def sliced(
    state: State, couplings: Sequence[Coupling], kept: Sequence[Tensor]
) -> dict[str, Tensor]:
    """The state of the smaller model; tensors without units are the same.

    Args:
        state: of the whole model.
        couplings: which units lie in which tensors.
        kept: of each coupling, the indices of the units that stay, ascending.
    """
    smaller = dict(state)
    for (tensor, dim), places in _kept_places(state, couplings, kept).items():
        index = places.to(smaller[tensor].device)
        smaller[tensor] = smaller[tensor].index_select(dim, index)
    return smaller


def _kept_places(
    state: State, couplings: Sequence[Coupling], kept: Sequence[Tensor]
) -> dict[tuple[str, int], Tensor]:
    """For each dimension that gets smaller the indices that stay, ascending."""
    stays: dict[tuple[str, int], Tensor] = {}
    for coupling, units in zip(couplings, kept, strict=True):
        lost = torch.ones(coupling.units, dtype=torch.bool)
        lost[units] = False
        for member in coupling.members:
            size = state[member.tensor].shape[member.dim]
            place = (member.tensor, member.dim)
            mask = stays.setdefault(place, torch.ones(size, dtype=torch.bool))
            mask[member.positions[lost].flatten()] = False
    return {place: mask.nonzero()[:, 0] for place, mask in stays.items()}
