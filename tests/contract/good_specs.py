"""Documents at the edge of what is allowed; schema, model and checks take all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.contract.base_specs import BASES, Body, changed


@dataclass(frozen=True, slots=True)
class GoodSpec:
    """One change of a good document that leaves it good."""

    what: str
    path: str
    value: Any
    base: str = "task"

    def document(self) -> Body:
        """The changed document."""
        return changed(BASES[self.base], self.path, self.value)


_LR = "spec.space.parameters.0.double"
_WIDTH = "spec.space.parameters.1.int"

GOOD = (
    *(GoodSpec(f"the good {base}", "metadata.name", "good", base) for base in BASES),
    GoodSpec("a name of 40 characters", "metadata.name", "a" * 40),
    GoodSpec("a name of one digit", "metadata.name", "7"),
    GoodSpec("nets by evolution", "spec.algorithm", {"name": "Evolution"}, "cells"),
    GoodSpec(
        "nets by a network, the rest by Random",
        "spec.algorithm",
        {"name": "Generative", "parametersBy": "Random", "predictor": False},
        "nas",
    ),
    GoodSpec("one value", "spec.space.parameters.2.choice.values", ["relu"]),
    GoodSpec(
        "negative numbers",
        "spec.space.parameters.0.double",
        {"min": "-2", "max": "-1"},
        "own image",
    ),
    GoodSpec("a range around 0", f"{_WIDTH}", {"min": -5, "max": 5}, "own image"),
    GoodSpec("numbers with exponents", _LR, {"min": "1e-6", "max": "1E+1", "scale": "Log"}),
    GoodSpec("a step that rounds", _LR, {"min": "0.1", "max": "0.3", "step": "0.2"}),
    GoodSpec("steps with points", _LR, {"min": "0.1", "max": "0.9", "step": "0.1", "points": 3}),
    GoodSpec("listed numbers", _LR, {"values": ["0.1", "0.01"]}),
    GoodSpec(
        "the largest whole numbers",
        _WIDTH,
        {"min": -(2**53) + 1, "max": 2**53 - 1},
        "own image",
    ),
    GoodSpec(
        "a whole setting as words",
        "spec.space.parameters.1",
        {"name": "width", "choice": {"values": ["32", "64"]}},
    ),
    GoodSpec(
        "sizes as words",
        "spec.space.parameters.1",
        {"name": "widths", "choice": {"values": ["64", "64-32"]}},
    ),
    GoodSpec(
        "an extra metric", "spec.objectives.0", {"metric": "epoch_seconds", "goal": "Minimize"}
    ),
    GoodSpec("an NPZ without target", "spec.task.data", {"uri": "pvc://tables/deep/a.NPZ"}),
    GoodSpec(
        "a CSV with a blank in its path", "spec.task.data.uri", "pvc://tables/my table.csv", "csv"
    ),
    GoodSpec(
        "digits as numbers",
        "spec",
        {
            **BASES["task"]["spec"],
            "task": {
                "model": {"family": "MLP"},
                "data": {"uri": "builtin://digits", "kind": "Regression"},
            },
            "objectives": [{"metric": "rmse", "goal": "Minimize"}],
        },
    ),
    GoodSpec("convolutions over images", "spec.task.model.family", "CNN"),
    GoodSpec("residual blocks over images", "spec.task.model.family", "ResNet"),
    GoodSpec("attention between lines of images", "spec.task.model.family", "Transformer"),
    GoodSpec(
        "attention between columns of a table",
        "spec.task",
        {"model": {"family": "Transformer"}, "data": {"uri": "builtin://wine"}},
    ),
    GoodSpec(
        "convolutions over a table with a shape",
        "spec.task",
        {
            "model": {"family": "CNN", "settings": [{"name": "shape", "value": "5x6x1"}]},
            "data": {"uri": "builtin://breast_cancer"},
        },
    ),
    GoodSpec(
        "a Grid with points",
        "spec.space.parameters.0",
        {
            "name": "learning_rate",
            "double": {"min": "0.001", "max": "1", "scale": "Log", "points": 4},
        },
        "grid",
    ),
    GoodSpec(
        "a Grid with a step",
        "spec.space.parameters.0",
        {"name": "dropout", "double": {"min": "0", "max": "0.5", "step": "0.25"}},
        "grid",
    ),
    GoodSpec(
        "a part of a large Grid",
        "spec",
        {
            **BASES["grid"]["spec"],
            "budget": {"maxTrials": 50},
            "space": {
                "parameters": [
                    {"name": "width", "int": {"min": 1, "max": 1000}},
                    {"name": "batch_size", "int": {"min": 1, "max": 1000}},
                ]
            },
        },
        "grid",
    ),
    GoodSpec("cross-validation", "spec.task.evaluation", {"test": "0.1", "folds": 20}),
    GoodSpec("folds over pods", "spec.task.evaluation", {"folds": 5, "foldsPerPod": 4}),
    GoodSpec("several trainings", "spec.task.evaluation", {"folds": 3, "repeats": 10}),
    GoodSpec("a paired test", "spec.task.evaluation", {"folds": 3, "pairedTest": "0.05"}),
    GoodSpec("finalists", "spec.finalists", {}),
    GoodSpec("many finalists", "spec.finalists", {"count": 10, "repeats": 10}),
    GoodSpec("a large test share with folds", "spec.task.evaluation", {"test": "0.9", "folds": 2}),
    GoodSpec(
        "four objectives",
        "spec",
        {
            **BASES["task"]["spec"],
            "objectives": [
                {"metric": "accuracy", "goal": "Maximize", "target": "0.9"},
                *(
                    {"metric": m, "goal": "Minimize"}
                    for m in ("log_loss", "parameters", "train_loss")
                ),
            ],
            "algorithm": {"name": "NSGAII"},
            "trialsPerPod": 8,
        },
    ),
    GoodSpec(
        "a condition on a condition",
        "spec.space.parameters",
        [
            {"name": "a", "choice": {"values": ["x", "y"]}},
            {"name": "b", "choice": {"values": ["x"]}, "when": {"parameter": "a", "values": ["x"]}},
            {
                "name": "c",
                "double": {"min": "0", "max": "1"},
                "when": {"parameter": "b", "values": ["x"]},
            },
        ],
        "own image",
    ),
    GoodSpec(
        "limits on what is measured",
        "spec.constraints",
        [
            {"metric": "accuracy", "min": "0.97"},
            {"metric": "parameters", "min": "1e2", "max": "50000"},
        ],
    ),
    GoodSpec(
        "constraints between parameters",
        "spec.space.constraints",
        [
            {
                "sum": [{"parameter": "width"}, {"parameter": "learning_rate", "factor": "-1e2"}],
                "min": "0",
            },
            {"product": ["width", "learning_rate"], "min": "0.1", "max": "10"},
        ],
    ),
    GoodSpec(
        "a point to start with",
        "spec.start",
        [
            {
                "parameters": [
                    {"name": "learning_rate", "value": "1e-2"},
                    {"name": "width", "value": "64"},
                    {"name": "activation", "value": "gelu"},
                ]
            }
        ],
    ),
    GoodSpec(
        "other searches to learn from",
        "spec.warmStart",
        [{"searchJob": "digits"}, {"searchJob": "digits-2", "maxTrials": 1000}],
    ),
    GoodSpec("an algorithm that is taken", "spec.algorithm", {"name": "Auto"}),
    GoodSpec("points of a sequence", "spec.algorithm", {"name": "QMC", "seed": 0}),
    GoodSpec(
        "listed numbers for CMAES",
        "spec",
        {
            **BASES["task"]["spec"],
            "algorithm": {"name": "CMAES"},
            "space": {
                "parameters": [
                    {
                        "name": "learning_rate",
                        "double": {"min": "1e-4", "max": "1", "scale": "Log"},
                    },
                    {"name": "batch_size", "int": {"values": [64, 16, 32]}},
                ]
            },
        },
    ),
    GoodSpec(
        "the largest budget",
        "spec.budget",
        {
            "maxTrials": 99_999,
            "parallelism": 1000,
            "maxFailedTrials": 99_999,
            "maxDuration": "8760h",
            "maxTrialDuration": "1s",
            "retriesPerTrial": 10,
        },
    ),
    GoodSpec(
        "the smallest budget",
        "spec.budget",
        {"maxTrials": 1, "parallelism": 1, "maxFailedTrials": 0, "retriesPerTrial": 0},
    ),
    GoodSpec("32 trials in a pod", "spec.trialsPerPod", 32),
    GoodSpec("early stopping by itself", "spec.earlyStopping", {}),
    GoodSpec(
        "early stopping in steps, with the largest figures",
        "spec.earlyStopping",
        {
            "algorithm": "Median",
            "resource": "Steps",
            "minimum": 1_000_000,
            "eta": 10,
            "minTrials": 1000,
        },
        "own image",
    ),
    GoodSpec("a claim alone for storage", "spec.storage", {"uri": "pvc://models"}),
    GoodSpec("a folder for storage", "spec.storage", {"uri": "pvc://models/team-a/v1.2_x/"}),
    GoodSpec("storage with two dots in a name", "spec.storage", {"uri": "pvc://models/a..b"}),
    GoodSpec("a time to live of nothing", "spec.ttlSecondsAfterFinished", 0),
    GoodSpec("suspended from the start", "spec.suspend", True),
    GoodSpec(
        "an image by digest",
        "spec.trial.image",
        f"registry.example.com:5000/a/b@sha256:{'0' * 64}",
        "own image",
    ),
    GoodSpec(
        "32 parameters",
        "spec.space.parameters",
        [{"name": f"p{i}", "choice": {"values": ["a", "b"]}} for i in range(32)],
        "own image",
    ),
    GoodSpec("a thousand values", _WIDTH, {"values": list(range(1, 1001))}),
    GoodSpec("an empty pod template", "spec.podTemplate", {}),
    GoodSpec(
        "a service account",
        "spec.podTemplate",
        {"spec": {"serviceAccountName": "trainer", "priorityClassName": "batch"}},
    ),
)
