"""Builders of what the operator knows: pods, batches, results, records and job contexts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from winnow_contract.results import PodResult, TrialResult, encode_result
from winnow_operator.api.searchjob import Goal, Objective, SearchJobSpec
from winnow_operator.api.trial import Outcome
from winnow_operator.domain.batches import BatchFact
from winnow_operator.domain.ledger import Ledger, TrialRecord
from winnow_operator.domain.pods import PodFact, Termination
from winnow_operator.domain.searches.outcomes import TrialContext

DIGEST = "ab" * 32
ACCURACY = Objective(metric="accuracy", goal=Goal.MAXIMIZE)
CONTEXT = TrialContext(
    "digits", ACCURACY, "pvc://models/team/searchjob/digits-1234", own_image=False
)


def batch_of(number: int, trials: Iterable[int], **changes: Any) -> BatchFact:
    """A batch that runs, one trial per pod, unless `changes` say otherwise."""
    fields: dict[str, Any] = {
        "name": f"digits-b{number:04d}",
        "uid": f"job-{number}",
        "trials": tuple(trials),
        "trials_per_pod": 1,
        "parallelism": 1,
        "suspended": False,
        "queued": False,
        "completed": frozenset(),
        "failed": frozenset(),
        "finished": False,
        "deleting": False,
        "active": 0,
        "ttl": None,
        "previous_attempts": {},
        "created": "2026-01-01T00:00:00Z",
    }
    return BatchFact(**{**fields, **changes})


def pod_of(batch: BatchFact, index: int = 0, **changes: Any) -> PodFact:
    """A running pod of a batch, unless `changes` say otherwise."""
    attempt = changes.get("attempt", 1)
    fields: dict[str, Any] = {
        "uid": f"{batch.uid}-{index}-{attempt}",
        "name": f"{batch.name}-{index}-x{attempt}",
        "namespace": "team",
        "job": "digits",
        "job_uid": "job-uid",
        "batch": batch.name,
        "batch_uid": batch.uid,
        "index": index,
        "phase": "Running",
        "reason": "",
        "message": "",
        "attempt": attempt,
        "termination": None,
        "deleting": False,
        "disrupted": False,
        "blockage": None,
        "image": "",
        "created": "2026-01-01T00:00:00Z",
    }
    return PodFact(**{**fields, **changes})


def ended_pod(
    batch: BatchFact,
    code: int,
    said: str = "",
    *,
    index: int = 0,
    container_reason: str = "",
    **changes: Any,
) -> PodFact:
    """A pod whose container ended with this code and termination message."""
    reason = container_reason or ("Completed" if code == 0 else "Error")
    fields = {
        "phase": "Succeeded" if code == 0 else "Failed",
        "termination": Termination(code, reason, said),
        **changes,
    }
    return pod_of(batch, index, **fields)


def succeeded(number: int, objective: float = 0.9, **fields: Any) -> TrialResult:
    """The result of a trial that went well."""
    return TrialResult(number, "Succeeded", objective=objective, digest=DIGEST, **fields)


def message_of(*trials: TrialResult, **fields: Any) -> str:
    """The termination message with these results."""
    return encode_result(PodResult(fields.pop("attempt", "0a1b2c3d"), trials, **fields))


def record_of(number: int, outcome: Outcome = Outcome.ACTIVE, **fields: Any) -> TrialRecord:
    """A trial as the ledger has it."""
    return TrialRecord(number, (("x", str(number)),), number, outcome=outcome, **fields)


def ledger_of(*records: TrialRecord) -> Ledger:
    """A ledger of these trials."""
    ledger = Ledger()
    for record in records:
        ledger.put(record)
    return ledger


def spec_of(changes: Mapping[str, Any] | None = None) -> SearchJobSpec:
    """A small valid spec, changed in its top-level fields."""
    fields: dict[str, Any] = {
        "task": {"model": {"family": "MLP"}, "data": {"uri": "builtin://digits"}},
        "objectives": [{"metric": "accuracy", "goal": "Maximize"}],
        "space": {"parameters": [{"name": "x", "int": {"min": 1, "max": 100}}]},
        "algorithm": {"name": "Random"},
        "budget": {"maxTrials": 10, "parallelism": 2},
    }
    return SearchJobSpec.model_validate({**fields, **(changes or {})})
