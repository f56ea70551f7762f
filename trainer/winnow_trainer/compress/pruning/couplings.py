"""What must be cut together: the units of a model and every tensor that each of them lies in.

A neuron is a row of one weight matrix, a number of its bias and normalisation, and a column of the
next matrix; a channel that a ResNet adds to others lies in all convolutions of its stage. Which
tensors are coupled is found by torch-pruning's dependency graph (DepGraph, arXiv 2301.12900); what
is done with them is plain tensor arithmetic here and in `cuts`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from winnow_trainer.architectures import Model, attentions, output_layer
from winnow_trainer.architectures.transformer import Vectors
from winnow_trainer.errors import TrialError

TRACED_ROWS = 2
"""Rows of the forward pass that finds the couplings; one alone could look like a broadcast."""


@dataclass(frozen=True, slots=True)
class Member:
    """Where the units lie in one tensor."""

    tensor: str
    """Its name in the model's state."""
    dim: int
    positions: Tensor
    """(units, places of each) int64: indices along `dim`."""

    @property
    def is_reader(self) -> bool:
        """Whether the tensor reads the units: the columns of a matrix, inputs of a convolution."""
        return self.dim == 1


@dataclass(frozen=True, slots=True)
class Coupling:
    """Units that are cut one by one, each with all its members."""

    name: str
    """The first layer of the model that gives them."""
    units: int
    members: tuple[Member, ...]
    unit: str = "neurons"
    """What they are called in a report."""


def find_couplings(model: Model, rows: Tensor) -> tuple[Coupling, ...]:
    """All units that can be cut, in the order of the model; outputs and inputs stay.

    Args:
        model: is left as it is, but in evaluation mode.
        rows: some raw rows, for the forward pass that is traced.

    Raises:
        TrialError: if units lie in a tensor in a way that cannot be cut.
    """
    graph = _traced(model, rows)
    order = {name: place for place, name in enumerate(model.state_dict())}
    names = {id(module): name for name, module in model.named_modules()}
    outputs = model.get_submodule(output_layer(model))
    groups = graph.get_all_groups([outputs], (nn.Conv2d, nn.Linear))
    found = [_coupling(graph, group, names, order) for group in groups]
    by_heads = [_with_heads(coupling, model) for coupling in found]
    return tuple(sorted(by_heads, key=lambda coupling: order[f"{coupling.name}.weight"]))


def _traced(model: Model, rows: Tensor) -> Any:
    # Imported here, because it takes longer than many a step.
    from torch_pruning import DependencyGraph

    vectors = [
        (module.weight, module.weight.dim() - 1)
        for module in model.modules()
        if isinstance(module, Vectors)
    ]
    with torch.enable_grad():
        return DependencyGraph().build_dependency(
            model,
            example_inputs=(rows[:TRACED_ROWS],),
            unwrapped_parameters=vectors,
            verbose=False,
        )


def _coupling(graph: Any, group: Any, names: dict[int, str], order: dict[str, int]) -> Coupling:
    units = len(group[0].root_idxs)
    members = sorted(
        (member for item in group.items for member in _members(graph, item, names, units)),
        key=lambda member: order[member.tensor],
    )
    layer = next(layer for member in members if (layer := _source(graph.model, member)))
    is_convolution = isinstance(graph.model.get_submodule(layer), nn.Conv2d)
    return Coupling(layer, units, tuple(members), "channels" if is_convolution else "neurons")


def _source(model: nn.Module, member: Member) -> str:
    """The layer that gives the units; empty for what only follows one, or reads them."""
    layer, _, tensor = member.tensor.rpartition(".")
    gives = isinstance(model.get_submodule(layer), nn.Linear | nn.Conv2d)
    return layer if gives and tensor == "weight" and member.dim == 0 else ""


def _members(graph: Any, item: Any, names: dict[int, str], units: int) -> Iterator[Member]:
    """The tensors of one module that a group of the dependency graph touches."""
    module = item.dep.target.module
    if isinstance(module, nn.Parameter):
        name = graph._param_to_name[module]  # noqa: SLF001 -- the only place that knows
        yield Member(name, module.dim() - 1, _positions(item, name, units))
        return
    name = names.get(id(module))
    if name is None:  # an operation without a module, which has no tensors
        return
    is_output = graph.is_out_channel_pruning_fn(item.dep.handler)
    for tensor, dim in _tensors(module, is_output=is_output):
        yield Member(f"{name}.{tensor}", dim, _positions(item, name, units))


def _tensors(module: nn.Module, *, is_output: bool) -> Iterator[tuple[str, int]]:
    """Names of a module's tensors, and along which dimension its units lie in them."""
    if isinstance(module, nn.Linear | nn.Conv2d) and not is_output:
        yield "weight", 1
        return
    for tensor in ("weight", "bias", "running_mean", "running_var"):
        if getattr(module, tensor, None) is not None:
            yield tensor, 0


def _positions(item: Any, name: str, units: int) -> Tensor:
    places: list[list[int]] = [[] for _ in range(units)]
    for place, unit in zip(item.idxs, item.root_idxs, strict=True):
        places[unit].append(place)
    if len({len(listed) for listed in places}) > 1:
        raise TrialError(
            "NotSupported",
            f"prune.unit is Neuron, but the inputs of {name} belong to neurons unevenly, so that "
            "none can be cut: use unit Weight",
        )
    return torch.tensor([sorted(listed) for listed in places], dtype=torch.int64)


def _with_heads(coupling: Coupling, model: Model) -> Coupling:
    """The coupling inside an attention, by whole heads: their size never changes."""
    for name, attention in attentions(model).items():
        if f"{name}.query" == coupling.name:
            members = tuple(
                replace(member, positions=member.positions.reshape(attention.heads, -1))
                for member in coupling.members
            )
            return Coupling(name + ".query", attention.heads, members, "heads")
    return coupling


def member_of(
    couplings: Sequence[Coupling], tensor: str, dim: int
) -> tuple[Coupling, Member] | None:
    """The coupling whose units lie along a dimension of a tensor, with the member that says where."""
    for coupling in couplings:
        for member in coupling.members:
            if (member.tensor, member.dim) == (tensor, dim):
                return coupling, member
    return None
