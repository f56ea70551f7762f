"""Facts of trial pods for tests."""

from __future__ import annotations

from typing import Any

from winnow_operator.domain.pods import PodFact, Termination

DONE = Termination(exit_code=0, reason="Completed", message="{}")


def pod_fact(**changes: Any) -> PodFact:
    """A running pod of the SearchJob blue/digits, with some fields changed."""
    facts: dict[str, Any] = {
        "uid": "p1",
        "name": "digits-b0001-0-abcde",
        "namespace": "blue",
        "job": "digits",
        "job_uid": "u1",
        "batch": "digits-b0001",
        "batch_uid": "b1",
        "index": 0,
        "phase": "Running",
        "reason": "",
        "message": "",
        "attempt": 1,
        "termination": None,
        "deleting": False,
        "disrupted": False,
        "blockage": None,
        "image": "",
        "created": "2026-01-01T00:00:00Z",
    }
    return PodFact(**{**facts, **changes})


def pod_body(name: str, uid: str, phase: str = "Running") -> dict[str, Any]:
    """The same as the API server would show it."""
    return {
        "metadata": {
            "name": name,
            "namespace": "blue",
            "uid": uid,
            "labels": {"winnow.dev/searchjob": "digits", "winnow.dev/batch": "digits-b0001"},
            "annotations": {
                "batch.kubernetes.io/job-completion-index": "0",
                "winnow.dev/searchjob-uid": "u1",
            },
            "ownerReferences": [{"kind": "Job", "uid": "b1", "controller": True}],
        },
        "status": {"phase": phase},
    }
