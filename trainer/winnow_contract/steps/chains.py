"""A chain of compression steps: which can be run, in which order, on which family.

The operator refuses a chain with `check_chain` before any pod and records its resolved steps on a
Trial; the trainer, which knows the source's family, checks them once more. What a single step may
say stands in `options` and `resolved`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from winnow_contract.errors import StepError
from winnow_contract.models.settings import FAMILIES, check_settings
from winnow_contract.steps.options import (
    DISTILL,
    LAYERS,
    LINEAR,
    OPTIONS,
    PRUNE,
    QUANTIZE,
    Option,
    OptionKind,
)
from winnow_contract.steps.resolved import resolve_step, shown, step_kind, step_text

__all__ = [
    "BASELINE",
    "DISTILL",
    "LAYERS",
    "MAX_STEPS",
    "OPTIONS",
    "PRUNE",
    "QUANTIZE",
    "TRAINING_SETTINGS",
    "Option",
    "OptionKind",
    "StepError",
    "check_candidate_name",
    "check_chain",
    "layers_of",
    "resolve_chain",
    "resolve_step",
    "step_kind",
    "step_text",
]

MAX_STEPS = 8
"""Steps of a chain."""
BASELINE = "baseline"
"""Name of the candidate without steps: the source as it is."""

_WITHOUT_CONVOLUTIONS = frozenset({"MLP", "Transformer"})

TRAINING_SETTINGS = frozenset(
    {
        "optimizer",
        "learning_rate",
        "weight_decay",
        "momentum",
        "schedule",
        "warmup",
        "batch_size",
        "epochs",
        "label_smoothing",
        "gradient_clip",
        "keep",
        "shape",
    }
)
"""Settings that a student cannot choose: they shape its training, or say what the data is."""

_NAME = re.compile(r"^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$")


def layers_of(family: str) -> tuple[str, ...]:
    """Kinds of layers that a family has; of one that is not known, all."""
    return (LINEAR,) if family in _WITHOUT_CONVOLUTIONS else LAYERS


def resolve_chain(
    steps: Sequence[Mapping[str, Any]], *, max_drop: float | None = None
) -> tuple[dict[str, dict[str, Any]], ...]:
    """All steps of a chain, resolved.

    Args:
        steps: as a spec has them.
        max_drop: what the job's goals allow of the first quality metric to be lost; a quantize
            step that does not say it itself takes it over.

    Raises:
        StepError: naming the step.
    """
    resolved = tuple(_resolved_at(index, step) for index, step in enumerate(steps))
    for step in resolved:
        if QUANTIZE in step and step[QUANTIZE]["maxDrop"] is None and max_drop is not None:
            step[QUANTIZE]["maxDrop"] = float(max_drop)
    return resolved


def _resolved_at(index: int, step: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    try:
        return resolve_step(step)
    except StepError as error:
        raise StepError(f"steps[{index}]: {error}") from None


def check_candidate_name(name: str) -> list[str]:
    """What is wrong with a candidate's name, a sentence each."""
    if name == BASELINE:
        return [f"the name {BASELINE} is taken by the source as it is: choose another"]
    if not _NAME.fullmatch(name):
        allowed = "at most 40 lower-case letters, digits and '-', a letter or digit at both ends"
        return [f"the name {shown(name)!r} is not allowed: {allowed}"]
    return []


def check_chain(steps: Sequence[Mapping[str, Any]], family: str = "") -> list[str]:
    """Why a chain cannot be run, a sentence each; empty if it can.

    Args:
        steps: as a spec has them, or resolved.
        family: model family of the source; empty if it is not known yet.
    """
    if not 1 <= len(steps) <= MAX_STEPS:
        return [f"steps has {len(steps)} entries, allowed are 1 to {MAX_STEPS}"]
    if family and family not in FAMILIES:
        return [f"the source is of family {family}, steps know {', '.join(FAMILIES)}"]
    faults: list[str] = []
    resolved: list[dict[str, dict[str, Any]]] = []
    for index, step in enumerate(steps):
        try:
            resolved.append(_resolved_at(index, step))
        except StepError as error:
            faults.append(str(error))
    if faults:
        return faults
    chain = [(step_kind(step), step[step_kind(step)]) for step in resolved]
    return _order_faults(chain) + (_family_faults(chain, family) if family else [])


_Step = tuple[str, Mapping[str, Any]]


def _order_faults(steps: Sequence[_Step]) -> list[str]:
    return [
        f"steps[{index}]: {fault}"
        for index, step in enumerate(steps)
        for fault in _faults_after(step, steps[:index])
    ]


def _faults_after(step: _Step, before: Sequence[_Step]) -> Iterator[str]:
    """Why a step cannot follow those before it."""
    kind, options = step
    kinds = [name for name, _ in before]
    if QUANTIZE in kinds:
        at = kinds.index(QUANTIZE)
        if kind == QUANTIZE:
            yield f"the chain is quantized already by steps[{at}]: keep one of the two"
        else:
            yield (
                f"{kind} cannot follow quantize (steps[{at}]): integer weights can be neither cut "
                "nor trained; make quantize the last step"
            )
        return
    if kind == DISTILL and options["student"] is not None and before:
        yield (
            f"distill with a student must be the first step: the student is a new network, nothing "
            f"of {', '.join(kinds)} before it would survive"
        )
    if kind == PRUNE:
        masks = [done["amount"] for name, done in before if _is_mask(name, done)]
        yield from _faults_after_masks(options, masks)


def _is_mask(kind: str, options: Mapping[str, Any]) -> bool:
    return kind == PRUNE and options["unit"] == "Weight"


def _faults_after_masks(options: Mapping[str, Any], masks: Sequence[float]) -> Iterator[str]:
    if masks and options["unit"] == "Neuron":
        yield (
            "prune with unit Neuron cannot follow unit Weight: the mask would be lost with the "
            "shapes; cut neurons first"
        )
    elif masks and options["amount"] <= max(masks):
        yield (
            f"prune.amount is {options['amount']:g}, a step before has set {max(masks):g} of the "
            "weights to zero already: a larger amount is needed for a change"
        )


def _family_faults(steps: Sequence[_Step], family: str) -> list[str]:
    return [
        f"steps[{index}]: {fault}"
        for index, (kind, options) in enumerate(steps)
        for fault in _faults_for_family(kind, options, family)
    ]


def _faults_for_family(kind: str, options: Mapping[str, Any], family: str) -> Iterator[str]:
    if kind == QUANTIZE and not set(options["layers"]) & set(layers_of(family)):
        yield (
            f"quantize.layers is {shown(options['layers'])}, family {family} has no such layers, "
            f"only {', '.join(layers_of(family))}"
        )
    settings = (options.get("student") or {}).get("settings", ())
    given = {setting["name"]: setting["value"] for setting in settings}
    for name in sorted(TRAINING_SETTINGS & set(given)):
        yield (
            f"distill.student.settings names {name}, which does not shape the student: leave it "
            "out; its training has epochs and learningRate"
        )
    shaping = {name: value for name, value in given.items() if name not in TRAINING_SETTINGS}
    yield from (
        f"distill.student.settings: {fault}" for fault in check_settings(family, shaping, {})
    )
