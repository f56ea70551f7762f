"""A candidate's chain of steps, one after the other, each with its report and its claims."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from winnow_contract.steps.chains import check_chain, step_kind
from winnow_trainer.compress.changes import check_change, check_integers
from winnow_trainer.compress.delivery import Delivery, Quantized
from winnow_trainer.compress.distilling.distil import distil
from winnow_trainer.compress.pruning.prune import prune
from winnow_trainer.compress.workshop import Made, Work, Workshop
from winnow_trainer.errors import TrialError
from winnow_trainer.progress import TrialWatch

REPORT = "report"
"""Key beside a step's kind in a manifest."""
SEED_BYTES = 8


@dataclass(frozen=True, slots=True)
class Chained:
    """What a chain has made."""

    work: Work
    """The model with weights of 32 bits; what was quantized at last was made from it."""
    steps: tuple[Mapping[str, Any], ...] = ()
    """Each resolved step with its report beside it, as the manifest has them."""
    claims: Mapping[str, Any] = field(default_factory=lambda: merged_claims(()))
    """What must be true of the result."""
    integers: Delivery | None = None
    """The graph with integer weights, if the last step has quantized the model."""


def check_steps(steps: Sequence[Mapping[str, Any]], family: str) -> None:
    """Refuse a chain that makes no sense for a model.

    Raises:
        TrialError: with cause NotSupported, a sentence for each fault.
    """
    if steps and (faults := check_chain(steps, family)):
        raise TrialError("NotSupported", "; ".join(faults))


def seed_of_step(seed: int, index: int) -> int:
    """A seed for each step of a chain, unlike those of the other steps and candidates."""
    digest = hashlib.sha256(f"{seed}/{index}".encode()).digest()
    return int.from_bytes(digest[:SEED_BYTES], "big") >> 1


def merged_claims(claims: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What must be true after all steps: a cut stays a cut, a mask a mask, integers come last."""
    merged: dict[str, Any] = {"smallerThanParent": False, "masked": False}
    for of_step in claims:
        for name, value in of_step.items():
            merged[name] = merged[name] or value if name in merged else value
    return merged


def plain(value: Any) -> Any:
    """A report as JSON has it: what is not finite is null, whatever a step has measured."""
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def run_chain(
    start: Work, steps: Sequence[Mapping[str, Any]], workshop: Workshop, watch: TrialWatch
) -> Chained:
    """Run the steps of a candidate.

    Args:
        start: the source, which also teaches; it stays as it is.
        steps: resolved.
        workshop: data, settings and seed of the candidate.
        watch: follows it.

    Raises:
        TrialError: if a step fails, or changes nothing.
        Stopping: when SIGTERM has come.
    """
    work, integers = start, None
    done: list[dict[str, Any]] = []
    claims: list[Mapping[str, Any]] = []
    for index, step in enumerate(steps):
        watch.before_batch()
        kind = step_kind(step)
        watch.enter(f"step {index + 1}/{len(steps)} {kind}")
        own = replace(workshop, seed=seed_of_step(workshop.seed, index))
        made = _run_step(kind, work, start, step[kind], own)
        if isinstance(made, Quantized):
            check_integers(made.delivery.content)
            integers = made.delivery
        else:
            check_change(work.model, made.model, kind, step[kind])
            work = Work(made.model, made.architecture)
        done.append({**step, REPORT: plain(made.report)})
        claims.append(made.claims)
    return Chained(work, tuple(done), merged_claims(claims), integers)


def _run_step(
    kind: str, work: Work, teacher: Work, options: Mapping[str, Any], workshop: Workshop
) -> Made | Quantized:
    match kind:
        case "prune":
            return prune(work, options, workshop)
        case "distill":
            return distil(work, teacher, options, workshop)
        case _:
            # Imported here, because torchao takes seconds and only this step needs it.
            from winnow_trainer.compress.quantizing.quantize import quantize

            return quantize(work, options, workshop, workshop.quality(teacher.model)[0])
