"""The Trial object: what was suggested, and the status that records an outcome."""

from __future__ import annotations

from typing import Any

from winnow_operator.api.names import API_VERSION
from winnow_operator.api.trial import TrialStatus
from winnow_operator.domain.ledger import Candidate, TrialRecord
from winnow_operator.manifests.objects import Owner, child_labels, child_metadata


def trial_object(owner: Owner, record: TrialRecord) -> dict[str, Any]:
    """A Trial that is about to run."""
    spec: dict[str, Any] = {
        "number": record.number,
        "seed": record.seed,
        "parameters": [{"name": name, "value": value} for name, value in record.texts],
    }
    if record.history:
        spec["history"] = record.history
    if record.final_of:
        spec["finalOf"] = record.final_of
    if record.candidate is not None:
        spec |= _candidate(record.candidate)
    name = owner.trial_name(record.number)
    return {
        "apiVersion": API_VERSION,
        "kind": "Trial",
        "metadata": child_metadata(owner, name, child_labels(owner, "trial")),
        "spec": spec,
    }


def _candidate(candidate: Candidate) -> dict[str, Any]:
    given = {
        "candidate": candidate.name,
        "steps": list(candidate.steps),
        "parent": candidate.parent,
    }
    return {key: value for key, value in given.items() if value}


def trial_status(status: TrialStatus, *, completed: str | None = None) -> dict[str, Any]:
    """The status fields of a Trial; `completed` is the time of its outcome."""
    fields: dict[str, Any] = status.model_dump(by_alias=True, exclude_none=True, mode="json")
    fields = {key: value for key, value in fields.items() if value not in ([], ())}
    return {**fields, "completionTime": completed} if completed else fields
