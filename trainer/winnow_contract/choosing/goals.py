"""Goals and preferences of a CompressionJob, parsed once.

The operator refuses here what is not measured or cannot be met; the measuring pod and the choice
read `Goal`. What can be measured stands in `measuring.metrics`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from winnow_contract.errors import GoalError
from winnow_contract.measuring.metrics import (
    CLASSIFICATION,
    METRICS,
    QUALITY_METRICS,
    REGRESSION,
    SEPARATOR,
    Bound,
    Metric,
    is_higher_better,
    measured_keys,
    metric_key,
    metric_of,
)

__all__ = [
    "CLASSIFICATION",
    "MAX_BATCH_SIZE",
    "MAX_GOALS",
    "METRICS",
    "QUALITY_METRICS",
    "REGRESSION",
    "Bound",
    "Goal",
    "GoalError",
    "Metric",
    "check_goals",
    "goal_document",
    "is_higher_better",
    "max_drop_of",
    "measured_keys",
    "metric_key",
    "metric_of",
    "parse_goal",
    "parse_goals",
    "parse_prefer",
]

MAX_GOALS = 8
"""Goals of a job, and as many preferred metrics."""
MAX_BATCH_SIZE = 256
MAX_BATCH_SIZES = 4


_PERCENTILES = ("latency_p50_seconds", "latency_p95_seconds", "latency_p99_seconds")
"""Each is at most the next, whatever is measured."""
_DECIMAL = re.compile(r"^-?[0-9]{1,18}(\.[0-9]{1,18})?([eE][-+]?[0-9]{1,2})?$")
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal, parsed: a bound on one key of a measurement."""

    metric: str
    bound: Bound
    limit: float
    batch_size: int | None = None
    """Of a metric that depends on it; else None."""

    @property
    def key(self) -> str:
        """Key of the measured value that it is about, such as `latency_p95_seconds@64`."""
        return metric_key(self.metric, self.batch_size)


def parse_goal(document: Mapping[str, Any], batch_sizes: Sequence[int]) -> Goal:
    """A goal as it stands in a spec: `{"metric", "batchSize", one of the bounds}`.

    Args:
        document: limits as decimal text or numbers; fields that are null count as left out.
        batch_sizes: those that are measured; the first is that of a goal without batchSize.

    Raises:
        GoalError: naming the field, its value and what is allowed.
    """
    given = {name: value for name, value in document.items() if value is not None}
    name = given.pop("metric", None)
    batch_size = given.pop("batchSize", None)
    metric = _metric(name)
    if len(given) != 1 or next(iter(given)) not in list(Bound):
        listed = ", ".join(map(str, given)) or "none"
        raise GoalError(
            f"the goal for {name} has {listed[:80]} as bounds: give exactly one of {', '.join(Bound)}"
        )
    ((bound_name, limit),) = given.items()
    bound = _bound(metric, Bound(bound_name))
    return Goal(
        metric=metric.name,
        bound=bound,
        limit=_limit(metric, bound, limit),
        batch_size=_batch_size(
            metric, batch_size, batch_sizes, f"batchSize of the goal for {metric.name} is"
        ),
    )


def _metric(name: object) -> Metric:
    metric = METRICS.get(name) if isinstance(name, str) else None
    if metric is None:
        raise GoalError(f"metric {_text(name)} is not measured, allowed: {', '.join(METRICS)}")
    return metric


def _bound(metric: Metric, bound: Bound) -> Bound:
    if bound in metric.bounds:
        return bound
    if bound is Bound.MIN_SPEEDUP:
        why = "minSpeedup is for times and throughput"
    else:
        why = f"more {metric.name} is better, a share of the baseline's would bound the wrong side"
    raise GoalError(
        f"{bound} has no meaning for {metric.name}: {why}; allowed: {', '.join(metric.bounds)}"
    )


def _limit(metric: Metric, bound: Bound, given: object) -> float:
    limit = _decimal(given)
    where = f"{bound} of the goal for {metric.name} is {_text(given)}"
    if limit is None:
        raise GoalError(f"{where}, allowed are decimal numbers such as 0.01")
    if bound is Bound.MAX_DROP and limit < 0:
        raise GoalError(f"{where}, allowed are numbers from 0: how much worse it may become")
    if bound in {Bound.MIN_SPEEDUP, Bound.MAX_RATIO} and limit <= 0:
        raise GoalError(f"{where}, allowed are numbers above 0")
    if bound is Bound.MIN and limit > metric.highest:
        raise GoalError(f"{where}, but {metric.name} is never above {metric.highest:g}")
    if bound is Bound.MAX and limit < metric.lowest:
        raise GoalError(f"{where}, but {metric.name} is never below {metric.lowest:g}")
    return limit


def _decimal(given: object) -> float | None:
    if isinstance(given, str):
        return float(given) if _DECIMAL.fullmatch(given) else None
    is_number = isinstance(given, int | float) and not isinstance(given, bool)
    if not is_number or not math.isfinite(given):  # type: ignore[arg-type]  # it is a number
        return None
    return float(given)  # type: ignore[arg-type]  # same


