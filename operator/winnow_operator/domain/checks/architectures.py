"""Whether the architectures of a search can be searched: their space, family and algorithm."""

from __future__ import annotations

from collections.abc import Iterator

from winnow_contract.errors import SettingError
from winnow_contract.models.nets import REPLACED, Net, read_net
from winnow_operator.api.algorithms import (
    ARCHITECTURES_ONLY,
    WITH_ARCHITECTURES,
    AlgorithmName,
    those_that_can,
)
from winnow_operator.api.architecture import FAMILY_OF_KIND, ArchitectureSpace
from winnow_operator.api.searchjob import SearchJobSpec
from winnow_operator.domain.architectures.dimension import ARCHITECTURE, nets_of
from winnow_operator.errors import InvalidSpecError

FIELD = "spec.space.architecture"
MAX_VALUES = 32
"""Parameters that a Trial records, the net among them."""
_FAMILIES = ", ".join(FAMILY_OF_KIND.values())


def check_architecture(spec: SearchJobSpec) -> Iterator[str]:
    """All about `spec.space.architecture`, and that the space is not empty."""
    space = spec.space.architecture
    yield from _check_algorithm(spec)
    if space is None:
        if not spec.space.parameters:
            yield "spec.space: the space is empty: give parameters, an architecture, or both"
        return
    if len(spec.space.parameters) >= MAX_VALUES:
        yield (
            f"spec.space.parameters are {len(spec.space.parameters)}, beside an architecture allowed are "
            f"at most {MAX_VALUES - 1}: a Trial records {MAX_VALUES} values"
        )
    yield from _check_space(space)
    yield from _check_family(spec, space)
    yield from _check_names(spec, space)


def _check_algorithm(spec: SearchJobSpec) -> Iterator[str]:
    """It searches what is given, and has the settings that are given."""
    algorithm, name = spec.algorithm, spec.algorithm.name
    if spec.space.architecture is not None and name not in WITH_ARCHITECTURES:
        yield (
            f"{FIELD} is given, which algorithm {name} cannot search: use "
            f"{those_that_can(WITH_ARCHITECTURES, architectures=True)}"
        )
    if spec.space.architecture is None and name in ARCHITECTURES_ONLY:
        yield (
            f"{FIELD} is missing, and algorithm {name} searches architectures: give one, or use "
            f"{those_that_can(AlgorithmName)}"
        )
    if algorithm.parameters_by is not None and name not in ARCHITECTURES_ONLY:
        yield (
            f"spec.algorithm.parametersBy is {algorithm.parameters_by}, and algorithm {name} suggests "
            f"all parameters itself: leave it out, or use {those_that_can(ARCHITECTURES_ONLY, architectures=True)}"
        )
    if algorithm.predictor is not None and name is not AlgorithmName.GENERATIVE:
        given = str(algorithm.predictor).lower()
        yield (
            f"spec.algorithm.predictor is {given}, and algorithm {name} has none: leave it out, or use "
            f"{AlgorithmName.GENERATIVE}"
        )


def _check_space(space: ArchitectureSpace) -> Iterator[str]:
    given = [kind for kind in (*FAMILY_OF_KIND, "nets") if getattr(space, kind) is not None]
    if len(given) != 1:
        yield f"{FIELD} has {len(given)} of mlp, cnn, transformer and nets: give exactly one"
        return
    faults = [*_check_counts(space), *_check_operations(space), *_check_heads(space)]
    yield from faults
    if not faults:
        try:
            nets_of(space)
        except InvalidSpecError as error:
            yield str(error)


def _check_counts(space: ArchitectureSpace) -> Iterator[str]:
    counts = {
        "mlp.depth": space.mlp.depth if space.mlp else None,
        "cnn.stages": space.cnn.stages if space.cnn else None,
        "transformer.depth": space.transformer.depth if space.transformer else None,
    }
    for name, count in counts.items():
        if count is not None and count.min > count.max:
            yield f"{FIELD}.{name}: min is {count.min}, it must be at most max, {count.max}"


def _check_operations(space: ArchitectureSpace) -> Iterator[str]:
    if space.cnn is None or any(o.startswith(("conv", "separable")) for o in space.cnn.operations):
        return
    yield (
        f"{FIELD}.cnn.operations are {', '.join(space.cnn.operations)}: at least one must be a "
        "convolution, as conv3 or separable3"
    )


def _check_heads(space: ArchitectureSpace) -> Iterator[str]:
    if space.transformer is None:
        return
    heads = space.transformer.heads
    for width in space.transformer.widths:
        if all(width % count for count in heads):
            yield (
                f"{FIELD}.transformer: none of heads {', '.join(map(str, heads))} divides the width "
                f"{width}: add one that does, or leave the width out"
            )


def _check_family(spec: SearchJobSpec, space: ArchitectureSpace) -> Iterator[str]:
    if spec.task is None:
        return
    family = str(spec.task.model.family)
    if family not in FAMILY_OF_KIND.values():
        yield f"spec.task.model.family is {family}, which has no {FIELD}, allowed: {_FAMILIES}"
        return
    for kind, other in FAMILY_OF_KIND.items():
        if getattr(space, kind) is not None and other != family:
            yield (
                f"{FIELD}.{kind} is for family {other}, spec.task.model.family is {family}: make them "
                "the same"
            )
    for net in _listed(space):
        if net.family != family:
            yield (
                f"{FIELD}.nets lists {net.text}, a net of family {net.family}, "
                f"spec.task.model.family is {family}: make them the same"
            )


def _check_names(spec: SearchJobSpec, space: ArchitectureSpace) -> Iterator[str]:
    """What a net says itself is neither a parameter nor a setting."""
    names = _replaced(space)
    for parameter in spec.space.parameters:
        if parameter.name == ARCHITECTURE:
            yield f"a parameter is named {ARCHITECTURE}, which is the name of the net: rename it"
        elif spec.task is not None and parameter.name in names:
            yield (
                f"parameter {parameter.name} is searched, and each net of {FIELD} has its own "
                f"{parameter.name}: keep one of the two"
            )
    for setting in spec.task.model.settings if spec.task is not None else ():
        if setting.name in names | {ARCHITECTURE}:
            yield (
                f"spec.task.model.settings sets {setting.name}, and each net of {FIELD} has its own: "
                "leave the setting out"
            )


def _replaced(space: ArchitectureSpace) -> frozenset[str]:
    """Settings that have no say in some net of the space."""
    names = frozenset[str]().union(*(net.replaces for net in _listed(space)))
    for kind, family in FAMILY_OF_KIND.items():
        names |= REPLACED[family] if getattr(space, kind) is not None else set()
    own = {
        "activation": space.mlp and space.mlp.activations,
        "norm": space.mlp and space.mlp.norms,
        "feedforward": space.transformer and space.transformer.hidden,
    }
    return names | {name for name, options in own.items() if options}


def _listed(space: ArchitectureSpace) -> Iterator[Net]:
    """The nets that are listed and can be read."""
    for text in space.nets or ():
        try:
            yield read_net(text)
        except SettingError:
            continue
