"""Assignment documents of the shared trainer, and pods that live in a folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

JobDocument = dict[str, Any]

DIGITS = {"uri": "builtin://digits"}


def assignment_document(
    *trials: dict[str, Any],
    family: str = "MLP",
    settings: dict[str, str] | None = None,
    data: dict[str, Any] | None = None,
    objective: str = "accuracy",
    **changes: Any,
) -> JobDocument:
    """The file for one pod that runs a trial for each set of parameters."""
    return {
        "contractVersion": 1,
        "job": {"kind": "SearchJob", "namespace": "team", "name": "digits", "uid": "uid"},
        "task": {
            "model": {"family": family, "settings": settings or {}},
            "data": data or DIGITS,
            "evaluation": {"test": "0.2", "validation": "0.2", "seed": 0},
        },
        "objectives": [{"metric": objective, "goal": "Maximize"}],
        "trialsPerPod": len(trials),
        "trials": [trial_document(number, given) for number, given in enumerate(trials, 1)],
        **changes,
    }


def trial_document(number: int, parameters: dict[str, Any]) -> dict[str, Any]:
    """One trial; its seed goes with its number."""
    name = f"digits-t{number:05d}"
    return {"name": name, "number": number, "seed": 100 + number, "parameters": parameters}


def pod_variables(folder: Path, document: JobDocument, attempt: str = "aaaaaaaa") -> dict[str, str]:
    """The environment of a pod whose files lie in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "assignments.json").write_text(json.dumps(document))
    (folder / "claims").mkdir(exist_ok=True)
    return {
        "WINNOW_ASSIGNMENTS": str(folder / "assignments.json"),
        "WINNOW_ARTIFACTS": str(folder / "artifacts"),
        "WINNOW_CLAIMS": str(folder / "claims"),
        "WINNOW_TERMINATION_LOG": str(folder / "termination-log"),
        "WINNOW_ATTEMPT": attempt,
        "WINNOW_METRICS_PORT": "0",
        "WINNOW_THREADS": "1",
    }
