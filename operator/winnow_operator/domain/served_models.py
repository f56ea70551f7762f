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
from typing import Any

from pydantic import ValidationError

from winnow_operator.api.compressionjob import CompressionJob
from winnow_operator.api.compressionjob_status import CompressionJobStatus
from winnow_operator.api.conditions import ConditionType, Reason
from winnow_operator.api.modelserver import ModelReference, ModelServerSpec
from winnow_operator.domain.job_conditions import condition_of, holds
from winnow_operator.domain.kinds import Kind
from winnow_operator.domain.pods import Blockage
from winnow_operator.domain.settlements import COMPRESSED_FORMAT

MAX_NAME = 63


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
    return None


def given_model(reference: ModelReference) -> Model:
    """The artifact that the spec names by URI and digest."""
    assert reference.uri is not None  # noqa: S101 -- the rules of the kind have seen to it
    assert reference.digest is not None  # noqa: S101 -- same
    path = reference.uri.removeprefix("pvc://").rstrip("/")
    name = path if len(path) <= MAX_NAME else f"...{path[3 - MAX_NAME :]}"
    return Model(name, reference.uri, reference.digest, "named by spec.model")


def selected_model(spec: ModelServerSpec, body: Mapping[str, Any] | None) -> Model | Blockage:
    """What the CompressionJob that the spec names has selected, or why there is nothing to serve.

    Args:
        spec: of the server.
        body: the CompressionJob as the API server holds it; None if there is none.
    """
    name = str(spec.model.compression_job)
    if body is None or "deletionTimestamp" in body["metadata"]:
        words = (
            f"spec.model.compressionJob is {name}, there is no CompressionJob of that name in this "
            "namespace: make it, or name another"
        )
        return Blockage(Reason.WAITING_FOR_SOURCE, words)
    try:
        status = CompressionJob.model_validate(body).status
    except ValidationError:
        words = f"CompressionJob {name} cannot be read: it is of another release"
        return Blockage(Reason.SOURCE_FAILED, words)
    unmet = None if spec.accept_baseline else _goals_unmet(name, status)
    return _not_chosen(name, status) or unmet or _of_selection(name, status)


def _not_chosen(name: str, status: CompressionJobStatus) -> Blockage | None:
    """Why a compression has chosen nothing."""
    failure = condition_of(status, ConditionType.FAILED)
    if failure is not None and failure.status == "True":
        words = f"CompressionJob {name} has failed: {failure.message}"
        return Blockage(Reason.SOURCE_FAILED, words)
    if status.selected is None or not holds(status, ConditionType.COMPLETE):
        return Blockage(Reason.WAITING_FOR_SOURCE, f"CompressionJob {name} has no selection yet")
    return None


def _goals_unmet(name: str, status: CompressionJobStatus) -> Blockage | None:
    """Why the selection of a compression is no better than nothing, if it is not."""
    goals = condition_of(status, ConditionType.GOALS_MET)
    if goals is None or goals.status == "True":
        return None
    words = (
        f"what CompressionJob {name} has selected does not meet its goals ({goals.message}): "
        "edit its goals, or set spec.acceptBaseline to true"
    )
    return Blockage(Reason.GOALS_NOT_MET, words)


def _of_selection(name: str, status: CompressionJobStatus) -> Model | Blockage:
    selected = status.selected
    artifact = selected.artifact if selected is not None else None
    if selected is None or artifact is None or artifact.format != COMPRESSED_FORMAT:
        words = f"what CompressionJob {name} has selected has no artifact that can be served"
        return Blockage(Reason.SOURCE_FAILED, words)
    why = selected.reason or "selected"
    return Model(f"{name}/{selected.candidate}", artifact.uri, artifact.digest, why)
