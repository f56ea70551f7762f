"""What a search takes from other searches before its first trial.

    no such SearchJob, or it runs        wait, and say so
    other parameters or objectives       the job is InvalidSpec
    else                                 its trials that are points of this space, up to a number

A trial counts with what this search would have recorded of it: the same objectives, and how far it is
from this search's constraints. What is taken is a function of the specs and of Trials that never
change any more, so it is not kept: only its digest is, in the status, by which a restart knows
whether it has found the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from winnow_operator.api.conditions import Reason
from winnow_operator.api.searchjob import (
    Parameter,
    SearchJob,
    SearchJobSpec,
    WarmSource,
    WarmStart,
)
from winnow_operator.api.trial import Outcome, TrialStatus
from winnow_operator.domain.job_conditions import is_finished
from winnow_operator.domain.pods import Blockage
from winnow_operator.domain.searches.outcome_constraints import violation
from winnow_operator.domain.settlements import score_text
from winnow_operator.domain.spaces.space import Space, Value
from winnow_operator.errors import InvalidSpecError

MAX_READ = 2000
"""Trials of another search that are looked at."""


@dataclass(frozen=True, slots=True)
class KnownTrial:
    """A trial of another search as a point of this one."""

    assignment: Mapping[str, Value]
    scores: tuple[float, ...]
    """For each objective; lower is better."""
    violation: float


@dataclass(frozen=True, slots=True)
class Taken:
    """What is taken from one search."""

    source: WarmSource
    trials: tuple[KnownTrial, ...]


def ended_source(name: str, body: Mapping[str, Any] | None) -> SearchJob | Blockage:
    """The search to learn from, or why it is not there yet.

    Raises:
        InvalidSpecError: if it cannot be read.
    """
    if body is None or "deletionTimestamp" in body["metadata"]:
        words = (
            f"spec.warmStart names {name}, there is no SearchJob of that name in this namespace: make "
            "it, or make a new SearchJob without it"
        )
        return Blockage(Reason.WAITING_FOR_SOURCE, words)
    try:
        source = SearchJob.model_validate(body)
    except ValidationError as error:
        words = f"spec.warmStart: SearchJob {name} cannot be read: it is of another release"
        raise InvalidSpecError(words) from error
    if not is_finished(source.status):
        words = f"spec.warmStart names {name}, which has not ended yet"
        return Blockage(Reason.WAITING_FOR_SOURCE, words)
    return source


def check_source(spec: SearchJobSpec, name: str, source: SearchJobSpec) -> None:
    """Whether trials of another search can be told to this one.

    Raises:
        InvalidSpecError: naming what differs.
    """
    goals = [(o.metric, str(o.goal)) for o in spec.objectives]
    theirs = [(o.metric, str(o.goal)) for o in source.objectives]
    if goals != theirs:
        raise InvalidSpecError(
            f"spec.warmStart: SearchJob {name} has the objectives {_listed(theirs)}, this search "
            f"{_listed(goals)}: only values of the same objectives can be learned from"
        )
    if spec.space.architecture != source.space.architecture:
        raise InvalidSpecError(
            f"spec.warmStart: SearchJob {name} has another space: its space.architecture is not that of "
            "this search"
        )
    ours, others = _kinds(spec.space.parameters), _kinds(source.space.parameters)
    for parameter, kind in ours.items():
        if others.get(parameter) != kind:
            found = f"is {others[parameter]} there" if parameter in others else "is missing there"
            raise InvalidSpecError(
                f"spec.warmStart: SearchJob {name} has another space: parameter {parameter} ({kind}) "
                f"{found}; it searches {', '.join(f'{n} ({k})' for n, k in others.items())}"
            )
    more = next((parameter for parameter in others if parameter not in ours), None)
    if more is not None:
        raise InvalidSpecError(
            f"spec.warmStart: SearchJob {name} has another space: it also searches {more}, which this "
            "search does not, and what its trials owe to it cannot be told"
        )


def _listed(goals: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{goal} {metric}" for metric, goal in goals)


def _kinds(parameters: Iterable[Parameter]) -> dict[str, str]:
    def kind(parameter: Parameter) -> str:
        if parameter.choice is not None:
            return "choice"
        return "double" if parameter.double is not None else "int"

    return {parameter.name: kind(parameter) for parameter in parameters}


def take(
    spec: SearchJobSpec,
    space: Space,
    source: tuple[WarmStart, str],
    bodies: Iterable[Mapping[str, Any]],
) -> Taken:
    """The trials of another search that this one learns from.

    Args:
        spec: of this search.
        space: the same, parsed.
        source: as the spec names it, and its uid.
        bodies: its Trials, the first `MAX_READ` that succeeded.
    """
    warm, uid = source
    read = [(int(b["spec"]["number"]), _known(spec, space, b)) for b in bodies]
    fitting = [(number, trial) for number, trial in read if trial is not None]
    ranked = sorted(fitting, key=lambda pair: (pair[1].violation, pair[1].scores[0], pair[0]))
    kept = sorted(_spread(ranked, warm.max_trials), key=lambda pair: pair[0])
    trials = tuple(trial for _, trial in kept)
    described = WarmSource(
        search_job=warm.search_job,
        uid=uid,
        trials=len(trials),
        left_out=len(read) - len(fitting),
        digest=_digest(space, trials),
    )
    return Taken(described, trials)


def _spread(ranked: list[tuple[int, KnownTrial]], most: int) -> list[tuple[int, KnownTrial]]:
    """At most so many of a ranking, the best among them, the others evenly over all ranks."""
    if len(ranked) <= most:
        return ranked
    return [ranked[place * (len(ranked) - 1) // max(1, most - 1)] for place in range(most)]


def _known(spec: SearchJobSpec, space: Space, body: Mapping[str, Any]) -> KnownTrial | None:
    """A Trial as a point of this search; None if it is none, or lacks a value that counts here."""
    texts = tuple((p["name"], p["value"]) for p in body["spec"].get("parameters") or ())
    try:
        status = TrialStatus.model_validate(body.get("status") or {})
        assignment = space.from_texts(texts)
        values = {v.metric: float(v.value) for v in status.values}
        scores = tuple(float(score_text(values[o.metric], o) or 0) for o in spec.objectives)
        missed = violation(values, spec.constraints)
    except (ValidationError, InvalidSpecError, KeyError):
        return None
    is_point = all(d.has(assignment[d.name]) for d in space.dimensions if d.name in assignment)
    if body["spec"].get("finalOf") or status.outcome is not Outcome.SUCCEEDED:
        return None
    if len(assignment) != len(texts) or not is_point or not space.allows(assignment):
        return None
    return KnownTrial(assignment, scores, missed)


def _digest(space: Space, trials: Iterable[KnownTrial]) -> str:
    listed = [[space.canonical(t.assignment), *t.scores, t.violation] for t in trials]
    return hashlib.sha256(json.dumps(listed).encode()).hexdigest()[:16]


def _is_same(recorded: WarmSource, found: WarmSource | None) -> bool:
    """Whether the same trials were taken; how many were left out changes nothing."""
    return found is not None and (found.uid, found.digest) == (recorded.uid, recorded.digest)


def lost_sources(recorded: Sequence[WarmSource], found: Sequence[WarmSource]) -> Blockage | None:
    """What is said where a restart finds something else than was taken at first."""
    known = {source.search_job: source for source in found}
    lost = [s.search_job for s in recorded if not _is_same(s, known.get(s.search_job))]
    if not lost:
        return None
    words = (
        f"what was learned from SearchJob {', '.join(lost)} is not all there any more, because it or "
        "Trials of it were deleted: the search goes on with what is left"
    )
    return Blockage(Reason.WARM_START_LOST, words)
