"""SearchJobs for tests: small documents that a test changes where it needs to."""

from __future__ import annotations

from typing import Any

from tests.support.api import Body

METRIC = "quality"


def search_job(name: str = "search", **spec: Any) -> Body:
    """A SearchJob with an image of the user's own, so that a test decides what trials report."""
    base: dict[str, Any] = {
        "trial": {"image": "example.test/trial:1"},
        "objectives": [{"metric": METRIC, "goal": "Maximize"}],
        "space": {
            "parameters": [
                {"name": "x", "double": {"min": "0", "max": "1"}},
                {"name": "n", "int": {"min": 1, "max": 8}},
                {"name": "word", "choice": {"values": ["red", "green", "blue"]}},
            ]
        },
        "algorithm": {"name": "Random", "seed": 3},
        "budget": {"maxTrials": 6, "parallelism": 2},
    }
    return {
        "apiVersion": "winnow.dev/v1alpha1",
        "kind": "SearchJob",
        "metadata": {"name": name},
        "spec": {**base, **spec},
    }


def grid_job(name: str = "grid", **spec: Any) -> Body:
    """A Grid of six points."""
    space = {
        "parameters": [
            {"name": "x", "double": {"values": ["0.1", "0.2", "0.3"]}},
            {"name": "word", "choice": {"values": ["red", "green"]}},
        ]
    }
    base: dict[str, Any] = {
        "space": space,
        "algorithm": {"name": "Grid"},
        "budget": {"parallelism": 2},
    }
    return search_job(name, **{**base, **spec})


def task_job(name: str = "task", **spec: Any) -> Body:
    """A SearchJob of the shared trainer on a data set that comes with it."""
    base: dict[str, Any] = {
        "task": {
            "model": {"family": "MLP", "settings": [{"name": "epochs", "value": "2"}]},
            "data": {"uri": "builtin://digits"},
        },
        "objectives": [{"metric": "accuracy", "goal": "Maximize"}],
        "space": {
            "parameters": [
                {"name": "learning_rate", "double": {"min": "0.001", "max": "0.03", "scale": "Log"}}
            ]
        },
    }
    body = search_job(name, **{**base, **spec})
    del body["spec"]["trial"]
    return body
