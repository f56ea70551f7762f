"""A SearchJob and its Trials as documents of the API server, for tests of what is made from them."""

from __future__ import annotations

from typing import Any

GOALS = [
    {"metric": "accuracy", "goal": "Maximize", "target": "0.99"},
    {"metric": "parameters", "goal": "Minimize"},
]


def trial(number: int, value: float, second: float, **status: Any) -> dict[str, Any]:
    """A trial that succeeded, unless `status` says otherwise."""
    word = ("relu", "gelu")[number % 2]
    given = [("rate", f"{0.001 * number:g}"), ("width", str(8 * number)), ("word", word)]
    return {
        "metadata": {"name": f"digits-t{number:05d}"},
        "spec": {
            "number": number,
            "seed": number,
            "parameters": [{"name": name, "value": text} for name, text in given],
        },
        "status": {
            "outcome": "Succeeded",
            "values": [
                {"metric": "accuracy", "value": f"{value}", "standardError": "0.01"},
                {"metric": "parameters", "value": f"{second}"},
            ],
            "completionTime": f"2026-01-01T00:{number // 60:02d}:{number % 60:02d}Z",
            **status,
        },
    }


def search(objectives: int = 2, **status: Any) -> dict[str, Any]:
    """A search that has ended."""
    ended = {"type": "Complete", "status": "True", "message": "all 6 trials have an outcome"}
    return {
        "kind": "SearchJob",
        "metadata": {"name": "digits", "namespace": "team"},
        "spec": {
            "task": {"model": {"family": "MLP"}, "data": {"uri": "builtin://digits"}},
            "objectives": GOALS[:objectives],
            "space": {
                "parameters": [
                    {"name": "rate", "double": {"min": "0.001", "max": "0.1", "scale": "Log"}},
                    {"name": "width", "int": {"min": 8, "max": 64}},
                    {"name": "word", "choice": {"values": ["relu", "gelu"]}},
                ]
            },
            "algorithm": {"name": "Auto", "seed": 7},
        },
        "status": {
            "state": "Complete",
            "conditions": [ended],
            "progress": "6/6",
            "algorithm": {"name": "TPE", "reason": "6 trials over 3 parameters"},
            "winner": {
                "trial": "digits-t00003",
                "parameters": [{"name": "rate", "value": "0.003"}],
                "values": [{"metric": "accuracy", "value": "0.97", "standardError": "0.01"}],
                "test": [{"metric": "accuracy", "value": "0.96"}],
                "artifact": {"uri": "pvc://models/x", "digest": "sha256:ab"},
            },
            "importances": [
                {"parameter": "width", "values": ["0.2000", "0.9000"]},
                {"parameter": "rate", "values": ["0.7000", "0.0500"]},
                {"parameter": "word", "values": ["0.1000", "0.0500"]},
            ],
            **status,
        },
    }


TRIALS = [
    trial(1, 0.80, 100),
    trial(2, 0.90, 300),
    trial(3, 0.97, 500),
    trial(4, 0.85, 900),
    trial(5, 0.99, 50, violation="0.2"),
    trial(6, 0.0, 0, outcome="Failed", values=[], cause="NaN", message="the loss is <NaN>"),
]
"""5 misses a constraint, 6 has failed, 4 is beaten by 2."""
