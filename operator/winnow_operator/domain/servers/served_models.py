"""The model that a ModelServer shall serve: the choice of a job, or as the spec names it.

no such job, or no choice yet        wait, and say so; what serves goes on
the job has failed, or its choice
  cannot be served                   same
goals are not met                    same, unless spec.acceptBaseline
else                                 what is chosen now
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from pydantic import ValidationError

from winnow_operator.api.compressionjob import CompressionJob
from winnow_operator.api.compressionjob_status import CompressionJobStatus
from winnow_operator.api.conditions import ConditionType, Reason
from winnow_operator.api.modelserver import ModelReference, ModelServerSpec
from winnow_operator.api.searchjob import SearchJob, SearchJobStatus
from winnow_operator.api.trial import Artifact
from winnow_operator.domain.job_conditions import condition_of, holds
from winnow_operator.domain.jobs import JobStatus
from winnow_operator.domain.kinds import Kind
from winnow_operator.domain.pods import Blockage
from winnow_operator.domain.settlements import ARTIFACT_FORMAT, COMPRESSED_FORMAT

MAX_NAME = 63
SERVED = (COMPRESSED_FORMAT, ARTIFACT_FORMAT)
"""Formats of artifacts that hold a model as it is served."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model that can be served."""

    name: str
    """For people: `JOB/CANDIDATE`, or the end of its URI."""
    uri: str
    digest: str
    why: str
    """Why it was chosen, in words."""


def source_of(reference: ModelReference) -> tuple[Kind, str] | None:
    """Kind and name of the job that is followed, if one is."""
    if reference.compression_job is not None:
        return Kind.COMPRESSION, reference.compression_job
    if reference.search_job is not None:
        return Kind.SEARCH, reference.search_job
    return None


def given_model(reference: ModelReference) -> Model:
    """The artifact that the spec names by URI and digest."""
    assert reference.uri is not None  # noqa: S101 -- the rules of the kind have seen to it
    assert reference.digest is not None  # noqa: S101 -- same
    path = reference.uri.removeprefix("pvc://").rstrip("/")
    name = path if len(path) <= MAX_NAME else f"...{path[3 - MAX_NAME :]}"
    return Model(name, reference.uri, reference.digest, "named by spec.model")


def chosen_model(
    spec: ModelServerSpec, kind: Kind, body: Mapping[str, Any] | None
) -> Model | Blockage:
    """What the job that the spec names has chosen, or why there is nothing to serve.

    Args:
        spec: of the server.
        kind: of the job.
        body: the job as the API server holds it; None if there is none.
    """
    source = source_of(spec.model)
    named = f"{kind} {source[1]}" if source else str(kind)
    if body is None or "deletionTimestamp" in body["metadata"]:
        words = f"spec.model names {named}, which there is not in this namespace: make it, or name another"
        return Blockage(Reason.WAITING_FOR_SOURCE, words)
    try:
        job = _MODELS[kind].model_validate(body)
    except ValidationError:
        words = f"{named} cannot be read: it is of another release"
        return Blockage(Reason.SOURCE_FAILED, words)
    if isinstance(job, SearchJob):
        return _ended(named, job.status) or _of_winner(named, job.status)
    unmet = None if spec.accept_baseline else _goals_unmet(named, job.status)
    return _ended(named, job.status) or unmet or _of_selection(named, job.status)


_MODELS: Mapping[Kind, type[SearchJob | CompressionJob]] = {
    Kind.SEARCH: SearchJob,
    Kind.COMPRESSION: CompressionJob,
}


def _ended(named: str, status: JobStatus) -> Blockage | None:
    """Why a job has chosen nothing, if it has not."""
    failure = condition_of(status, ConditionType.FAILED)
    if failure is not None and failure.status == "True":
        words = f"{named} has failed: {failure.message}"
        return Blockage(Reason.SOURCE_FAILED, words)
    if not holds(status, ConditionType.COMPLETE):
        return Blockage(Reason.WAITING_FOR_SOURCE, f"{named} has not chosen yet")
    return None


def _goals_unmet(named: str, status: CompressionJobStatus) -> Blockage | None:
    """Why the selection of a compression is no better than nothing, if it is not."""
    goals = condition_of(status, ConditionType.GOALS_MET)
    if goals is None or goals.status == "True":
        return None
    words = (
        f"what {named} has selected does not meet its goals ({goals.message}): edit its goals, or "
        "set spec.acceptBaseline to true"
    )
    return Blockage(Reason.GOALS_NOT_MET, words)


def _of_selection(named: str, status: CompressionJobStatus) -> Model | Blockage:
    selected = status.selected
    if selected is None or not _can_be_served(selected.artifact):
        return _unservable(named, selected.artifact if selected else None)
    return _model(named, selected.candidate, selected.artifact, selected.reason or "selected")


def _of_winner(named: str, status: SearchJobStatus) -> Model | Blockage:
    winner = status.winner
    if winner is None or not _can_be_served(winner.artifact):
        return _unservable(named, winner.artifact if winner else None)
    return _model(named, winner.trial, winner.artifact, f"the winner of {named}")


def _can_be_served(artifact: Artifact | None) -> TypeGuard[Artifact]:
    return artifact is not None and artifact.format in SERVED


def _unservable(named: str, artifact: Artifact | None) -> Blockage:
    what = "no artifact" if artifact is None else f"an artifact of format {artifact.format}"
    words = f"the choice of {named} has {what}, served are {', '.join(SERVED)}"
    return Blockage(Reason.SOURCE_FAILED, words)


def _model(named: str, choice: str, artifact: Artifact, why: str) -> Model:
    job = named.rpartition(" ")[2]
    # The name of a Trial has that of its job in it.
    name = choice if choice.startswith(f"{job}-t") else f"{job}/{choice}"
    return Model(name, artifact.uri, artifact.digest, why)
