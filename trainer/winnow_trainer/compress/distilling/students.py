"""Parameter distillation: a smaller network that starts from its teacher's weights.

Layers are copied evenly spaced, the first always (DistilBERT, arXiv 1910.01108); of each layer the
most important units are taken, in their order (after weight selection, arXiv 2311.18823, which
takes them uniformly). Which layer comes from which says `architectures.layer_map`; which units go
together say the teacher's couplings.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from winnow_trainer.architectures import Architecture, Model, attentions, layer_map
from winnow_trainer.architectures.students import evenly
from winnow_trainer.compress.pruning.couplings import Coupling, Member, find_couplings, member_of
from winnow_trainer.compress.pruning.importance import Evidence, Importance, unit_scores
from winnow_trainer.compress.pruning.norms import settle_norms

SCALES = ("standardize.", "rescale.")
"""Modules in and out, which are the teacher's as they are."""


@dataclass(frozen=True, slots=True)
class Inheritance:
    """What a student got from its teacher."""

    student: Model
    taken: Mapping[str, str]
    """Teacher's layer by student's layer."""
    left: tuple[str, ...]
    """Layers of the student that stay random, because sizes do not allow a copy."""


@dataclass(frozen=True, slots=True)
class _Network:
    """Teacher or student: its weights, and which units lie where in them."""

    model: Model
    state: Mapping[str, Tensor]
    couplings: Sequence[Coupling]


def inherit(
    teacher: tuple[Model, Architecture], student: tuple[Model, Architecture], evidence: Evidence
) -> Inheritance:
    """Fill a random student from its teacher, in place; batch norms are settled on the data.

    Args:
        teacher: trained, with its architecture.
        student: random, with its own.
        evidence: for the importance (Taylor) of the teacher's units.

    Raises:
        SettingError: if the two are not of one family and number of stages.
    """
    pairs = layer_map(teacher[1], student[1])
    rows = evidence.training.features
    source, target = (_network(model, rows) for model in (teacher[0], student[0]))
    ranks = _ranks(source, evidence)
    taken, left = {}, []
    state = dict(target.state) | _scales(source)
    for mine, theirs in pairs:
        copied = _copied((source, theirs), (target, mine), ranks)
        state |= copied
        if copied:
            taken[mine] = theirs
        else:
            left.append(mine)
    target.model.load_state_dict(state)
    _keep_attention_sharp(source.model, target.model, taken)
    settle_norms(target.model, rows)
    return Inheritance(target.model, taken, tuple(left))


def random_student(teacher: Model, student: Model, features: Tensor) -> Model:
    """A random student that only reads rows as its teacher does: the control of `inherit`."""
    student.load_state_dict(
        student.state_dict() | _scales(_Network(teacher, teacher.state_dict(), ()))
    )
    settle_norms(student, features)
    return student


def _network(model: Model, rows: Tensor) -> _Network:
    return _Network(model, model.state_dict(), find_couplings(model, rows))


def _scales(network: _Network) -> dict[str, Tensor]:
    """Standardisation and its inverse, which have been learnt from the same rows."""
    return {name: value for name, value in network.state.items() if name.startswith(SCALES)}


def _ranks(source: _Network, evidence: Evidence) -> dict[str, Tensor]:
    """Of each coupling, by its name: its units, the most important first."""
    scores = unit_scores(Importance.TAYLOR, source.model, source.couplings, evidence)
    return {
        coupling.name: values.cpu().argsort(descending=True, stable=True)
        for coupling, values in zip(source.couplings, scores, strict=True)
    }


def _copied(
    theirs: tuple[_Network, str], mine: tuple[_Network, str], ranks: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """The tensors of a student's layer taken from the teacher's; none if one does not fit."""
    (source, layer), (target, own_layer) = theirs, mine
    copied: dict[str, Tensor] = {}
    for name in target.model.get_submodule(own_layer).state_dict():
        tensor, own = f"{layer}.{name}", f"{own_layer}.{name}"
        value, shape = source.state[tensor], target.state[own].shape
        for dim, size in enumerate(shape):
            found = member_of(source.couplings, tensor, dim)
            wanted = member_of(target.couplings, own, dim)
            if found and wanted:
                index = _places(found, wanted, ranks)
                if index is None:
                    return {}
                value = value.index_select(dim, index.to(value.device))
            if value.shape[dim] != size:
                return {}
        copied[own] = value
    return copied


def _places(
    found: tuple[Coupling, Member], wanted: tuple[Coupling, Member], ranks: Mapping[str, Tensor]
) -> Tensor | None:
    """Where in the teacher's tensor the units of the student come from; None if there are none."""
    (coupling, member), (own, own_member) = found, wanted
    each, own_each = member.positions.shape[1], own_member.positions.shape[1]
    if own.units > coupling.units or own_each > each:
        return None
    best = ranks[coupling.name][: own.units].sort().values
    places = member.positions[best]  # (units, places of each)
    if own_each == each:
        return places.flatten()
    # Smaller heads: the same numbers of a head in all its matrices, so that products still match.
    return places[:, evenly(each, own_each)].flatten() if coupling.unit == "heads" else None


def _keep_attention_sharp(teacher: Model, student: Model, taken: Mapping[str, str]) -> None:
    """Scale queries of smaller heads, whose products are divided by less than the teacher's."""
    theirs = attentions(teacher)
    for name, attention in attentions(student).items():
        source = theirs.get(taken.get(f"{name}.query", "").removesuffix(".query"))
        if source is None:
            continue
        factor = math.sqrt(attention.head_size / source.head_size)
        with torch.no_grad():
            for parameter in attention.query.parameters():
                parameter.mul_(factor)
