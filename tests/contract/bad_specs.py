"""Documents that cannot work: a good one, what is changed in it, who says no, in which words.

`ADMISSION`: the API server refuses it; unit tests hold that the model or `domain.checks` would
too, for jobs that come in past the rules. `OPERATOR`: admission cannot see it, so the operator
ends the job as InvalidSpec before any pod. `EDITS`: changes of a job that exists.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Body = dict[str, Any]
MISSING: Any = object()
"""As a value: the field is left out."""


def _job(**spec: Any) -> Body:
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


def _data(uri: str, **more: str) -> Body:
    return {"model": {"family": "MLP"}, "data": {"uri": uri, **more}}


def _model(family: str = "MLP", uri: str = "builtin://digits", **settings: str) -> Body:
    listed = [{"name": name, "value": value} for name, value in settings.items()]
    return {"model": {"family": family, "settings": listed}, "data": {"uri": uri}}


def _pod(container: Mapping[str, Any] | None = None, **spec: Any) -> Body:
    containers = {} if container is None else {"containers": [{"name": "trial", **container}]}
    return {"spec": {**containers, **spec}}


TASK = _job()
_TWO = [{"metric": "accuracy", "goal": "Maximize"}, {"metric": "parameters", "goal": "Minimize"}]
GRID = _job(
    algorithm={"name": "Grid"},
    budget={},
    space={"parameters": [{"name": "width", "int": {"values": [32, 64]}}]},
)
OWN = _job(
    task=MISSING,
    trial={"image": "registry.example.com/team/trial:1", "args": ["--quick"]},
    objectives=[{"metric": "quality", "goal": "Maximize", "target": "0.9"}],
)
CSV = _job(task=_data("pvc://tables/table.csv", target="label"))
POD = _job(
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
CONDITIONAL = _job(
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
_CONDITION = "spec.space.parameters.2.when"
BASES = {
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


_LR = "spec.space.parameters.0.double"
_WIDTH = "spec.space.parameters.1.int"
_WORD = "spec.space.parameters.2.choice.values"
_METRIC = "spec.objectives.0.metric"
_URI = "spec.task.data.uri"

ADMISSION = (
    # what is run
    BadSpec("no spec", "spec", MISSING, ("spec", "Required value")),
    BadSpec(
        "neither task nor trial",
        "spec.task",
        MISSING,
        ("spec.task and spec.trial", "neither is given", "own"),
    ),
    BadSpec(
        "task and trial",
        "spec.trial",
        {"image": "registry.example.com/a:1"},
        ("spec.task and spec.trial", "both are given"),
    ),
    BadSpec(
        "no such family",
        "spec.task.model.family",
        "RNN",
        ("spec.task.model.family", '"RNN"', '"MLP", "CNN", "ResNet", "Transformer"'),
    ),
    BadSpec(
        "an image with a blank",
        "spec.trial.image",
        "my image:1",
        ("spec.trial.image", "my image:1", "should match"),
        base="own image",
    ),
    BadSpec(
        "an empty image",
        "spec.trial.image",
        "",
        ("spec.trial.image", "at least 1 chars long"),
        base="own image",
    ),
    BadSpec(
        "a command as one text",
        "spec.trial.command",
        "python train.py",
        ("spec.trial.command", "must be of type array", "string"),
        base="own image",
    ),
    BadSpec(
        "a setting twice",
        "spec.task.model.settings",
        [{"name": "epochs", "value": "1"}, {"name": "epochs", "value": "2"}],
        ("spec.task.model.settings[1]", "Duplicate value", "epochs"),
    ),
    BadSpec(
        "a setting as a number",
        "spec.task.model.settings",
        [{"name": "epochs", "value": 20}],
        ("spec.task.model.settings[0].value", "must be of type string", "integer"),
    ),
    BadSpec(
        "too many settings",
        "spec.task.model.settings",
        [{"name": f"s{i}", "value": "1"} for i in range(33)],
        ("spec.task.model.settings", "33", "at most 32 items"),
    ),
    BadSpec(
        "a setting fixed and searched",
        "spec.task.model.settings",
        [{"name": "width", "value": "64"}],
        ("parameter width", "is searched", "task.model.settings", "keep one"),
    ),
    # data and split
    BadSpec(
        "data by http",
        _URI,
        "https://example.com/a.csv",
        ("spec.task.data.uri", "https://example.com/a.csv", "builtin://", "pvc://CLAIM/PATH"),
    ),
    BadSpec(
        "no such builtin data",
        _URI,
        "builtin://cifar10",
        ("spec.task.data.uri", "builtin://cifar10", "digits, breast_cancer, wine"),
    ),
    BadSpec(
        "a claim without a path",
        _URI,
        "pvc://tables",
        ("spec.task.data.uri", "pvc://tables", "pvc://CLAIM/PATH", ".csv or .npz"),
    ),
    BadSpec(
        "data that is neither CSV nor NPZ",
        _URI,
        "pvc://tables/a.parquet",
        ("spec.task.data.uri", "pvc://tables/a.parquet", ".csv or .npz"),
    ),
    BadSpec(
        "a claim's name in capitals",
        _URI,
        "pvc://Tables/a.npz",
        ("spec.task.data.uri", "pvc://Tables/a.npz", "pvc://CLAIM/PATH"),
    ),
    BadSpec(
        "data outside of the claim",
        _URI,
        "pvc://tables/../other/a.csv",
        ("spec.task.data.uri", "pvc://tables/../other/a.csv", "leaves the claim"),
        base="csv",
    ),
    BadSpec(
        "a CSV without target",
        "spec.task.data.target",
        MISSING,
        ("spec.task.data.target", "empty", "pvc://tables/table.csv", "column"),
        base="csv",
    ),
    BadSpec(
        "builtin data with a target",
        "spec.task.data.target",
        "digit",
        ("spec.task.data.target", "digit", "left out"),
    ),
    BadSpec(
        "no such kind of data",
        "spec.task.data.kind",
        "classification",
        ("spec.task.data.kind", '"classification"', '"Auto", "Classification", "Regression"'),
    ),
    BadSpec(
        "an empty test share",
        "spec.task.evaluation.test",
        "0",
        ("spec.task.evaluation.test", "test is 0", "between 0 and 1"),
    ),
    BadSpec(
        "a validation share in percent",
        "spec.task.evaluation.validation",
        "20",
        ("spec.task.evaluation.validation", "validation is 20", "between 0 and 1"),
    ),
    BadSpec(
        "a share as a number",
        "spec.task.evaluation.test",
        0.2,
        ("spec.task.evaluation.test", "must be of type string", "number"),
    ),
    BadSpec(
        "shares that leave nothing to train on",
        "spec.task.evaluation",
        {"test": "0.5", "validation": "0.5"},
        ("spec.task.evaluation", "test is 0.5", "validation is 0.5", "below 1"),
    ),
    BadSpec(
        "a test share that leaves no room beside the default validation",
        "spec.task.evaluation",
        {"test": "0.8"},
        ("spec.task.evaluation", "test is 0.8", "validation is 0.2", "below 1"),
    ),
    BadSpec(
        "one fold",
        "spec.task.evaluation",
        {"folds": 1},
        ("spec.task.evaluation.folds", "1", "greater than or equal to 2"),
    ),
    BadSpec(
        "too many folds",
        "spec.task.evaluation",
        {"folds": 100},
        ("spec.task.evaluation.folds", "100", "less than or equal to 20"),
    ),
    BadSpec(
        "folds as a text",
        "spec.task.evaluation",
        {"folds": "5"},
        ("spec.task.evaluation.folds", "must be of type integer", "string"),
    ),
    BadSpec(
        "folds beside a validation share",
        "spec.task.evaluation",
        {"folds": 5, "validation": "0.1"},
        ("spec.task.evaluation", "folds is 5", "validation is 0.1", "keep one"),
    ),
    BadSpec(
        "folds and no number left for the winner",
        "spec",
        changed(TASK, "spec.task.evaluation", {"folds": 3})["spec"]
        | {"budget": {"maxTrials": 99_500}},
        ("spec.budget.maxTrials", "99500", "at most 99000", "trained once more"),
    ),
    BadSpec(
        "a negative split seed",
        "spec.task.evaluation.seed",
        -1,
        ("spec.task.evaluation.seed", "-1", "greater than or equal to 0"),
    ),
    # objectives
    BadSpec("no objectives", "spec.objectives", MISSING, ("spec.objectives", "Required value")),
    BadSpec("empty objectives", "spec.objectives", [], ("spec.objectives", "at least 1 items")),
    BadSpec(
        "five objectives",
        "spec.objectives",
        [
            {"metric": metric, "goal": "Minimize"}
            for metric in ("log_loss", "parameters", "train_seconds", "epoch_seconds", "train_loss")
        ],
        ("spec.objectives", "Too many: 5", "at most 4 items"),
    ),
    BadSpec(
        "the same objective twice",
        "spec.objectives",
        [{"metric": "f1", "goal": "Maximize"}, {"metric": "f1", "goal": "Minimize"}],
        ("spec.objectives", "Duplicate value", "f1"),
    ),
    BadSpec(
        "two objectives for CMAES",
        "spec",
        {
            **TASK["spec"],
            "objectives": _TWO,
            "algorithm": {"name": "CMAES"},
            "space": {"parameters": [{"name": "width", "int": {"min": 1, "max": 9}}]},
        },
        (
            "spec.objectives",
            "objectives are 2",
            "algorithm CMAES takes one",
            "use Grid, Random, QMC, TPE or NSGAII",
        ),
    ),
    BadSpec(
        "more trials in a pod than two objectives allow",
        "spec",
        {**TASK["spec"], "objectives": _TWO, "trialsPerPod": 9},
        ("spec.trialsPerPod", "trialsPerPod is 9", "2 objectives", "at most 8"),
    ),
    BadSpec(
        "a goal in small letters",
        "spec.objectives.0.goal",
        "maximize",
        ("spec.objectives[0].goal", '"maximize"', '"Maximize", "Minimize"'),
    ),
    BadSpec(
        "an objective without a goal",
        "spec.objectives.0.goal",
        MISSING,
        ("spec.objectives[0].goal", "Required value"),
    ),
    BadSpec(
        "a metric with a dash",
        _METRIC,
        "log-loss",
        ("spec.objectives[0].metric", "log-loss", "should match"),
    ),
    BadSpec(
        "a target in words",
        "spec.objectives.0.target",
        "high",
        ("spec.objectives[0].target", "high", "should match"),
    ),
    BadSpec(
        "a target as a number",
        "spec.objectives.0.target",
        0.99,
        ("spec.objectives[0].target", "must be of type string", "number"),
    ),
    # parameters
    BadSpec("no space", "spec.space", MISSING, ("spec.space", "Required value")),
    BadSpec("no parameters", "spec.space.parameters", [], ("spec.space.parameters", "at least 1")),
    BadSpec(
        "too many parameters",
        "spec.space.parameters",
        [{"name": f"p{i}", "choice": {"values": ["a", "b"]}} for i in range(33)],
        ("spec.space.parameters", "33", "at most 32 items"),
        base="own image",
    ),
    BadSpec(
        "a parameter twice",
        "spec.space.parameters.1.name",
        "learning_rate",
        ("spec.space.parameters[1]", "Duplicate value", "learning_rate"),
    ),
    BadSpec(
        "a parameter with a blank in its name",
        "spec.space.parameters.0.name",
        "learning rate",
        ("spec.space.parameters[0].name", "learning rate", "should match"),
    ),
    BadSpec(
        "a parameter of no type",
        "spec.space.parameters.1",
        {"name": "width"},
        ("spec.space.parameters[1]", "parameter width has 0 of double, int and choice", "one"),
    ),
    BadSpec(
        "a parameter of two types",
        "spec.space.parameters.1.choice",
        {"values": ["a", "b"]},
        ("spec.space.parameters[1]", "parameter width has 2 of double, int and choice", "one"),
    ),
    BadSpec(
        "a range without max",
        f"{_LR}.max",
        MISSING,
        ("spec.space.parameters[0].double", "min is 0.001 and max is missing", "values"),
    ),
    BadSpec(
        "a range without min and max",
        _WIDTH,
        {"step": 2},
        ("spec.space.parameters[1].int", "min is missing and max is missing", "values"),
    ),
    BadSpec(
        "a range that is one value",
        f"{_LR}.max",
        "0.001",
        ("spec.space.parameters[0].double.min", "min is 0.001", "less than max, 0.001"),
    ),
    BadSpec(
        "a range that is one value to a computer",
        _LR,
        {"min": "0.1", "max": "0.100000000000000001"},
        ("spec.space.parameters[0].double.min", "min is 0.1", "0.100000000000000001"),
    ),
    BadSpec(
        "a range backwards",
        f"{_LR}.min",
        "0.5",
        ("spec.space.parameters[0].double.min", "min is 0.5", "less than max, 0.1"),
    ),
    BadSpec(
        "a range of whole numbers backwards",
        f"{_WIDTH}.max",
        8,
        ("spec.space.parameters[1].int.min", "min is 16", "less than max, 8"),
    ),
    BadSpec(
        "a Log range from 0",
        f"{_LR}.min",
        "0",
        ("spec.space.parameters[0].double.min", "min is 0", "scale Log", "more than 0"),
    ),
    BadSpec(
        "a Log range of whole numbers from below 0",
        _WIDTH,
        {"min": -4, "max": 4, "scale": "Log"},
        ("spec.space.parameters[1].int.min", "min is -4", "scale Log", "more than 0"),
    ),
    BadSpec(
        "a Log range with steps",
        f"{_LR}.step",
        "0.01",
        ("spec.space.parameters[0].double.step", "step is 0.01", "scale Log", "left out"),
    ),
    BadSpec(
        "a Log range of whole numbers with steps",
        _WIDTH,
        {"min": 1, "max": 9, "step": 2, "scale": "Log"},
        ("spec.space.parameters[1].int.step", "step is 2", "scale Log", "left out"),
    ),
    BadSpec(
        "a step of 0",
        _LR,
        {"min": "0", "max": "1", "step": "0"},
        ("spec.space.parameters[0].double.step", "step is 0", "more than 0"),
    ),
    BadSpec(
        "a step backwards",
        _LR,
        {"min": "0", "max": "1", "step": "-0.1"},
        ("spec.space.parameters[0].double.step", "step is -0.1", "more than 0"),
    ),
    BadSpec(
        "a whole step of 0",
        f"{_WIDTH}.step",
        0,
        ("spec.space.parameters[1].int.step", "0", "greater than or equal to 1"),
    ),
    BadSpec(
        "a real number as a number",
        f"{_LR}.min",
        0.001,
        ("spec.space.parameters[0].double.min", "must be of type string", "number"),
    ),
    BadSpec(
        "a real number in words",
        f"{_LR}.min",
        "1/1000",
        ("spec.space.parameters[0].double.min", "1/1000", "should match"),
    ),
    BadSpec(
        "a whole number as a text",
        f"{_WIDTH}.min",
        "16",
        ("spec.space.parameters[1].int.min", "must be of type integer", "string"),
    ),
    BadSpec(
        "a whole number with a fraction",
        f"{_WIDTH}.min",
        16.5,
        ("spec.space.parameters[1].int.min", "must be of type integer", "number"),
    ),
    BadSpec(
        "a whole number beyond 2^53",
        f"{_WIDTH}.max",
        2**53,
        ("spec.space.parameters[1].int.max", "9007199254740992", "equal to 9007199254740991"),
    ),
    BadSpec(
        "no such scale",
        f"{_LR}.scale",
        "log10",
        ("spec.space.parameters[0].double.scale", '"log10"', '"Linear", "Log"'),
    ),
    BadSpec(
        "a list and a range",
        f"{_WIDTH}.values",
        [16, 32],
        ("spec.space.parameters[1].int", "values are listed", "min, max"),
    ),
    BadSpec(
        "a list with scale Log",
        _LR,
        {"values": ["0.1", "0.01"], "scale": "Log"},
        ("spec.space.parameters[0].double", "values are listed", "scale Log"),
    ),
    BadSpec(
        "an empty list",
        _WIDTH,
        {"values": []},
        ("spec.space.parameters[1].int.values", "at least 1 items"),
    ),
    BadSpec(
        "a whole number twice",
        _WIDTH,
        {"values": [32, 64, 32]},
        ("spec.space.parameters[1].int.values[2]", "Duplicate value", "32"),
    ),
    BadSpec(
        "a word twice",
        _WORD,
        ["relu", "gelu", "relu"],
        ("spec.space.parameters[2].choice.values[2]", "Duplicate value", '"relu"'),
    ),
    BadSpec("no words", _WORD, [], ("spec.space.parameters[2].choice.values", "at least 1 items")),
    BadSpec(
        "words as one text",
        _WORD,
        "relu, gelu",
        ("spec.space.parameters[2].choice.values", "must be of type array", "string"),
    ),
    BadSpec(
        "a truth value for a word",
        _WORD,
        [True, False],
        ("spec.space.parameters[2].choice.values[0]", "must be of type string", "boolean"),
    ),
    BadSpec(
        "a word of two lines",
        _WORD,
        ["re\nlu", "gelu"],
        ("spec.space.parameters[2].choice.values[0]", "re\\nlu", "should match"),
    ),
    BadSpec(
        "a grid of one point",
        "spec.space.parameters.0",
        {"name": "width", "int": {"min": 1, "max": 9, "points": 1}},
        ("spec.space.parameters[0].int.points", "1", "greater than or equal to 2"),
        base="grid",
    ),
    # algorithm and space
    BadSpec(
        "no such algorithm",
        "spec.algorithm.name",
        "CMA-ES",
        ("spec.algorithm.name", '"CMA-ES"', '"Grid", "Random", "QMC", "TPE", "CMAES", "NSGAII"'),
    ),
    BadSpec(
        "choices for CMAES",
        "spec.algorithm.name",
        "CMAES",
        (
            "spec.space.parameters",
            "parameter activation is a choice",
            "algorithm CMAES searches numbers alone",
            "use Grid, Random, QMC, TPE or NSGAII",
        ),
    ),
    BadSpec(
        "CMAES without an end",
        "spec",
        changed(OWN, "spec.algorithm.name", "CMAES")["spec"]
        | {"budget": {}, "space": {"parameters": [{"name": "k", "int": {"min": 1, "max": 9}}]}},
        ("spec.budget.maxTrials", "missing", "algorithm CMAES", "1 to 99999"),
    ),
    BadSpec(
        "a negative seed",
        "spec.algorithm.seed",
        -7,
        ("spec.algorithm.seed", "-7", "greater than or equal to 0"),
    ),
    BadSpec(
        "a seed beyond 31 bits",
        "spec.algorithm.seed",
        2**31,
        ("spec.algorithm.seed", "less than or equal to 2147483647"),
    ),
    BadSpec(
        "a Grid over a range without step",
        "spec.space.parameters.0",
        {"name": "dropout", "double": {"min": "0", "max": "0.5"}},
        ("spec.space.parameters", "parameter dropout", "no end of values", "points (2 to 1000)"),
        base="grid",
    ),
    BadSpec(
        "a Grid over a Log range",
        "spec.space.parameters.0",
        {"name": "learning_rate", "double": {"min": "0.001", "max": "1", "scale": "Log"}},
        ("spec.space.parameters", "parameter learning_rate", "no end of values", "points"),
        base="grid",
    ),
    BadSpec(
        "a Grid over a Log range of whole numbers",
        "spec.space.parameters.0",
        {"name": "width", "int": {"min": 1, "max": 512, "scale": "Log"}},
        ("spec.space.parameters", "parameter width", "no end of values", "points"),
        base="grid",
    ),
    # constraints between parameters
    BadSpec(
        "a sum and a product",
        "spec.space.constraints",
        [{"sum": [{"parameter": "width"}], "product": ["width"], "max": "9"}],
        ("spec.space.constraints[0]", "has both of sum and product", "give one"),
    ),
    BadSpec(
        "neither a sum nor a product",
        "spec.space.constraints",
        [{"max": "9"}],
        ("spec.space.constraints[0]", "has none of sum and product", "give one"),
    ),
    BadSpec(
        "a constraint of the space without a limit",
        "spec.space.constraints",
        [{"product": ["width"]}],
        ("spec.space.constraints[0]", "no limit", "min, max or both"),
    ),
    BadSpec(
        "a sum over a word",
        "spec.space.constraints",
        [{"sum": [{"parameter": "width"}, {"parameter": "activation"}], "max": "9"}],
        ("spec.space.constraints", "parameters of numbers"),
    ),
    BadSpec(
        "a product over a parameter that there is not",
        "spec.space.constraints",
        [{"product": ["width", "depht"], "max": "900"}],
        ("spec.space.constraints", "parameters of numbers"),
    ),
    # constraints
    BadSpec(
        "a constraint without a limit",
        "spec.constraints",
        [{"metric": "accuracy"}],
        ("spec.constraints[0]", "constraint on accuracy", "give min, max or both"),
    ),
    BadSpec(
        "a constraint that nothing can keep",
        "spec.constraints",
        [{"metric": "accuracy", "min": "0.9", "max": "0.8"}],
        ("spec.constraints[0].min", "min is 0.9", "at most max, 0.8"),
    ),
    BadSpec(
        "a limit as a number",
        "spec.constraints",
        [{"metric": "accuracy", "min": 0.9}],
        ("spec.constraints[0].min", "must be of type string", "number"),
    ),
    BadSpec(
        "five constraints",
        "spec.constraints",
        [
            {"metric": metric, "max": "1"}
            for metric in ("log_loss", "parameters", "train_seconds", "epoch_seconds", "train_loss")
        ],
        ("spec.constraints", "Too many: 5", "at most 4 items"),
    ),
    BadSpec(
        "more trials in a pod than constraints allow",
        "spec",
        {
            **TASK["spec"],
            "constraints": [{"metric": "parameters", "max": "5000"}],
            "trialsPerPod": 5,
        },
        ("spec.trialsPerPod", "trialsPerPod is 5", "at most 4"),
    ),
    # conditions
    BadSpec(
        "a condition on a parameter that there is not",
        _CONDITION,
        {"parameter": "activatoin", "values": ["relu"]},
        ("spec.space.parameters", "parameter dropout", "activatoin", "no parameter before it"),
        base="conditional",
    ),
    BadSpec(
        "a condition on itself",
        "spec.space.parameters.1.when",
        {"parameter": "activation", "values": ["relu"]},
        ("spec.space.parameters", "parameter activation", "no parameter before it"),
        base="conditional",
    ),
    BadSpec(
        "a condition on a number",
        _CONDITION,
        {"parameter": "width", "values": ["16"]},
        ("spec.space.parameters", "parameter dropout", "width", "no choice"),
        base="conditional",
    ),
    BadSpec(
        "a condition without values",
        _CONDITION,
        {"parameter": "activation", "values": []},
        ("spec.space.parameters[2].when.values", "at least 1 items"),
        base="conditional",
    ),
    BadSpec(
        "conditions for NSGAII",
        "spec.algorithm.name",
        "NSGAII",
        (
            "spec.space.parameters",
            "parameter dropout has a condition",
            "algorithm NSGAII cannot search",
            "use Grid, Random, QMC or TPE",
        ),
        base="conditional",
    ),
    # budget
    BadSpec(
        "TPE without an end",
        "spec.budget.maxTrials",
        MISSING,
        ("spec.budget.maxTrials", "missing", "algorithm TPE", "1 to 99999"),
    ),
    BadSpec(
        "Random without an end",
        "spec",
        changed(TASK, "spec.algorithm.name", "Random")["spec"] | {"budget": {}},
        ("spec.budget.maxTrials", "missing", "algorithm Random", "1 to 99999"),
    ),
    BadSpec(
        "no trials",
        "spec.budget.maxTrials",
        0,
        ("spec.budget.maxTrials", "0", "greater than or equal to 1"),
    ),
    BadSpec(
        "too many trials",
        "spec.budget.maxTrials",
        100_000,
        ("spec.budget.maxTrials", "100000", "less than or equal to 99999"),
    ),
    BadSpec(
        "trials as a text",
        "spec.budget.maxTrials",
        "60",
        ("spec.budget.maxTrials", "must be of type integer", "string"),
    ),
    BadSpec(
        "no pods",
        "spec.budget.parallelism",
        0,
        ("spec.budget.parallelism", "0", "greater than or equal to 1"),
    ),
    BadSpec(
        "too many pods",
        "spec.budget.parallelism",
        1001,
        ("spec.budget.parallelism", "1001", "less than or equal to 1000"),
    ),
    BadSpec(
        "a negative limit of failures",
        "spec.budget.maxFailedTrials",
        -1,
        ("spec.budget.maxFailedTrials", "-1", "greater than or equal to 0"),
    ),
    BadSpec(
        "too many retries",
        "spec.budget.retriesPerTrial",
        11,
        ("spec.budget.retriesPerTrial", "11", "less than or equal to 10"),
    ),
    BadSpec(
        "a duration in words",
        "spec.budget.maxDuration",
        "1 hour",
        ("spec.budget.maxDuration", "1 hour", "should match"),
    ),
    BadSpec(
        "a duration of days",
        "spec.budget.maxDuration",
        "2d",
        ("spec.budget.maxDuration", "2d", "should match"),
    ),
    BadSpec(
        "no time",
        "spec.budget.maxDuration",
        "0s",
        ("spec.budget.maxDuration", "maxDuration is 0s", "1s to 8760h"),
    ),
    BadSpec(
        "more than a year",
        "spec.budget.maxDuration",
        "8760h1s",
        ("spec.budget.maxDuration", "maxDuration is 8760h1s", "1s to 8760h"),
    ),
    BadSpec(
        "no time for a trial",
        "spec.budget.maxTrialDuration",
        "0h0m",
        ("spec.budget.maxTrialDuration", "maxTrialDuration is 0h0m", "1s to 8760h"),
    ),
    # the rest
    BadSpec(
        "no trials in a pod",
        "spec.trialsPerPod",
        0,
        ("spec.trialsPerPod", "0", "greater than or equal to 1"),
    ),
    BadSpec(
        "too many trials in a pod",
        "spec.trialsPerPod",
        33,
        ("spec.trialsPerPod", "33", "less than or equal to 32"),
    ),
    BadSpec(
        "storage elsewhere",
        "spec.storage",
        {"uri": "s3://bucket/models"},
        ("spec.storage.uri", "s3://bucket/models", "pvc://CLAIM/PATH"),
    ),
    BadSpec(
        "storage without a claim",
        "spec.storage",
        {"uri": "pvc:///models"},
        ("spec.storage.uri", "pvc:///models", "pvc://CLAIM"),
    ),
    BadSpec(
        "storage outside of the claim",
        "spec.storage",
        {"uri": "pvc://models/../secrets"},
        ("spec.storage.uri", "pvc://models/../secrets", "leaves the claim"),
    ),
    BadSpec("storage without a uri", "spec.storage", {}, ("spec.storage.uri", "Required value")),
    BadSpec(
        "suspend in words",
        "spec.suspend",
        "yes",
        ("spec.suspend", "must be of type boolean", "string"),
    ),
    BadSpec(
        "a negative time to live",
        "spec.ttlSecondsAfterFinished",
        -1,
        ("spec.ttlSecondsAfterFinished", "-1", "greater than or equal to 0"),
    ),
    BadSpec(
        "a pod template as a text",
        "spec.podTemplate",
        "gpu",
        ("spec.podTemplate", "must be of type object", "string"),
    ),
    BadSpec(
        "a name of 41 characters",
        "metadata.name",
        "a" * 41,
        ("metadata.name", "a" * 41, "41 characters", "at most 40"),
        only_admission=True,
    ),
    BadSpec(
        "a name with a dot",
        "metadata.name",
        "digits.v2",
        ("metadata.name", "digits.v2", "letters, digits and -"),
        only_admission=True,
    ),
)

OPERATOR = (
    BadSpec(
        "a constraint that no point keeps",
        "spec.space.constraints",
        [
            {
                "sum": [{"parameter": "width", "factor": "2"}, {"parameter": "learning_rate"}],
                "max": "9",
            }
        ],
        ("spec.space.constraints[0]", "no point of the space"),
    ),
    BadSpec(
        "a constraint on a metric that is not measured",
        "spec.constraints",
        [{"metric": "f1", "min": "0.5"}, {"metric": "rmse", "max": "2"}],
        ("spec.constraints[1].metric is rmse", "not measured for", "allowed: accuracy"),
    ),
    # conditions
    BadSpec(
        "a condition on a later parameter",
        "spec.space.parameters.0.when",
        {"parameter": "activation", "values": ["relu"]},
        ("parameter width", "activation", "no parameter before it"),
        base="conditional",
    ),
    BadSpec(
        "a circle of conditions",
        "spec.space.parameters",
        [
            {"name": "a", "choice": {"values": ["x"]}, "when": {"parameter": "b", "values": ["y"]}},
            {"name": "b", "choice": {"values": ["y"]}, "when": {"parameter": "a", "values": ["x"]}},
        ],
        ("parameter a", "when names b", "no parameter before it"),
        base="own image",
    ),
    BadSpec(
        "a condition on a word that the choice does not have",
        _CONDITION,
        {"parameter": "activation", "values": ["relu", "tanh"]},
        ("parameter dropout", "'tanh'", "no value of activation", "relu, gelu"),
        base="conditional",
    ),
    # settings
    BadSpec(
        "no such setting",
        "spec.task",
        _model(epoch="20"),
        ("family MLP has no setting 'epoch'", "allowed", "epochs"),
    ),
    BadSpec(
        "a setting of the other family",
        "spec.task",
        _model(kernel="3"),
        ("family MLP has no setting 'kernel'", "allowed"),
    ),
    BadSpec(
        "a setting beyond its range",
        "spec.task",
        _model(dropout="1.5"),
        ("setting dropout is '1.5'", "from 0 to 0.95"),
    ),
    BadSpec(
        "a setting of no such word",
        "spec.task",
        _model(optimizer="lion"),
        ("setting optimizer is 'lion'", "sgd, adam, adamw, rmsprop"),
    ),
    BadSpec(
        "settings that do not go together",
        "spec.task",
        _model(norm="batch", batch_size="1"),
        ("batch_size is 1", "norm batch", "at least 2"),
    ),
    BadSpec(
        "no such setting to search",
        "spec.space.parameters.1.name",
        "units",
        ("family MLP has no setting 'units'", "allowed", "width"),
    ),
    BadSpec(
        "a search beyond the setting's range",
        _WIDTH,
        {"min": 0, "max": 64},
        ("setting width is '0'", "from 1 to 16384"),
    ),
    BadSpec(
        "a search for a word that is none",
        _WORD,
        ["relu", "mish"],
        ("setting activation is 'mish'", "relu, gelu"),
    ),
    BadSpec(
        "a real range for a whole setting",
        "spec.space.parameters.1",
        {"name": "width", "double": {"min": "16", "max": "128"}},
        ("parameter width is a double range", "whole numbers from 1 to 16384", "use int"),
    ),
    BadSpec(
        "a real range for a setting of words",
        "spec.space.parameters.1",
        {"name": "norm", "double": {"min": "0", "max": "1"}},
        ("parameter norm is a double range", "none, batch, layer", "use choice"),
    ),
    BadSpec(
        "a whole range with gaps in what is allowed",
        "spec",
        _job(
            task=_model("CNN"),
            space={"parameters": [{"name": "kernel", "int": {"min": 1, "max": 7}}]},
        )["spec"],
        ("setting kernel is '2'", "1, 3, 5, 7"),
    ),
    # data and metric
    BadSpec(
        "a metric of regression on classes",
        _METRIC,
        "rmse",
        ("spec.objectives[0].metric is rmse", "builtin://digits", "accuracy, balanced_accuracy"),
    ),
    BadSpec(
        "a metric of classification on numbers",
        _URI,
        "builtin://diabetes",
        ("spec.objectives[0].metric is accuracy", "builtin://diabetes", "rmse, mae, r2"),
    ),
    BadSpec(
        "a metric against the kind given",
        "spec.task.data.kind",
        "Regression",
        ("spec.objectives[0].metric is accuracy", "regression", "rmse, mae, r2"),
        base="csv",
    ),
    BadSpec(
        "a metric that the trainer does not know",
        _METRIC,
        "auc",
        ("spec.objectives[0].metric is auc", "allowed", "accuracy", "rmse"),
        base="csv",
    ),
    BadSpec(
        "convolutions over a table",
        "spec.task",
        _model("CNN", "builtin://wine"),
        ("spec.task.model.family is CNN", "builtin://wine is a table", "shape"),
    ),
    BadSpec(
        "convolutions over a CSV",
        "spec.task.model.family",
        "CNN",
        ("spec.task.model.family is CNN", "pvc://tables/table.csv is a table", "shape"),
        base="csv",
    ),
    BadSpec(
        "residual blocks over a table",
        "spec.task",
        _model("ResNet", "builtin://wine"),
        ("spec.task.model.family is ResNet", "builtin://wine is a table", "shape"),
    ),
    BadSpec(
        "tokens of another shape than the table has",
        "spec.task",
        _model("Transformer", "builtin://wine", shape="4x4x1"),
        ("setting shape is 4x4x1 (16 numbers)", "rows of 13 numbers"),
    ),
    BadSpec(
        "stages named twice over",
        "spec.task",
        _model("ResNet", channels="16-32", blocks="1-1-1"),
        ("setting channels names 2 stages and setting blocks 3",),
    ),
    BadSpec(
        "a setting of another family",
        "spec.task",
        _model("Transformer", norm="batch"),
        ("family Transformer has no setting 'norm'", "heads"),
    ),
    BadSpec(
        "another shape than the images have",
        "spec.task",
        _model("CNN", shape="4x16x1"),
        ("setting shape is 4x16x1", "images of 8x8x1"),
    ),
    BadSpec(
        "a shape of too many numbers",
        "spec.task",
        _model("CNN", "builtin://wine", shape="4x4x1"),
        ("setting shape is 4x4x1 (16 numbers)", "rows of 13 numbers"),
    ),
    BadSpec(
        "a shape of two numbers",
        "spec.task",
        _model("CNN", "builtin://wine", shape="13x1"),
        ("setting shape is 13x1", "HEIGHTxWIDTHxCHANNELS"),
    ),
    # space
    BadSpec(
        "one number in two texts",
        _LR,
        {"values": ["0.1", "0.10"]},
        ("parameter learning_rate lists", "0.1", "once"),
    ),
    BadSpec(
        "a step longer than the range",
        _LR,
        {"min": "0.1", "max": "0.2", "step": "0.5"},
        ("parameter learning_rate", "step is 0.5", "at most", "0.1"),
    ),
    BadSpec(
        "a whole step longer than the range",
        f"{_WIDTH}.step",
        200,
        ("parameter width", "step is 200", "at most", "112"),
    ),
    BadSpec(
        "too many steps",
        _LR,
        {"min": "0.1", "max": "1", "step": "0.000000000001"},
        ("parameter learning_rate", "step is", "at most 10000000 steps"),
    ),
    BadSpec(
        "numbers too large for a text",
        _LR,
        {"min": "1", "max": "999999e99"},
        ("parameter learning_rate", "max is 999999e99", "allowed"),
    ),
    BadSpec(
        "a grid that has no end in practice",
        "spec.space.parameters",
        [
            {"name": "width", "int": {"min": 1, "max": 1000}},
            {"name": "batch_size", "int": {"min": 1, "max": 1000}},
        ],
        ("1000000 points", "at most 99999", "spec.budget.maxTrials"),
        base="grid",
    ),
    # storage
    BadSpec(
        "a claim's name that is too long",
        "spec.storage",
        {"uri": f"pvc://{'c' * 300}/models"},
        ("spec.storage.uri", "pvc://CLAIM/PATH"),
    ),
    # pod template
    BadSpec(
        "a part that no template has",
        "spec.podTemplate.status",
        {},
        ("spec.podTemplate.status is not allowed", "metadata, spec"),
        base="pod",
    ),
    BadSpec(
        "a name for pods",
        "spec.podTemplate.metadata.name",
        "x",
        ("spec.podTemplate.metadata.name is not allowed", "labels, annotations"),
        base="pod",
    ),
    BadSpec(
        "the host's network",
        "spec.podTemplate.spec.hostNetwork",
        True,
        ("spec.podTemplate.spec.hostNetwork is not allowed", "allowed", "nodeSelector"),
        base="pod",
    ),
    BadSpec(
        "a security context",
        "spec.podTemplate.spec.securityContext",
        {"runAsUser": 0},
        ("spec.podTemplate.spec.securityContext is not allowed", "allowed"),
        base="pod",
    ),
    BadSpec(
        "another restart policy",
        "spec.podTemplate.spec.restartPolicy",
        "OnFailure",
        ("spec.podTemplate.spec.restartPolicy is not allowed", "allowed"),
        base="pod",
    ),
    BadSpec(
        "a second container",
        "spec.podTemplate.spec.containers",
        [{"name": "trial"}, {"name": "sidecar", "image": "a"}],
        ("spec.podTemplate.spec.containers has 2", "one", "trial"),
        base="pod",
    ),
    BadSpec(
        "a container of another name",
        "spec.podTemplate.spec.containers.0.name",
        "main",
        ("spec.podTemplate.spec.containers", "'main'", "'trial'"),
        base="pod",
    ),
    BadSpec(
        "an image in the template",
        "spec.podTemplate",
        _pod({"image": "a:1"}),
        ("spec.podTemplate.spec.containers[trial].image is not allowed", "resources"),
    ),
    BadSpec(
        "an amount that is none",
        "spec.podTemplate.spec.containers.0.resources.limits.memory",
        "2gigs",
        ("resources.limits has memory '2gigs'", "allowed", "4Gi"),
        base="pod",
    ),
    BadSpec(
        "limits as a list",
        "spec.podTemplate.spec.containers.0.resources.limits",
        ["1"],
        ("containers[trial].resources.limits", "must be an object"),
        base="pod",
    ),
    BadSpec(
        "a variable of the contract",
        "spec.podTemplate",
        _pod({"env": [{"name": "WINNOW_ARTIFACTS", "value": "/x"}]}),
        ("env has WINNOW_ARTIFACTS", "taken", "WINNOW_*"),
    ),
    BadSpec(
        "a variable with a number",
        "spec.podTemplate",
        _pod({"env": [{"name": "THREADS", "value": 4}]}),
        ("env has THREADS", "value 4", "quotes"),
    ),
    BadSpec(
        "a volume of the operator's",
        "spec.podTemplate",
        _pod(volumes=[{"name": "winnow-tmp", "emptyDir": {}}]),
        ("volumes has winnow-tmp", "winnow-", "taken"),
    ),
    BadSpec(
        "a path of the node",
        "spec.podTemplate",
        _pod(volumes=[{"name": "host", "hostPath": {"path": "/"}}]),
        ("volumes[host].hostPath is not allowed", "persistentVolumeClaim", "emptyDir"),
    ),
    BadSpec(
        "a token of a service account",
        "spec.podTemplate",
        _pod(
            volumes=[
                {
                    "name": "token",
                    "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]},
                }
            ]
        ),
        ("volumes[token].projected", "serviceAccountToken", "leave it out"),
    ),
    BadSpec(
        "a mount over the operator's",
        "spec.podTemplate.spec.containers.0.volumeMounts.0.mountPath",
        "/winnow/claims",
        ("volumeMounts has mountPath /winnow/claims", "taken", "/winnow"),
        base="pod",
    ),
    BadSpec(
        "a mount of no volume",
        "spec.podTemplate.spec.containers.0.volumeMounts.0.name",
        "cash",
        ("volumeMounts names volume 'cash'", "cache"),
        base="pod",
    ),
    BadSpec(
        "a label of the operator's",
        "spec.podTemplate",
        {"metadata": {"labels": {"winnow.dev/searchjob": "other"}}},
        ("metadata.labels has winnow.dev/searchjob", "leave it out"),
    ),
    BadSpec(
        "a label that is a number",
        "spec.podTemplate",
        {"metadata": {"labels": {"cost-centre": 42}}},
        ("metadata.labels has cost-centre", "42", "quotes"),
    ),
    BadSpec(
        "labels as a list",
        "spec.podTemplate",
        {"metadata": {"labels": ["a"]}},
        ("spec.podTemplate.metadata.labels", "must be an object"),
    ),
    BadSpec(
        "tolerations as an object",
        "spec.podTemplate",
        _pod(tolerations={"key": "gpu"}),
        ("spec.podTemplate.spec.tolerations", "must be a list"),
    ),
    BadSpec(
        "a template as large as a book",
        "spec.podTemplate",
        {"metadata": {"annotations": {"book": "x" * 20_000}}},
        ("spec.podTemplate has 20", "at most 16384"),
    ),
)

EDITS = (
    BadSpec("another task", _URI, "builtin://wine", ("spec.task cannot change", "budget")),
    BadSpec(
        "another image",
        "spec.trial.image",
        "registry.example.com/team/trial:2",
        ("spec.trial cannot change", "make a new SearchJob"),
        base="own image",
    ),
    BadSpec(
        "another objective",
        "spec.objectives.0.metric",
        "f1",
        ("spec.objectives cannot change", "make a new SearchJob"),
    ),
    BadSpec("a target later", "spec.objectives.0.target", "0.9", ("spec.objectives cannot",)),
    BadSpec("a wider space", f"{_WIDTH}.max", 256, ("spec.space cannot change", "budget")),
    BadSpec("another seed", "spec.algorithm.seed", 8, ("spec.algorithm cannot change", "budget")),
    BadSpec("more trials in a pod", "spec.trialsPerPod", 4, ("spec.trialsPerPod cannot change",)),
    BadSpec("storage later", "spec.storage", {"uri": "pvc://a"}, ("spec.storage cannot change",)),
    BadSpec("no pod template", "spec.podTemplate", None, ("spec.podTemplate cannot",), base="pod"),
    BadSpec(
        "more memory",
        "spec.podTemplate.spec.containers.0.resources.limits.memory",
        "2Gi",
        ("spec.podTemplate cannot change",),
        base="pod",
    ),
    BadSpec("no end", "spec.budget.maxTrials", None, ("budget.maxTrials is missing", "TPE")),
)
"""Edits of a job that exists; None takes a field away."""
