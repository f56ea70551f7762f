"""One step of a chain as it is run: with every option that has a meaning for it, or refused.

A step is an object with one key, its kind: `{"prune": {"unit": "Neuron", "amount": "0.5"}}`. A
resolved step has numbers as JSON numbers, and stays the same when it is resolved again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from winnow_contract.errors import StepError
from winnow_contract.steps.options import (
    DISTILL,
    LINEAR,
    OPTIONS,
    PRUNE,
    QUANTIZE,
    Option,
    OptionKind,
)

__all__ = ["resolve_step", "shown", "step_kind", "step_text"]

_SHOWN = 40
"""Characters of a value that a sentence repeats."""
_MAX_SETTINGS = 32
_RATIO = Option("ratio", OptionKind.NUMBER, "1", "", 0, 1, excludes_minimum=True)
_STUDENT_FIELDS = ("width", "depth", "settings")


def step_kind(step: Mapping[str, Any]) -> str:
    """Which of quantize, prune and distill a step is.

    A manifest's step has a `report` beside it, which is no part of what was asked.

    Raises:
        StepError: if it is none or several.
    """
    kinds = [name for name in step if name != "report"] if isinstance(step, Mapping) else []
    if len(kinds) != 1 or kinds[0] not in OPTIONS:
        given = shown(kinds) if kinds else "none"
        raise StepError(f"a step is exactly one of {', '.join(OPTIONS)}, given: {given}")
    return str(kinds[0])


def resolve_step(step: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """A step with all its options: what is given, and the defaults of the rest.

    What is resolved stays the same when it is resolved again.

    Raises:
        StepError: naming an option, its value and what is allowed.
    """
    kind = step_kind(step)
    given = step[kind]
    if not isinstance(given, Mapping):
        raise StepError(f"{kind} is {str(given)[:_SHOWN]!r}, allowed is an object of its options")
    known = {option.name for option in OPTIONS[kind]}
    for name in given:
        if name not in known:
            listed = ", ".join(option.name for option in OPTIONS[kind])
            raise StepError(f"{kind} has no option {str(name)[:_SHOWN]!r}, allowed: {listed}")
    resolved: dict[str, Any] = {}
    for option in OPTIONS[kind]:
        if _has_meaning(option, resolved):
            resolved[option.name] = _value(kind, option, given.get(option.name), resolved)
        elif given.get(option.name) is not None:
            raise StepError(_meaningless(kind, option, resolved))
    for fault in _faults_of(kind, resolved):
        raise StepError(fault)
    return {kind: resolved}


def _has_meaning(option: Option, resolved: Mapping[str, Any]) -> bool:
    if option.only is None:
        return True
    name, words = option.only
    value = resolved[name]
    return any(word in words for word in (value if isinstance(value, list) else [value]))


def _meaningless(kind: str, option: Option, resolved: Mapping[str, Any]) -> str:
    name, words = option.only or ("", ())
    value = resolved[name]
    shown = ", ".join(value) if isinstance(value, list) else value
    return (
        f"{kind}.{option.name} has no meaning with {name} {shown}, only with {' or '.join(words)}: "
        "leave it out"
    )


def _value(kind: str, option: Option, given: object, resolved: Mapping[str, Any]) -> Any:
    if option.kind is OptionKind.STUDENT:
        return None if given is None else _student(given)
    if given is None:
        text = _default(option, resolved)
        given = text.split(",") if option.kind is OptionKind.WORDS else text
        if not text:
            return None
    try:
        return option.parse(given)
    except (ValueError, OverflowError, TypeError):
        raise StepError(
            f"{kind}.{option.name} is {shown(given)}, allowed: {option.allowed}"
        ) from None


def shown(value: object) -> str:
    """A value as a sentence repeats it, cut."""
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return text[:_SHOWN] or "empty"


def _default(option: Option, resolved: Mapping[str, Any]) -> str:
    if option.name == "layers" and resolved["mode"] == "Dynamic":
        return LINEAR
    if option.name == "transfer" and resolved["student"] is not None:
        return "Outputs,Parameters"
    return option.default


def _student(given: object) -> dict[str, Any]:
    """The student: `{"width": 0.5, "depth": 1.0}`, or `{"settings": [{"name", "value"}]}`."""
    fields = {k: v for k, v in given.items() if v is not None} if isinstance(given, Mapping) else {}
    unknown = [str(name)[:_SHOWN] for name in fields if name not in _STUDENT_FIELDS]
    if unknown or not fields:
        raise StepError(
            f"distill.student has {', '.join(unknown) or 'nothing'}, allowed: "
            f"{', '.join(_STUDENT_FIELDS)}"
        )
    if "settings" in fields:
        if len(fields) > 1:
            raise StepError(
                "distill.student has settings beside width or depth: give shares of the teacher, "
                "or settings of its own"
            )
        return {"settings": _settings(fields["settings"])}
    student = {name: _ratio(name, fields.get(name, "1")) for name in ("width", "depth")}
    if student == {"width": 1, "depth": 1}:
        raise StepError(
            "distill.student has width 1 and depth 1, which is as large as the teacher: make one "
            "of them less than 1"
        )
    return student


def _ratio(name: str, value: object) -> float:
    try:
        return float(_RATIO.parse(value))
    except (ValueError, OverflowError):
        raise StepError(
            f"distill.student.{name} is {shown(value)}, allowed: {_RATIO.allowed}"
        ) from None


def _settings(given: object) -> list[dict[str, str]]:
    items = given if isinstance(given, list | tuple) else []
    settings: dict[str, str] = {}
    for item in items:
        fields = item if isinstance(item, Mapping) else {}
        name, value = fields.get("name"), fields.get("value")
        if not isinstance(name, str) or not isinstance(value, str):
            raise StepError(
                "distill.student.settings must be a list of objects with name and value"
            )
        if name in settings:
            raise StepError(f"distill.student.settings names {name} more than once: keep one")
        settings[name] = value
    if not 0 < len(settings) <= _MAX_SETTINGS:
        raise StepError(
            f"distill.student.settings has {len(settings)} entries, allowed are 1 to {_MAX_SETTINGS}"
        )
    return [{"name": name, "value": value} for name, value in sorted(settings.items())]


def _faults_of(kind: str, options: Mapping[str, Any]) -> Iterator[str]:
    if kind == QUANTIZE and options["mode"] == "Dynamic" and options["layers"] != [LINEAR]:
        yield (
            f"quantize.layers is {shown(options['layers'])}, with mode Dynamic only {LINEAR} is "
            "allowed: convolutions would get slower; use PostTraining or Aware for them"
        )
    if kind == PRUNE and options.get("rounds", 1) > options["epochs"]:
        yield (
            f"prune.epochs is {options['epochs']}, rounds is {options['rounds']}: each round needs "
            "at least one epoch"
        )
    if kind == DISTILL and options["student"] is None and "Parameters" in options["transfer"]:
        yield (
            "distill.transfer is Parameters without a student: the model of the chain keeps its "
            "own parameters; give student, or leave Parameters out"
        )


def step_text(step: Mapping[str, Any]) -> str:
    """The one canonical text of a step: compact JSON of the resolved step, keys sorted.

    Raises:
        StepError: if it cannot be resolved.
    """
    return json.dumps(
        resolve_step(step),
        separators=(",", ":"),
        sort_keys=True,
        ensure_ascii=False,
        allow_nan=False,
    )
