"""From a CompressionJob's spec to what the contract speaks of: resolved steps, goals, keys.

Everything here assumes a spec that `domain.checks.compressions` has nothing against.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from winnow_contract.choosing.goals import Goal, max_drop_of, parse_goals, parse_prefer
from winnow_contract.steps.chains import resolve_chain, step_text
from winnow_operator.api.compressionjob import Candidate, CompressionJobSpec

__all__ = ["goal_documents", "goals_of", "prefer_of", "read_steps", "step_documents", "step_texts"]


def step_documents(candidate: Candidate) -> tuple[dict[str, Any], ...]:
    """The steps of a candidate as the contract reads them, without what is left out."""
    return tuple(
        step.model_dump(by_alias=True, exclude_none=True, mode="json") for step in candidate.steps
    )


def goal_documents(spec: CompressionJobSpec) -> tuple[dict[str, Any], ...]:
    """The goals as the contract reads them, without what is left out."""
    return tuple(
        goal.model_dump(by_alias=True, exclude_none=True, mode="json") for goal in spec.goals
    )


def goals_of(spec: CompressionJobSpec) -> tuple[Goal, ...]:
    """The goals, parsed.

    Raises:
        GoalError: if one cannot be used.
    """
    return parse_goals(goal_documents(spec), spec.measurement.batch_sizes)


def prefer_of(spec: CompressionJobSpec) -> tuple[str, ...]:
    """The preferred keys.

    Raises:
        GoalError: if one is not measured.
    """
    return parse_prefer(spec.prefer, spec.measurement.batch_sizes)


def step_texts(
    steps: Sequence[Mapping[str, Any]], goals: Sequence[Goal], metric: str
) -> tuple[str, ...]:
    """The steps of a chain as they are recorded on a Trial: resolved, each as canonical JSON.

    Args:
        steps: as in a spec, or as an engine wrote them.
        goals: how much of the quality a quantize step may lose is taken from these.
        metric: the first quality metric.

    Raises:
        StepError: naming the step that cannot be run.
    """
    resolved = resolve_chain(steps, max_drop=max_drop_of(goals, metric))
    return tuple(step_text(step) for step in resolved)


def read_steps(texts: Sequence[str]) -> tuple[dict[str, Any], ...]:
    """The steps that a Trial records, as they stand in an assignment."""
    return tuple(json.loads(text) for text in texts)