def _batch_size(metric: Metric, given: object, batch_sizes: Sequence[int], what: str) -> int | None:
    if not metric.is_per_batch_size:
        if given is not None:
            raise GoalError(
                f"{what} {_text(given)}, it must be left out: {metric.name} does not depend on it"
            )
        return None
    if given is None:
        return batch_sizes[0]
    if type(given) is not int or given not in batch_sizes:
        measured = ", ".join(map(str, batch_sizes))
        raise GoalError(f"{what} {_text(given)}, measured are {measured} (measurement.batchSizes)")
    return given


def _text(value: object) -> str:
    return str(value)[:_SHOWN] if value is not None else "missing"


def goal_document(goal: Goal) -> dict[str, Any]:
    """The goal as `parse_goal` reads it, its batch size written out."""
    size = {} if goal.batch_size is None else {"batchSize": goal.batch_size}
    return {"metric": goal.metric, **size, str(goal.bound): goal.limit}


def parse_goals(
    documents: Sequence[Mapping[str, Any]], batch_sizes: Sequence[int]
) -> tuple[Goal, ...]:
    """All goals of a job.

    Raises:
        GoalError: naming the first that cannot be used.
    """
    return tuple(parse_goal(document, batch_sizes) for document in documents)


def parse_prefer(names: Sequence[str], batch_sizes: Sequence[int]) -> tuple[str, ...]:
    """The keys that `prefer` names: a metric alone means the first batch size.

    Raises:
        GoalError: naming the entry and what is allowed.
    """
    keys = []
    for entry in names:
        name, separator, size = entry.partition(SEPARATOR)
        given = (int(size) if size.isascii() and size.isdigit() else size) if separator else None
        metric = METRICS.get(name)
        if metric is None:
            raise GoalError(
                f"prefer names {entry[:_SHOWN]}, which is not measured, allowed: {', '.join(METRICS)}"
            )
        what = f"prefer names {name} at batch size"
        keys.append(metric_key(name, _batch_size(metric, given, batch_sizes, what)))
    for key in keys:
        if keys.count(key) > 1:
            raise GoalError(f"prefer names {key} more than once: keep the first")
    return tuple(keys)


def check_goals(
    documents: Sequence[Mapping[str, Any]],
    prefer: Sequence[str],
    batch_sizes: Sequence[int],
    kind: str = "",
) -> list[str]:
    """What is wrong with goals and preferences, a sentence each; empty if nothing is.

    Args:
        documents: the goals as in a spec.
        prefer: as in a spec.
        batch_sizes: those that are measured.
        kind: Classification or Regression; empty if it is not known yet.
    """
    goals, faults = [], []
    for index, document in enumerate(documents):
        try:
            goals.append(parse_goal(document, batch_sizes))
        except GoalError as error:
            faults.append(f"goals[{index}]: {error}")
    keys: tuple[str, ...] = ()
    try:
        keys = parse_prefer(prefer, batch_sizes)
    except GoalError as error:
        faults.append(str(error))
    named = [("goals", goal.metric) for goal in goals] + [
        ("prefer", metric_of(key).name) for key in keys
    ]
    for field, name in dict.fromkeys(named):
        if kind and METRICS[name].kind not in {"", kind}:
            faults.append(
                f"{field} names {name}, which is not measured for {kind.lower()}, its quality "
                f"metrics are {', '.join(QUALITY_METRICS[kind])}"
            )
    return [*faults, *_contradictions(goals)]


def _contradictions(goals: Sequence[Goal]) -> Iterator[str]:
    """Goals that no model could meet together, and goals that are given twice."""
    for index, goal in enumerate(goals):
        for earlier in goals[:index]:
            if (goal.key, goal.bound) == (earlier.key, earlier.bound):
                yield f"goals give {goal.bound} for {goal.key} twice: keep one"
            elif fault := _clash(goal, earlier) or _clash(earlier, goal):
                yield fault


def _clash(floor: Goal, ceiling: Goal) -> str:
    """Why a lower bound and an upper bound cannot both hold; empty if they can."""
    if (floor.bound, ceiling.bound) != (Bound.MIN, Bound.MAX) or floor.limit <= ceiling.limit:
        return ""
    if floor.key == ceiling.key:
        return (
            f"goals contradict each other: {floor.key} must be at least {floor.limit:g} and at "
            f"most {ceiling.limit:g}, which no model can be"
        )
    names = (floor.metric, ceiling.metric)
    if not set(names) <= set(_PERCENTILES) or floor.batch_size != ceiling.batch_size:
        return ""
    if _PERCENTILES.index(names[0]) > _PERCENTILES.index(names[1]):
        return ""
    return (
        f"goals contradict each other: {floor.key} must be at least {floor.limit:g} and "
        f"{ceiling.key} at most {ceiling.limit:g}, but the first is never above the second"
    )


def max_drop_of(goals: Sequence[Goal], metric: str) -> float | None:
    """The drop of a quality metric that the goals allow; None if they do not speak of it."""
    drops = [goal.limit for goal in goals if (goal.metric, goal.bound) == (metric, Bound.MAX_DROP)]
    return min(drops, default=None)
