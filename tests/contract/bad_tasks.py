"""What is learnt from what: data, splits, objectives and settings that cannot work.

The tables are those of `bad_specs`.
"""

from __future__ import annotations

from tests.contract.base_specs import (
    METRIC,
    MISSING,
    TASK,
    TWO,
    URI,
    WIDTH,
    WORD,
    BadSpec,
    changed,
    job_of,
    model_of,
)

ADMISSION: tuple[BadSpec, ...] = (
    # data and split
    BadSpec(
        "data by http",
        URI,
        "https://example.com/a.csv",
        ("spec.task.data.uri", "https://example.com/a.csv", "builtin://", "pvc://CLAIM/PATH"),
    ),
    BadSpec(
        "no such builtin data",
        URI,
        "builtin://cifar10",
        ("spec.task.data.uri", "builtin://cifar10", "digits, breast_cancer, wine"),
    ),
    BadSpec(
        "a claim without a path",
        URI,
        "pvc://tables",
        ("spec.task.data.uri", "pvc://tables", "pvc://CLAIM/PATH", ".csv or .npz"),
    ),
    BadSpec(
        "data that is neither CSV nor NPZ",
        URI,
        "pvc://tables/a.parquet",
        ("spec.task.data.uri", "pvc://tables/a.parquet", ".csv or .npz"),
    ),
    BadSpec(
        "a claim's name in capitals",
        URI,
        "pvc://Tables/a.npz",
        ("spec.task.data.uri", "pvc://Tables/a.npz", "pvc://CLAIM/PATH"),
    ),
    BadSpec(
        "data outside of the claim",
        URI,
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
        "a share in words",
        "spec.task.evaluation.test",
        "half",
        ("spec.task.evaluation.test", "half", "should match"),
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
        "as many folds in a pod as there are",
        "spec.task.evaluation",
        {"folds": 5, "foldsPerPod": 5},
        ("spec.task.evaluation", "foldsPerPod is 5 and folds is 5", "must be less"),
    ),
    BadSpec(
        "folds in a pod without folds",
        "spec.task.evaluation",
        {"foldsPerPod": 2},
        ("spec.task.evaluation", "foldsPerPod is 2 and folds is missing", "left out"),
    ),
    BadSpec(
        "no folds in a pod",
        "spec.task.evaluation",
        {"folds": 5, "foldsPerPod": 0},
        ("spec.task.evaluation.foldsPerPod", "0", "greater than or equal to 1"),
    ),
    BadSpec(
        "several trials in a pod that runs a part of one",
        "spec",
        changed(TASK, "spec.task.evaluation", {"folds": 4, "foldsPerPod": 2})["spec"]
        | {"trialsPerPod": 2},
        ("spec.trialsPerPod", "trialsPerPod is 2", "evaluation.foldsPerPod", "must be 1"),
    ),
    BadSpec(
        "early stopping of parts of trials",
        "spec",
        changed(TASK, "spec.task.evaluation", {"folds": 4, "foldsPerPod": 2})["spec"]
        | {"earlyStopping": {}},
        ("earlyStopping", "left out", "evaluation.foldsPerPod"),
    ),
    BadSpec(
        "a paired test without folds",
        "spec.task.evaluation",
        {"pairedTest": "0.05"},
        ("spec.task.evaluation", "pairedTest needs at least 3 folds", "folds is missing"),
    ),
    BadSpec(
        "a paired test of folds over pods",
        "spec.task.evaluation",
        {"folds": 4, "foldsPerPod": 2, "pairedTest": "0.05"},
        ("spec.task.evaluation", "pairedTest needs", "all in one pod", "foldsPerPod is 2"),
    ),
    BadSpec(
        "a level that is no level",
        "spec.task.evaluation",
        {"folds": 4, "pairedTest": "0.9"},
        ("spec.task.evaluation", "pairedTest is 0.9", "above 0 and up to 0.5"),
    ),
    BadSpec(
        "a level as a number",
        "spec.task.evaluation",
        {"folds": 4, "pairedTest": 0.05},
        ("spec.task.evaluation.pairedTest", "must be of type string", "number"),
    ),
    BadSpec(
        "more trials in a pod than their folds have room for",
        "spec",
        changed(TASK, "spec.task.evaluation", {"folds": 4, "pairedTest": "0.05"})["spec"]
        | {"trialsPerPod": 9},
        ("spec.trialsPerPod", "trialsPerPod is 9", "evaluation.pairedTest", "at most 8"),
    ),
    BadSpec(
        "a paired test of several objectives",
        "spec",
        changed(TASK, "spec.task.evaluation", {"folds": 4, "pairedTest": "0.05"})["spec"]
        | {"objectives": TWO},
        ("spec.objectives", "objectives are 2", "evaluation.pairedTest takes one"),
    ),
    BadSpec(
        "no trainings of a trial",
        "spec.task.evaluation",
        {"repeats": 0},
        ("spec.task.evaluation.repeats", "0", "greater than or equal to 1"),
    ),
    BadSpec(
        "too many trainings of a trial",
        "spec.task.evaluation",
        {"repeats": 11},
        ("spec.task.evaluation.repeats", "11", "less than or equal to 10"),
    ),
    BadSpec(
        "no finalists",
        "spec.finalists",
        {"count": 0},
        ("spec.finalists.count", "0", "greater than or equal to 1"),
    ),
    BadSpec(
        "too many finalists",
        "spec.finalists",
        {"count": 11},
        ("spec.finalists.count", "11", "less than or equal to 10"),
    ),
    BadSpec(
        "no trainings of finalists",
        "spec.finalists",
        {"repeats": 0},
        ("spec.finalists.repeats", "0", "greater than or equal to 1"),
    ),
    BadSpec(
        "a number of finalists and nothing else",
        "spec.finalists",
        3,
        ("spec.finalists", "must be of type object", "integer"),
    ),
    BadSpec(
        "finalists and no number left for them",
        "spec",
        TASK["spec"] | {"finalists": {}, "budget": {"maxTrials": 99_001}},
        ("spec.budget.maxTrials", "99001", "folds or finalists", "at most 99000"),
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
            "objectives": TWO,
            "algorithm": {"name": "CMAES"},
            "space": {"parameters": [{"name": "width", "int": {"min": 1, "max": 9}}]},
        },
        (
            "spec.objectives",
            "objectives are 2",
            "algorithm CMAES takes one",
            "use Grid, Random, QMC, TPE, NSGAII or Auto",
        ),
    ),
    BadSpec(
        "more trials in a pod than two objectives allow",
        "spec",
        {**TASK["spec"], "objectives": TWO, "trialsPerPod": 9},
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
        METRIC,
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
)

