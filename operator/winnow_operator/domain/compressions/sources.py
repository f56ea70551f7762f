"""The artifact that a compression starts from: of a search's winner, or as the spec names it.

no such SearchJob, or no winner yet   wait, and say so
the search has failed                 the compression fails
its winner cannot be compressed       same
else                                  the winner, for good
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from winnow_contract.choosing.goals import QUALITY_METRICS
from winnow_contract.measuring.metrics import METRICS, is_higher_better, metric_of
from winnow_operator.api.compressionjob import CompressionJobSpec
from winnow_operator.api.compressionjob_status import SourceStatus
from winnow_operator.api.conditions import ConditionType, Reason
from winnow_operator.api.searchjob import Goal, Objective, SearchJob
from winnow_operator.domain.checks.compressions import kind_of_task
from winnow_operator.domain.compressions.chains import goal_documents
from winnow_operator.domain.job_conditions import condition_of, holds
from winnow_operator.domain.pods import Blockage
from winnow_operator.domain.searches.endings import Ending
from winnow_operator.domain.settlements import OWN_FORMAT


@dataclass(frozen=True, slots=True)
class Origin:
    """A source that is known, and the quality metric by which its candidates are judged."""

    source: SourceStatus
    metric: str

    @property
    def kind(self) -> str:
        """Classification or Regression."""
        return METRICS[self.metric].kind

    @property
    def objective(self) -> Objective:
        """The metric with its direction."""
        goal = Goal.MAXIMIZE if is_higher_better(self.metric) else Goal.MINIMIZE
        return Objective(metric=self.metric, goal=goal)


def given_origin(spec: CompressionJobSpec) -> Origin:
    """The artifact that the spec names by URI and digest, as it is given."""
    model, task = spec.model, spec.task
    assert model.uri is not None  # noqa: S101 -- the checks of the spec have seen to it
    assert model.digest is not None  # noqa: S101 -- same
    family = None if task is None else str(task.model.family)
    source = SourceStatus(uri=model.uri, digest=model.digest, family=family)
    return Origin(source, first_quality(spec, "" if task is None else kind_of_task(task), ""))


def searched_origin(
    spec: CompressionJobSpec, body: Mapping[str, Any] | None
) -> Origin | Blockage | Ending:
    """The winner of the SearchJob that the spec names, or why there is none.

    Args:
        spec: of the compression.
        body: the SearchJob as the API server holds it; None if there is none.
    """
    name = spec.model.search_job
    if body is None or "deletionTimestamp" in body["metadata"]:
        words = (
            f"spec.model.searchJob is {name}, there is no SearchJob of that name in this "
            "namespace: make it, or make a new CompressionJob that names another"
        )
        return Blockage(Reason.WAITING_FOR_SOURCE, words)
    try:
        search = SearchJob.model_validate(body)
    except ValidationError:
        return _failed(f"SearchJob {name} cannot be read: it is of another release")
    failure = condition_of(search.status, ConditionType.FAILED)
    if failure is not None and failure.status == "True":
        return _failed(f"SearchJob {name} has failed: {failure.message}")
    if not holds(search.status, ConditionType.COMPLETE):
        return Blockage(Reason.WAITING_FOR_SOURCE, f"SearchJob {name} has no winner yet")
    return _of_winner(spec, search)


def _of_winner(spec: CompressionJobSpec, search: SearchJob) -> Origin | Ending:
    name, winner, task = spec.model.search_job, search.status.winner, search.spec.task
    if winner is None or winner.artifact is None:
        return _failed(f"the winner of SearchJob {name} has no artifact")
    if task is None or winner.artifact.format == OWN_FORMAT:
        return _failed(
            f"the winner of SearchJob {name} comes from an image of your own "
            f"({winner.artifact.format}): only models of the shared trainer can be compressed"
        )
    source = SourceStatus(
        uri=winner.artifact.uri,
        digest=winner.artifact.digest,
        trial=winner.trial,
        family=str(task.model.family),
        data=task.data.uri,
    )
    objective = search.spec.objectives[0].metric
    return Origin(source, first_quality(spec, kind_of_task(task), objective))


def _failed(words: str) -> Ending:
    return Ending(Reason.SOURCE_FAILED, words, failed=True)


def first_quality(spec: CompressionJobSpec, kind: str, objective: str) -> str:
    """The quality metric that counts first.

    The first that goals or prefer name; else what the search made better, if it is one that is
    measured; else the most usual one of the kind of task.
    """
    named = (*(str(goal["metric"]) for goal in goal_documents(spec)), *spec.prefer, objective)
    quality = (name for name in named if name in METRICS and METRICS[name].kind)
    default = QUALITY_METRICS[kind or next(iter(QUALITY_METRICS))][0]
    return next(quality, default)


def pinned_origin(source: SourceStatus, metric: str) -> Origin:
    """The origin that the status of a job names.

    Raises:
        GoalError: if somebody has edited the metric away.
    """
    return Origin(source, metric_of(metric).name)
