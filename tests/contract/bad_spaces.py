"""Spaces that cannot be searched: parameters, algorithms, constraints and conditions.

The tables are those of `bad_specs`.
"""

from __future__ import annotations

from tests.contract.base_specs import (
    CONDITION,
    LR,
    MISSING,
    OWN,
    TASK,
    WIDTH,
    WORD,
    BadSpec,
    changed,
    point_of,
)

ADMISSION: tuple[BadSpec, ...] = (
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
        f"{LR}.max",
        MISSING,
        ("spec.space.parameters[0].double", "min is 0.001 and max is missing", "values"),
    ),
    BadSpec(
        "a range without min and max",
        WIDTH,
        {"step": 2},
        ("spec.space.parameters[1].int", "min is missing and max is missing", "values"),
    ),
    BadSpec(
        "a range that is one value",
        f"{LR}.max",
        "0.001",
        ("spec.space.parameters[0].double.min", "min is 0.001", "less than max, 0.001"),
    ),
    BadSpec(
        "a range that is one value to a computer",
        LR,
        {"min": "0.1", "max": "0.100000000000000001"},
        ("spec.space.parameters[0].double.min", "min is 0.1", "0.100000000000000001"),
    ),
    BadSpec(
        "a range backwards",
        f"{LR}.min",
        "0.5",
        ("spec.space.parameters[0].double.min", "min is 0.5", "less than max, 0.1"),
    ),
    BadSpec(
        "a range of whole numbers backwards",
        f"{WIDTH}.max",
        8,
        ("spec.space.parameters[1].int.min", "min is 16", "less than max, 8"),
    ),
    BadSpec(
        "a Log range from 0",
        f"{LR}.min",
        "0",
        ("spec.space.parameters[0].double.min", "min is 0", "scale Log", "more than 0"),
    ),
    BadSpec(
        "a Log range of whole numbers from below 0",
        WIDTH,
        {"min": -4, "max": 4, "scale": "Log"},
        ("spec.space.parameters[1].int.min", "min is -4", "scale Log", "more than 0"),
    ),
    BadSpec(
        "a Log range with steps",
        f"{LR}.step",
        "0.01",
        ("spec.space.parameters[0].double.step", "step is 0.01", "scale Log", "left out"),
    ),
    BadSpec(
        "a Log range of whole numbers with steps",
        WIDTH,
        {"min": 1, "max": 9, "step": 2, "scale": "Log"},
        ("spec.space.parameters[1].int.step", "step is 2", "scale Log", "left out"),
    ),
    BadSpec(
        "a step of 0",
        LR,
        {"min": "0", "max": "1", "step": "0"},
        ("spec.space.parameters[0].double.step", "step is 0", "more than 0"),
    ),
    BadSpec(
        "a step backwards",
        LR,
        {"min": "0", "max": "1", "step": "-0.1"},
        ("spec.space.parameters[0].double.step", "step is -0.1", "more than 0"),
    ),
    BadSpec(
        "a whole step of 0",
        f"{WIDTH}.step",
        0,
        ("spec.space.parameters[1].int.step", "0", "greater than or equal to 1"),
    ),
    BadSpec(
        "a real number as a number",
        f"{LR}.min",
        0.001,
        ("spec.space.parameters[0].double.min", "must be of type string", "number"),
    ),
    BadSpec(
        "a real number in words",
        f"{LR}.min",
        "1/1000",
        ("spec.space.parameters[0].double.min", "1/1000", "should match"),
    ),
    BadSpec(
        "a whole number as a text",
        f"{WIDTH}.min",
        "16",
        ("spec.space.parameters[1].int.min", "must be of type integer", "string"),
    ),
    BadSpec(
        "a whole number with a fraction",
        f"{WIDTH}.min",
        16.5,
        ("spec.space.parameters[1].int.min", "must be of type integer", "number"),
    ),
    BadSpec(
        "a whole number beyond 2^53",
        f"{WIDTH}.max",
        2**53,
        ("spec.space.parameters[1].int.max", "9007199254740992", "equal to 9007199254740991"),
    ),
    BadSpec(
        "no such scale",
        f"{LR}.scale",
        "log10",
        ("spec.space.parameters[0].double.scale", '"log10"', '"Linear", "Log"'),
    ),
    BadSpec(
        "a list and a range",
        f"{WIDTH}.values",
        [16, 32],
        ("spec.space.parameters[1].int", "values are listed", "min, max"),
    ),
    BadSpec(
        "a list with scale Log",
        LR,
        {"values": ["0.1", "0.01"], "scale": "Log"},
        ("spec.space.parameters[0].double", "values are listed", "scale Log"),
    ),
    BadSpec(
        "an empty list",
        WIDTH,
        {"values": []},
        ("spec.space.parameters[1].int.values", "at least 1 items"),
    ),
    BadSpec(
        "a whole number twice",
        WIDTH,
        {"values": [32, 64, 32]},
        ("spec.space.parameters[1].int.values[2]", "Duplicate value", "32"),
    ),
    BadSpec(
        "a word twice",
        WORD,
        ["relu", "gelu", "relu"],
        ("spec.space.parameters[2].choice.values[2]", "Duplicate value", '"relu"'),
    ),
    BadSpec("no words", WORD, [], ("spec.space.parameters[2].choice.values", "at least 1 items")),
    BadSpec(
        "words as one text",
        WORD,
        "relu, gelu",
        ("spec.space.parameters[2].choice.values", "must be of type array", "string"),
    ),
    BadSpec(
        "a truth value for a word",
        WORD,
        [True, False],
        ("spec.space.parameters[2].choice.values[0]", "must be of type string", "boolean"),
    ),
    BadSpec(
        "a word of two lines",
        WORD,
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
    # points to start with
    BadSpec(
        "points to start a Random with",
        "spec",
        {
            **TASK["spec"],
            "algorithm": {"name": "Random"},
            "start": [{"parameters": [{"name": "width", "value": "32"}]}],
        },
        ("spec.start", "start has 1 points", "algorithm Random", "use TPE, CMAES or NSGAII"),
    ),
    BadSpec(
        "a point without values",
        "spec.start",
        [{"parameters": []}],
        ("spec.start[0].parameters", "at least 1 items"),
    ),
    BadSpec(
        "a value of a point as a number",
        "spec.start",
        [{"parameters": [{"name": "width", "value": 32}]}],
        ("spec.start[0].parameters[0].value", "must be of type string", "integer"),
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
    # conditions
    BadSpec(
        "a condition on a parameter that there is not",
        CONDITION,
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
        CONDITION,
        {"parameter": "width", "values": ["16"]},
        ("spec.space.parameters", "parameter dropout", "width", "no choice"),
        base="conditional",
    ),
    BadSpec(
        "a condition without values",
        CONDITION,
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
)

OPERATOR: tuple[BadSpec, ...] = (
    # points to start with
    BadSpec(
        "a point outside of its range",
        "spec.start",
        [point_of(learning_rate="0.5", width="64", activation="relu")],
        ("spec.start[0]", "parameter learning_rate is 0.5", "no value of its range"),
    ),
    BadSpec(
        "a point with a word that is not listed",
        "spec.start",
        [point_of(learning_rate="0.05", width="64", activation="tanh")],
        ("spec.start[0]", "'tanh'", "no value of parameter activation", "relu, gelu"),
    ),
    BadSpec(
        "a point that lacks a value",
        "spec.start",
        [point_of(learning_rate="0.05", width="64")],
        ("spec.start[0]", "parameter activation has no value"),
    ),
    BadSpec(
        "a point with a value too many",
        "spec.start",
        [point_of(learning_rate="0.05", width="64", activation="relu", depth="2")],
        ("spec.start[0]", "parameter depth does not belong to it", "allowed: learning_rate"),
    ),
    BadSpec(
        "the same point twice",
        "spec.start",
        [
            point_of(learning_rate="0.05", width="64", activation="relu"),
            point_of(learning_rate="5e-2", width="64", activation="relu"),
        ],
        ("spec.start[1]", "same point as spec.start[0]"),
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
        CONDITION,
        {"parameter": "activation", "values": ["relu", "tanh"]},
        ("parameter dropout", "'tanh'", "no value of activation", "relu, gelu"),
        base="conditional",
    ),
    # space
    BadSpec(
        "one number in two texts",
        LR,
        {"values": ["0.1", "0.10"]},
        ("parameter learning_rate lists", "0.1", "once"),
    ),
    BadSpec(
        "a step longer than the range",
        LR,
        {"min": "0.1", "max": "0.2", "step": "0.5"},
        ("parameter learning_rate", "step is 0.5", "at most", "0.1"),
    ),
    BadSpec(
        "a whole step longer than the range",
        f"{WIDTH}.step",
        200,
        ("parameter width", "step is 200", "at most", "112"),
    ),
    BadSpec(
        "too many steps",
        LR,
        {"min": "0.1", "max": "1", "step": "0.000000000001"},
        ("parameter learning_rate", "step is", "at most 10000000 steps"),
    ),
    BadSpec(
        "numbers too large for a text",
        LR,
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
)
