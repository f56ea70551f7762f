"""What Prometheus says of the trials of a job that run: what it is asked, and what it answers.

Series are found by the namespace and the uid of their job: a job of the same name before it had another
uid, and a pod of another namespace, whatever it says of itself, is none of the job's. They carry the
attempt that they are of: the first characters of the uid of its pod.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from winnow_operator.domain.servers.loads import Vector

INFO, METRIC, STEP, RUNG = (
    "winnow_trial_info",
    "winnow_trial_metric",
    "winnow_trial_step",
    "winnow_trial_rung_value",
)
ATTEMPT_LENGTH = 8
"""Characters of a pod's uid that name an attempt."""
MAX_NAME = 63
"""Characters of a label that names a trial; a longer one is none of ours."""
MAX_DIGITS = 15
"""Of a rung or a step; a trainer of the user's own may serve any number."""


@dataclass(frozen=True, slots=True)
class TrialQuestion:
    """What is asked about a job."""

    namespace: str
    job_uid: str
    metric: str
    is_higher_better: bool
    wants_rungs: bool
    """Whether values at rungs are asked for."""


@dataclass(frozen=True, slots=True)
class Best:
    """The best value of a trial that runs, and how far it is."""

    trial: str
    value: float
    step: int | None


@dataclass(frozen=True, slots=True)
class Heard:
    """What Prometheus says of a job, or why it says nothing."""

    is_scraped: bool = False
    """Whether it has any series of the job."""
    best: Best | None = None
    rungs: Mapping[tuple[str, str], Mapping[int, float]] = field(default_factory=dict)
    """Values at rungs by name of the trial and attempt; an infinite one is NaN, the worst whatever the goal."""
    problem: str = ""
    """Why nothing is known; empty if it has answered."""


def queries(question: TrialQuestion) -> dict[str, str]:
    """What is asked, by name."""
    own = f'namespace="{question.namespace}",job_uid="{question.job_uid}"'
    order = "topk" if question.is_higher_better else "bottomk"
    values = f'max by (trial) ({METRIC}{{{own},metric="{question.metric}"}})'
    asked = {
        "count": f"count({INFO}{{{own}}})",
        "best": f"{order}(1, {values})",
        "step": f"max by (trial) ({STEP}{{{own}}}) and on (trial) {order}(1, {values})",
    }
    if question.wants_rungs:
        asked["rungs"] = f"max by (trial, attempt, rung) ({RUNG}{{{own}}})"
    return asked


def heard_of(answers: Mapping[str, Vector]) -> Heard:
    """What the answers to `queries` say."""
    return Heard(
        is_scraped=any(count > 0 for _, count in answers["count"]),
        best=_best(answers["best"], answers["step"]),
        rungs=_rungs(answers.get("rungs", ())),
    )


def _best(values: Vector, steps: Vector) -> Best | None:
    for labels, value in values:
        trial = labels.get("trial", "")
        if not 0 < len(trial) <= MAX_NAME or not math.isfinite(value):
            continue
        found = (
            int(s) for other, s in steps if other.get("trial") == trial and 0 <= s < 10**MAX_DIGITS
        )
        return Best(trial, value, next(found, None))
    return None


def _rungs(vector: Vector) -> dict[tuple[str, str], dict[int, float]]:
    found: dict[tuple[str, str], dict[int, float]] = {}
    for labels, value in vector:
        trial, attempt, rung = (labels.get(name, "") for name in ("trial", "attempt", "rung"))
        if trial and rung.isascii() and rung.isdigit() and len(rung) <= MAX_DIGITS:
            at_rungs = found.setdefault((trial, attempt), {})
            at_rungs[int(rung)] = value if math.isfinite(value) else math.nan
    return found
