"""Jobs whose pods are real and short: the shared trainer on digits, and what is made of its model."""

from __future__ import annotations

from typing import Any

from tests.support.api import Body
from tests.support.compressionjobs import INT8, compression_job
from tests.support.searchjobs import task_job

SOURCE = "digits"
"""Name of the search whose winner is compressed."""
_RESOURCES = {"requests": {"cpu": "200m"}, "limits": {"cpu": "1", "memory": "2Gi"}}
_TEMPLATE = {"spec": {"containers": [{"name": "trial", "resources": _RESOURCES}]}}


def small_search(name: str, **changes: object) -> Body:
    """A short search of the shared trainer, two trainings in each pod."""
    spec: dict[str, object] = {
        "budget": {"maxTrials": 4, "parallelism": 2},
        "trialsPerPod": 2,
        "podTemplate": _TEMPLATE,
        **changes,
    }
    return task_job(name, **spec)


def source_search() -> Body:
    """A search whose winner is worth compressing: two layers of 128 units.

    With its weight decay a learning rate of 10 multiplies the weights by -2 in each step, so that a
    candidate can be made to diverge.
    """
    settings = {"epochs": "8", "width": "128", "depth": "2", "weight_decay": "0.3"}
    model = {
        "family": "MLP",
        "settings": [{"name": name, "value": value} for name, value in settings.items()],
    }
    rates = {"name": "learning_rate", "double": {"min": "0.005", "max": "0.01", "scale": "Log"}}
    return small_search(
        SOURCE,
        task={"model": model, "data": {"uri": "builtin://digits"}},
        space={"parameters": [rates]},
        budget={"maxTrials": 2, "parallelism": 1},
    )


HALF_INT8 = {
    "name": "half-int8",
    "steps": [
        {"prune": {"amount": "0.5", "epochs": 4}},
        {"distill": {"epochs": 4}},
        {"quantize": {"mode": "Aware", "epochs": 2}},
    ],
}
MASKED = {
    "name": "masked",
    "steps": [{"prune": {"unit": "Weight", "amount": "0.7", "importance": "Taylor", "epochs": 3}}],
}
WILD = {"name": "wild", "steps": [{"distill": {"learningRate": "10", "epochs": 60}}]}
"""Diverges."""


def real_compression(name: str, **spec: Any) -> Body:
    """A CompressionJob of that search with candidates of every kind, one of which dies."""
    resources = {"requests": {"cpu": "200m"}, "limits": {"cpu": "1", "memory": "1Gi"}}
    base: dict[str, Any] = {
        "model": {"searchJob": SOURCE},
        "candidates": [INT8, HALF_INT8, MASKED, WILD],
        "goals": [
            {"metric": "accuracy", "maxDrop": "0.05"},
            {"metric": "size_bytes", "maxRatio": "0.5"},
        ],
        "prefer": ["size_bytes"],
        "measurement": {"batchSizes": [1, 8], "repetitions": 3, "resources": resources},
        "budget": {"parallelism": 3},
        "candidatesPerPod": 3,
        "podTemplate": _TEMPLATE,
    }
    return compression_job(name, **{**base, **spec})
