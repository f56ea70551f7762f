"""The space of chains that auto writes, and the recipes that it begins with.

A point has an option of each possible step; its chain is always in the one order that makes sense:

    distill with a student -> cut neurons -> distill -> quantize

Recipes are points too, those that were measured to be good for a family (docs/compression.md), so
that what is learned from them counts for the points around them. Several points may have the same
chain (an importance means nothing without a cut): the chain decides what is a duplicate.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from winnow_contract.steps.chains import BASELINE, DISTILL, PRUNE, QUANTIZE, check_chain, step_text
from winnow_operator.domain.spaces.dimensions import Listed
from winnow_operator.domain.spaces.space import Space, Value, value_text

NONE = "none"
MAX_NAME = 40

_STUDENT_WIDTHS: tuple[Value, ...] = ("1", "0.75", "0.5", "0.25")
_STUDENT_DEPTHS: tuple[Value, ...] = ("1", "0.5")
_CUTS: tuple[Value, ...] = ("0", "0.3", "0.5", "0.625", "0.75", "0.875")
_MODES: tuple[Value, ...] = (NONE, "PostTraining", "Aware", "Dynamic")
_SHORT = {"PostTraining": "int8", "Aware": "qat", "Dynamic": "dyn8"}

_OFF: Mapping[str, Value] = {
    "student_width": "1",
    "student_depth": "1",
    "cut": "0",
    "importance": "Magnitude",
    "schedule": "OneShot",
    "distill": "off",
    "quantize": NONE,
}

_CUTTING: tuple[Mapping[str, Value], ...] = (
    {"quantize": "PostTraining"},
    {"cut": "0.5", "quantize": "Aware"},
    {"cut": "0.75", "distill": "on", "quantize": "PostTraining"},
    {"cut": "0.5", "quantize": "PostTraining"},
    {"cut": "0.75", "schedule": "Iterative", "importance": "Taylor", "quantize": "PostTraining"},
    {"student_width": "0.5", "quantize": "PostTraining"},
    {"cut": "0.5"},
    {"student_width": "0.5"},
)
_SHORTER: tuple[Mapping[str, Value], ...] = (
    {"quantize": "Dynamic"},
    {"student_depth": "0.5", "quantize": "Dynamic"},
    {"quantize": "PostTraining"},
    {"student_depth": "0.5", "student_width": "0.5", "quantize": "Dynamic"},
    {"cut": "0.5", "distill": "on", "quantize": "Dynamic"},
    {"student_depth": "0.5"},
    {"cut": "0.5"},
)
_RECIPES = {"Transformer": _SHORTER}


def chain_space(kinds: Collection[str]) -> Space:
    """All points whose steps are of these kinds: quantize, prune, distill."""
    values: dict[str, tuple[Value, ...]] = {}
    if DISTILL in kinds:
        values |= {"student_width": _STUDENT_WIDTHS, "student_depth": _STUDENT_DEPTHS}
    if PRUNE in kinds:
        values |= {
            "cut": _CUTS,
            "importance": ("Magnitude", "Taylor"),
            "schedule": ("OneShot", "Iterative"),
        }
    if DISTILL in kinds:
        values |= {"distill": ("off", "on")}
    if QUANTIZE in kinds:
        values |= {"quantize": _MODES}
    return Space(tuple(Listed(name, listed) for name, listed in values.items()))


def recipes(family: str, space: Space) -> list[dict[str, Value]]:
    """Points that are known to be good for a family, the best first, as far as the space has them."""
    names = {dimension.name for dimension in space.dimensions}
    listed = _RECIPES.get(family, _CUTTING)
    return [
        {name: {**_OFF, **recipe}[name] for name in (d.name for d in space.dimensions)}
        for recipe in listed
        if recipe.keys() <= names
    ]


def chain_of(point: Mapping[str, Value]) -> tuple[dict[str, Any], ...]:
    """The steps of a point; none where all is off."""
    at = {**_OFF, **point}
    steps: list[dict[str, Any]] = []
    if (at["student_width"], at["student_depth"]) != ("1", "1"):
        student = {"width": at["student_width"], "depth": at["student_depth"]}
        steps.append({DISTILL: {"student": student}})
    if at["cut"] != "0":
        cut = {"amount": at["cut"], "importance": at["importance"], "schedule": at["schedule"]}
        steps.append({PRUNE: {"unit": "Neuron", **cut}})
    if at["distill"] == "on":
        steps.append({DISTILL: {}})
    if at["quantize"] != NONE:
        steps.append({QUANTIZE: {"mode": at["quantize"]}})
    return tuple(steps)


def canonical(point: Mapping[str, Value]) -> dict[str, Value]:
    """The one point of all that have the same chain: what has no effect is as it is by default."""
    if point.get("cut", "0") != "0":
        return dict(point)
    idle = {name: _OFF[name] for name in ("importance", "schedule") if name in point}
    return {**point, **idle}


def point_of(steps: Sequence[Mapping[str, Any]], space: Space) -> dict[str, Value] | None:
    """The canonical point whose chain this is; None if the space has none."""
    at = dict(_OFF)
    for step in steps:
        at |= _options_of(step)
    point = {d.name: at[d.name] for d in space.dimensions}
    values = {d.name: {d.at(i) for i in range(d.size or 0)} for d in space.dimensions}
    if any(point[name] not in listed for name, listed in values.items()):
        return None
    return point if chain_key(chain_of(point)) == chain_key(steps) else None


def _options_of(step: Mapping[str, Any]) -> dict[str, Value]:
    if PRUNE in step:
        cut = step[PRUNE]
        given = {name: str(cut[name]) for name in ("importance", "schedule") if name in cut}
        return {"cut": _share_text(cut.get("amount", "0.5")), **given}
    if QUANTIZE in step:
        return {"quantize": str(step[QUANTIZE].get("mode", "PostTraining"))}
    student = step.get(DISTILL, {}).get("student")
    if student is None:
        return {"distill": "on"}
    return {f"student_{name}": _share_text(student.get(name, "1")) for name in ("width", "depth")}


def _share_text(share: object) -> str:
    """A share as the space writes it, whether it was given as text or as a number."""
    return value_text(float(str(share)))


def can_run(steps: Sequence[Mapping[str, Any]], family: str) -> bool:
    """Whether a chain has steps, and makes sense for the family.

    To learn from the teacher what was not changed, or only to be quantized, makes none either.
    """
    alone = bool(steps) and steps[0] == {DISTILL: {}}
    return bool(steps) and not alone and not check_chain(steps, family)


def chain_key(steps: Sequence[Mapping[str, Any]]) -> str:
    """The one text that decides whether two chains are the same.

    What a quantize step may lose follows from the goals and not from the chain.
    """
    return "\n".join(step_text(_without_limit(step)) for step in steps)


def _without_limit(step: Mapping[str, Any]) -> Mapping[str, Any]:
    if QUANTIZE not in step:
        return step
    return {QUANTIZE: {k: v for k, v in step[QUANTIZE].items() if k != "maxDrop"}}


def chain_name(point: Mapping[str, Value], number: int, taken: Collection[str]) -> str:
    """A name that says what a chain does, such as `cut50-distill-int8`.

    Args:
        point: in the space.
        number: of the candidate, which makes its name one of its own.
        taken: names of other candidates.
    """
    at = {**_OFF, **point}
    parts = [
        f"{mark}{_percent(at[name])}"
        for mark, name, off in (
            ("w", "student_width", "1"),
            ("d", "student_depth", "1"),
            ("cut", "cut", "0"),
        )
        if at[name] != off
    ]
    if at["cut"] != "0":
        marks = ("t" if at["importance"] == "Taylor" else "") + (
            "i" if at["schedule"] == "Iterative" else ""
        )
        parts[-1] += marks
    parts += ["distill"] if at["distill"] == "on" else []
    parts += [_SHORT[str(at["quantize"])]] if at["quantize"] != NONE else []
    name = "-".join(parts)[:MAX_NAME]
    suffix = f"-{number}"
    is_taken = name in taken or name == BASELINE
    return f"{name[: MAX_NAME - len(suffix)]}{suffix}" if is_taken else name


def _percent(share: Value) -> int:
    return int(float(share) * 100)