OPERATOR: tuple[BadSpec, ...] = (
    # settings
    BadSpec(
        "no such setting",
        "spec.task",
        model_of(epoch="20"),
        ("family MLP has no setting 'epoch'", "allowed", "epochs"),
    ),
    BadSpec(
        "a setting of the other family",
        "spec.task",
        model_of(kernel="3"),
        ("family MLP has no setting 'kernel'", "allowed"),
    ),
    BadSpec(
        "a setting beyond its range",
        "spec.task",
        model_of(dropout="1.5"),
        ("setting dropout is '1.5'", "from 0 to 0.95"),
    ),
    BadSpec(
        "a setting of no such word",
        "spec.task",
        model_of(optimizer="lion"),
        ("setting optimizer is 'lion'", "sgd, adam, adamw, rmsprop"),
    ),
    BadSpec(
        "settings that do not go together",
        "spec.task",
        model_of(norm="batch", batch_size="1"),
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
        WIDTH,
        {"min": 0, "max": 64},
        ("setting width is '0'", "from 1 to 16384"),
    ),
    BadSpec(
        "a search for a word that is none",
        WORD,
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
        job_of(
            task=model_of("CNN"),
            space={"parameters": [{"name": "kernel", "int": {"min": 1, "max": 7}}]},
        )["spec"],
        ("setting kernel is '2'", "1, 3, 5, 7"),
    ),
    # data and metric
    BadSpec(
        "a metric of regression on classes",
        METRIC,
        "rmse",
        ("spec.objectives[0].metric is rmse", "builtin://digits", "accuracy, balanced_accuracy"),
    ),
    BadSpec(
        "a metric of classification on numbers",
        URI,
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
        METRIC,
        "auc",
        ("spec.objectives[0].metric is auc", "allowed", "accuracy", "rmse"),
        base="csv",
    ),
    BadSpec(
        "convolutions over a table",
        "spec.task",
        model_of("CNN", "builtin://wine"),
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
        model_of("ResNet", "builtin://wine"),
        ("spec.task.model.family is ResNet", "builtin://wine is a table", "shape"),
    ),
    BadSpec(
        "tokens of another shape than the table has",
        "spec.task",
        model_of("Transformer", "builtin://wine", shape="4x4x1"),
        ("setting shape is 4x4x1 (16 numbers)", "rows of 13 numbers"),
    ),
    BadSpec(
        "stages named twice over",
        "spec.task",
        model_of("ResNet", channels="16-32", blocks="1-1-1"),
        ("setting channels names 2 stages and setting blocks 3",),
    ),
    BadSpec(
        "a setting of another family",
        "spec.task",
        model_of("Transformer", norm="batch"),
        ("family Transformer has no setting 'norm'", "heads"),
    ),
    BadSpec(
        "another shape than the images have",
        "spec.task",
        model_of("CNN", shape="4x16x1"),
        ("setting shape is 4x16x1", "images of 8x8x1"),
    ),
    BadSpec(
        "a shape of too many numbers",
        "spec.task",
        model_of("CNN", "builtin://wine", shape="4x4x1"),
        ("setting shape is 4x4x1 (16 numbers)", "rows of 13 numbers"),
    ),
    BadSpec(
        "a shape of two numbers",
        "spec.task",
        model_of("CNN", "builtin://wine", shape="13x1"),
        ("setting shape is 13x1", "HEIGHTxWIDTHxCHANNELS"),
    ),
)
