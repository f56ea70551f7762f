"""SearchJobs that work, and one change of one that makes it a bad one."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Body = dict[str, Any]
MISSING: Any = object()
"""As a value: the field is left out."""


def job_of(**spec: Any) -> Body:
    base: Body = {
        "task": {"model": {"family": "MLP"}, "data": {"uri": "builtin://digits"}},
        "objectives": [{"metric": "accuracy", "goal": "Maximize"}],
        "space": {
            "parameters": [
                {"name": "learning_rate", "double": {"min": "0.001", "max": "0.1", "scale": "Log"}},
                {"name": "width", "int": {"min": 16, "max": 128}},
                {"name": "activation", "choice": {"values": ["relu", "gelu"]}},
            ]
        },
        "algorithm": {"name": "TPE", "seed": 7},
        "budget": {"maxTrials": 12, "parallelism": 2},
    }
    given = {key: value for key, value in {**base, **spec}.items() if value is not MISSING}
    return {
        "apiVersion": "winnow.dev/v1alpha1",
        "kind": "SearchJob",
        "metadata": {"name": "bad"},
        "spec": given,
    }


def data_of(uri: str, **more: str) -> Body:
    return {"model": {"family": "MLP"}, "data": {"uri": uri, **more}}


def model_of(family: str = "MLP", uri: str = "builtin://digits", **settings: str) -> Body:
    listed = [{"name": name, "value": value} for name, value in settings.items()]
    return {"model": {"family": family, "settings": listed}, "data": {"uri": uri}}


def point_of(**values: str) -> Body:
    """A point to start with."""
    return {"parameters": [{"name": name, "value": value} for name, value in values.items()]}


def pod_of(container: Mapping[str, Any] | None = None, **spec: Any) -> Body:
    containers = {} if container is None else {"containers": [{"name": "trial", **container}]}
    return {"spec": {**containers, **spec}}


TASK = job_of()
TWO = [{"metric": "accuracy", "goal": "Maximize"}, {"metric": "parameters", "goal": "Minimize"}]
GRID = job_of(
    algorithm={"name": "Grid"},
    budget={},
    space={"parameters": [{"name": "width", "int": {"values": [32, 64]}}]},
)
OWN = job_of(
    task=MISSING,
    trial={"image": "registry.example.com/team/trial:1", "args": ["--quick"]},
    objectives=[{"metric": "quality", "goal": "Maximize", "target": "0.9"}],
)
CSV = job_of(task=data_of("pvc://tables/table.csv", target="label"))
POD = job_of(
    podTemplate={
        "metadata": {"labels": {"team": "vision"}, "annotations": {"team.example.com/cost": "7"}},
        "spec": {
            "nodeSelector": {"disk": "ssd"},
            "tolerations": [{"key": "gpu", "operator": "Exists"}],
            "volumes": [{"name": "cache", "emptyDir": {}}],
            "containers": [
                {
                    "name": "trial",
                    "env": [{"name": "OMP_NUM_THREADS", "value": "1"}],
                    "resources": {"limits": {"cpu": "1", "memory": "1Gi"}},
                    "volumeMounts": [{"name": "cache", "mountPath": "/cache"}],
                }
            ],
        },
    }
)
CONDITIONAL = job_of(
    space={
        "parameters": [
            {"name": "width", "int": {"min": 16, "max": 128}},
            {"name": "activation", "choice": {"values": ["relu", "gelu"]}},
            {
                "name": "dropout",
                "double": {"min": "0", "max": "0.5"},
                "when": {"parameter": "activation", "values": ["gelu"]},
            },
        ]
    }
)
CONDITION = "spec.space.parameters.2.when"
NAS = job_of(
    space={
        "architecture": {"mlp": {"depth": {"max": 3}, "widths": [16, 32], "activations": ["relu"]}},
        "parameters": [{"name": "batch_size", "int": {"values": [32, 64]}}],
    }
)
CELLS = job_of(
    task={"model": {"family": "CNN"}, "data": {"uri": "builtin://digits"}},
    space={
        "architecture": {
            "cnn": {
                "nodes": 3,
                "operations": ["conv3", "separable3", "max3"],
                "branches": True,
                "skips": True,
                "stages": {"min": 1, "max": 2},
                "widths": [8, 16],
            }
        }
    },
)
ATTENTION = job_of(
    task={"model": {"family": "Transformer"}, "data": {"uri": "builtin://digits"}},
    space={
        "architecture": {
            "transformer": {
                "depth": {"max": 2},
                "widths": [16, 32],
                "heads": [2, 4],
                "hidden": [32],
            }
        }
    },
)
NETS = job_of(space={"architecture": {"nets": ["64-32-16", "32-64", "16-64-32"]}})
BASES = {
    "nas": NAS,
    "cells": CELLS,
    "attention": ATTENTION,
    "nets": NETS,
    "conditional": CONDITIONAL,
    "task": TASK,
    "grid": GRID,
    "own image": OWN,
    "csv": CSV,
    "pod": POD,
}


@dataclass(frozen=True, slots=True)
class BadSpec:
    """One change that makes a good document a bad one."""

    what: str
    path: str
    value: Any
    words: tuple[str, ...]
    """What the sentence must say: the field, the value given, what is allowed."""
    base: str = "task"
    only_admission: bool = False
    """Nothing that the operator would ever see: a name, or an edit."""

    def document(self) -> Body:
        """The bad document."""
        return changed(BASES[self.base], self.path, self.value)


def changed(body: Body, path: str, value: Any) -> Body:
    """A copy with the field at a path (`spec.space.parameters.0.int`) set or left out."""
    result: Body = copy.deepcopy(body)
    place: Any = result
    *above, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in above:
        place = place.setdefault(part, {}) if isinstance(place, dict) else place[part]
    if value is MISSING:
        del place[last]
    else:
        place[last] = value
    return result


LR = "spec.space.parameters.0.double"
WIDTH = "spec.space.parameters.1.int"
WORD = "spec.space.parameters.2.choice.values"
METRIC = "spec.objectives.0.metric"
URI = "spec.task.data.uri"
