"""CompressionJobs that cannot work: who says no, in which words.

The tables are as in `bad_specs`: ADMISSION by the API server, OPERATOR by the operator before any
pod, EDITS of a job that exists; FINISHED are edits of one that has ended.
"""

from __future__ import annotations

from typing import Any

from tests.contract.base_specs import MISSING
from tests.contract.compressions import DIGEST, GOAL, STEP, STEPS, BadCompression

_NAMES = ("accuracy", "latency_p95_seconds", "size_bytes")


def _quantize(**options: Any) -> dict[str, Any]:
    return {"quantize": options}


def _prune(**options: Any) -> dict[str, Any]:
    return {"prune": options}


def _distill(**options: Any) -> dict[str, Any]:
    return {"distill": options}


BAD = BadCompression

_SOURCE = (
    BAD("no model", "spec.model", MISSING, ("spec.model", "Required value")),
    BAD("neither search nor uri", "spec.model", {}, ("spec.model: neither is given", "searchJob")),
    BAD(
        "search and uri",
        "spec.model",
        {"searchJob": "digits", "uri": "pvc://a/b", "digest": DIGEST},
        ("spec.model: both are given", "uri and digest"),
    ),
    BAD(
        "a uri without its digest",
        "spec.model",
        {"uri": "pvc://models/a"},
        ("uri and digest belong together", "only uri is given"),
    ),
    BAD(
        "a digest without its uri",
        "spec.model",
        {"searchJob": "digits", "digest": DIGEST},
        ("uri and digest belong together", "only digest is given"),
    ),
    BAD(
        "a digest of another kind",
        "spec.model",
        {"uri": "pvc://models/a", "digest": "md5:0"},
        ("spec.model.digest", "md5:0", "should match"),
    ),
    BAD(
        "a model by http",
        "spec.model",
        {"uri": "https://example.com/model", "digest": DIGEST},
        ("spec.model.uri", "https://example.com/model", "pvc://CLAIM/PATH"),
    ),
    BAD(
        "a claim without a folder",
        "spec.model",
        {"uri": "pvc://models", "digest": DIGEST},
        ("spec.model.uri", "pvc://models", "pvc://CLAIM/PATH"),
    ),
    BAD(
        "a model outside of the claim",
        "spec.model",
        {"uri": "pvc://models/../other", "digest": DIGEST},
        ("spec.model.uri", "leaves the claim"),
    ),
    BAD(
        "a search with a long name",
        "spec.model.searchJob",
        "a" * 41,
        ("spec.model.searchJob", "Too long", "40"),
    ),
)

_CANDIDATES = (
    BAD(
        "nothing to make",
        "spec.candidates",
        [],
        ("spec.candidates is empty", "spec.auto is missing"),
    ),
    BAD(
        "neither candidates nor auto",
        "spec.auto",
        MISSING,
        ("spec.candidates is", "spec.auto is missing"),
        base="auto",
    ),
    BAD(
        "too many candidates",
        "spec.candidates",
        [{"name": f"c{i}", "steps": [_quantize()]} for i in range(16)],
        ("spec.candidates", "16", "at most 15 items"),
    ),
    BAD(
        "a name twice",
        "spec.candidates.1.name",
        "int8",
        ("spec.candidates[1]", "Duplicate value", "int8"),
    ),
    BAD(
        "a name that is taken",
        "spec.candidates.0.name",
        "baseline",
        ("baseline", "is taken by the source"),
    ),
    BAD("a name in capitals", "spec.candidates.0.name", "INT8", ("candidates[0].name", "INT8")),
    BAD(
        "a name of 41 characters",
        "spec.candidates.0.name",
        "a" * 41,
        ("spec.candidates[0].name", "40"),
    ),
    BAD("no steps", STEPS, [], ("spec.candidates[0].steps", "at least 1 items")),
    BAD(
        "nine steps",
        STEPS,
        [_prune(amount="0.1")] * 9,
        ("spec.candidates[0].steps", "9", "at most 8 items"),
    ),
    BAD("an empty step", STEP, {}, ("a step has 0 of quantize, prune and distill", "one")),
    BAD(
        "two steps in one",
        STEP,
        {"prune": {}, "quantize": {}},
        ("a step has 2 of quantize, prune and distill", "exactly one"),
    ),
    BAD(
        "a chain quantized twice",
        STEPS,
        [_quantize(), _quantize(mode="Aware")],
        ("candidate int8 has 2 quantize steps",),
    ),
    BAD(
        "a cut after quantize",
        STEPS,
        [_quantize(), _prune()],
        ("candidate int8 has a step after quantize", "integer weights"),
    ),
    BAD(
        "a student after a cut",
        STEPS,
        [_prune(), _distill(student={"width": "0.5"})],
        ("candidate int8 has distill with a student after another step", "survive"),
    ),
    BAD(
        "auto for less than is named",
        "spec.auto",
        {"maxCandidates": 2},
        ("auto.maxCandidates is 2", "3 candidates by name"),
    ),
    BAD(
        "auto with no steps", "spec.auto.steps", [], ("spec.auto.steps", "at least 1"), base="auto"
    ),
    BAD(
        "auto with a kind of step that is none",
        "spec.auto.steps",
        ["Shrink"],
        ("spec.auto.steps[0]", '"Shrink"', '"Quantize", "Prune", "Distill"'),
        base="auto",
    ),
    BAD(
        "auto by grid",
        "spec.auto.algorithm",
        "Grid",
        ("spec.auto.algorithm", '"TPE", "Random"'),
        base="auto",
    ),
)

_OPTIONS = (
    BAD(
        "no such mode",
        STEP,
        _quantize(mode="Static"),
        ("quantize.mode", '"Static"', '"PostTraining", "Dynamic", "Aware"'),
    ),
    BAD(
        "no layers",
        STEP,
        _quantize(layers=[]),
        ("quantize.layers", "at least 1 items"),
    ),
    BAD("no such layers", STEP, _quantize(layers=["LSTM"]), ("quantize.layers[0]", '"LSTM"')),
    BAD(
        "dynamic convolutions",
        STEP,
        _quantize(mode="Dynamic", layers=["Linear", "Convolution"]),
        ("quantize.layers", "with mode Dynamic only Linear"),
    ),
    BAD(
        "calibration with no data",
        STEP,
        _quantize(calibrationRows=0),
        ("quantize.calibrationRows", "greater than or equal to 1"),
    ),
    BAD(
        "calibration of a dynamic one",
        STEP,
        _quantize(mode="Dynamic", calibrationRows=64),
        ("calibrationRows is 64", "only with mode PostTraining or Aware"),
    ),
    BAD(
        "epochs without training",
        STEP,
        _quantize(epochs=3),
        ("epochs is 3", "only with mode Aware"),
    ),
    BAD(
        "a learning rate without training",
        STEP,
        _quantize(learningRate="0.1"),
        ("learningRate is 0.1", "only with mode Aware"),
    ),
    BAD(
        "a learning rate of 0",
        STEP,
        _quantize(mode="Aware", learningRate="0"),
        ("learningRate is 0", "numbers above 0 to 10"),
    ),
    BAD("a drop below 0", STEP, _quantize(maxDrop="-0.1"), ("maxDrop is -0.1", "from 0")),
    BAD("an amount of 0", STEP, _prune(amount="0"), ("prune.amount", "amount is 0", "above 0")),
    BAD("an amount of 1", STEP, _prune(amount="1"), ("prune.amount", "amount is 1", "below 1")),
    BAD("an amount in percent", STEP, _prune(amount="50"), ("amount is 50", "below 1")),
    BAD(
        "an amount as a number",
        STEP,
        _prune(amount=0.5),
        ("prune.amount", "must be of type string", "number"),
    ),
    BAD("an amount in words", STEP, _prune(amount="half"), ("prune.amount", "half", "match")),
    BAD("no such unit", STEP, _prune(unit="Head"), ("prune.unit", '"Head"', '"Weight", "Neuron"')),
    BAD(
        "no such importance",
        STEP,
        _prune(importance="Hessian"),
        ("prune.importance", '"Magnitude", "Taylor", "Random"'),
    ),
    BAD(
        "rounds of one cut",
        STEP,
        _prune(rounds=3),
        ("rounds is 3", "only with schedule Iterative"),
    ),
    BAD(
        "more rounds than epochs",
        STEP,
        _prune(schedule="Iterative", rounds=5, epochs=4),
        ("epochs is 4, rounds is 5", "at least one epoch"),
    ),
    BAD(
        "fewer epochs than the rounds that are meant",
        STEP,
        _prune(schedule="Iterative", epochs=2),
        ("epochs is 2, rounds is 3", "at least one epoch"),
    ),
    BAD("a cut without retraining", STEP, _prune(epochs=0), ("prune.epochs", "equal to 1")),
    BAD(
        "a student of nothing",
        STEP,
        _distill(student={}),
        ("give width or depth as shares of the teacher, or settings",),
    ),
    BAD(
        "a student with shares and settings",
        STEP,
        _distill(student={"width": "0.5", "settings": [{"name": "depth", "value": "1"}]}),
        ("settings stand beside width or depth",),
    ),
    BAD(
        "a student as large as the teacher",
        STEP,
        _distill(student={"width": "1"}),
        ("width and depth are 1", "as large as the teacher"),
    ),
    BAD(
        "a student of twice the width",
        STEP,
        _distill(student={"width": "2"}),
        ("width is 2", "above 0 to 1"),
    ),
    BAD(
        "parameters without a student",
        STEP,
        _distill(transfer=["Parameters"]),
        ("without a student", "leave Parameters out"),
    ),
    BAD(
        "a temperature without outputs",
        STEP,
        _distill(student={"width": "0.5"}, transfer=["Parameters"], temperature="2"),
        ("temperature is 2", "only with transfer Outputs"),
    ),
    BAD("a temperature of 0", STEP, _distill(temperature="0"), ("temperature is 0", "above 0")),
    BAD("an alpha above 1", STEP, _distill(alpha="1.5"), ("alpha is 1.5", "above 0 to 1")),
    BAD("an alpha of 0", STEP, _distill(alpha="0"), ("alpha is 0", "above 0 to 1")),
)

_GOALS = (
    BAD("an unknown metric", f"{GOAL}.metric", "energy", ("spec.goals[0].metric", *_NAMES)),
    BAD(
        "a goal without a bound",
        GOAL,
        {"metric": "accuracy"},
        ("the goal for accuracy has 0 of maxDrop, minSpeedup, maxRatio, min, max",),
    ),
    BAD(
        "a goal with two bounds",
        GOAL,
        {"metric": "size_bytes", "max": "9", "maxRatio": "0.5"},
        ("the goal for size_bytes has 2 of maxDrop", "exactly one"),
    ),
    BAD(
        "a drop of accuracy below 0",
        GOAL,
        {"metric": "accuracy", "maxDrop": "-0.01"},
        ("maxDrop is -0.01", "from 0"),
    ),
    BAD(
        "a speedup of a size",
        GOAL,
        {"metric": "size_bytes", "minSpeedup": "2"},
        ("minSpeedup has no meaning for size_bytes", "maxRatio"),
    ),
    BAD(
        "a speedup of 0",
        GOAL,
        {"metric": "latency_p50_seconds", "minSpeedup": "0"},
        ("minSpeedup is 0", "above 0"),
    ),
    BAD(
        "a ratio of accuracy",
        GOAL,
        {"metric": "accuracy", "maxRatio": "0.9"},
        ("maxRatio has no meaning for accuracy", "maxDrop"),
    ),
    BAD(
        "a batch size of a size",
        GOAL,
        {"metric": "size_bytes", "batchSize": 8, "max": "9"},
        ("batchSize is 8", "size_bytes does not depend on it"),
    ),
    BAD(
        "a batch size that is not measured",
        GOAL,
        {"metric": "cpu_seconds", "batchSize": 64, "max": "9"},
        ("batchSize of the goal for cpu_seconds is 64", "measured are"),
    ),
    BAD(
        "nine goals", "spec.goals", [{"metric": "f1", "min": "0"}] * 9, ("spec.goals", "at most 8")
    ),
    BAD("a preference that is not measured", "spec.prefer", ["energy"], ("energy", *_NAMES)),
    BAD(
        "a preference twice",
        "spec.prefer",
        ["size_bytes", "size_bytes"],
        ("spec.prefer[1]", "Duplicate value"),
    ),
    BAD("a preference in capitals", "spec.prefer", ["Size"], ("spec.prefer[0]", "Size", "match")),
)

_MEASUREMENT = (
    BAD("no batch sizes", "spec.measurement.batchSizes", [], ("batchSizes", "at least 1")),
    BAD("five batch sizes", "spec.measurement.batchSizes", [1, 2, 3, 4, 8], ("at most 4",)),
    BAD("a batch of 257", "spec.measurement.batchSizes", [257], ("batchSizes[0]", "256")),
    BAD("a batch of 0", "spec.measurement.batchSizes", [0, 8], ("batchSizes[0]", "equal to 1")),
    BAD("nine in a pod", "spec.candidatesPerPod", 9, ("candidatesPerPod", "equal to 8")),
    BAD("no threads", "spec.measurement.threads", 0, ("measurement.threads", "equal to 1")),
    BAD("two repetitions", "spec.measurement.repetitions", 2, ("repetitions", "equal to 3")),
)

_JOB = (
    BAD("no spec", "spec", MISSING, ("spec", "Required value")),
    BAD(
        "a long name",
        "metadata.name",
        "a" * 41,
        ("metadata.name", "41 characters", "at most 40"),
        only_admission=True,
    ),
    BAD(
        "a day as duration", "spec.budget.maxDuration", "1d", ("maxDuration is 1d", "such as 1m30s")
    ),
    BAD("no pods", "spec.budget.parallelism", 0, ("budget.parallelism", "equal to 1")),
    BAD(
        "storage by path",
        "spec.storage",
        {"uri": "/models"},
        ("spec.storage.uri", "/models", "pvc://CLAIM"),
    ),
    BAD(
        "a task with data by http",
        "spec.task.data.uri",
        "https://example.com/a.csv",
        ("spec.task.data.uri", "https://example.com/a.csv"),
        base="artifact",
    ),
)

ADMISSION = (*_SOURCE, *_CANDIDATES, *_OPTIONS, *_GOALS, *_MEASUREMENT, *_JOB)

OPERATOR = (
    BAD(
        "neurons after a mask",
        STEPS,
        [_prune(unit="Weight"), _prune()],
        ("candidate int8: steps[1]", "unit Neuron cannot follow unit Weight", "mask"),
    ),
    BAD(
        "a mask that changes nothing",
        STEPS,
        [_prune(unit="Weight", amount="0.5"), _prune(unit="Weight", amount="0.50")],
        ("candidate int8: steps[1]", "prune.amount is 0.5", "zero already"),
    ),
    BAD(
        "convolutions of an MLP",
        STEP,
        _quantize(layers=["Convolution"]),
        ("candidate int8: steps[0]", "family MLP has no such layers", "Linear"),
        base="regression",
    ),
    BAD(
        "a setting of another family",
        STEP,
        _distill(student={"settings": [{"name": "heads", "value": "2"}]}),
        ("candidate int8: steps[0]", "family MLP has no setting 'heads'"),
        base="regression",
    ),
    BAD(
        "a setting that is searched by its training",
        STEP,
        _distill(student={"settings": [{"name": "optimizer", "value": "sgd"}]}),
        ("candidate int8: steps[0]", "names optimizer", "does not shape the student"),
        base="regression",
    ),
    BAD(
        "a student with a width in words",
        STEP,
        _distill(student={"settings": [{"name": "width", "value": "half"}]}),
        ("candidate int8: steps[0]", "setting width is 'half'", "whole numbers"),
        base="regression",
    ),
    BAD(
        "bounds that cross",
        "spec.goals",
        [{"metric": "accuracy", "min": "0.99"}, {"metric": "accuracy", "max": "0.9"}],
        ("spec.goals contradict each other", "accuracy", "at least 0.99", "at most 0.9"),
    ),
    BAD(
        "percentiles that cross",
        "spec.goals",
        [
            {"metric": "latency_p50_seconds", "min": "0.01"},
            {"metric": "latency_p99_seconds", "batchSize": 1, "max": "0.001"},
        ],
        ("spec.goals contradict each other", "latency_p50_seconds@1", "never above the second"),
    ),
    BAD(
        "a bound twice",
        "spec.goals",
        [{"metric": "accuracy", "maxDrop": "0.01"}, {"metric": "accuracy", "maxDrop": "0.02"}],
        ("spec.goals give maxDrop for accuracy twice", "keep one"),
    ),
    BAD(
        "an accuracy above 1",
        GOAL,
        {"metric": "accuracy", "min": "99"},
        ("spec.goals[0]", "min of the goal for accuracy is 99", "never above 1"),
    ),
    BAD(
        "a size below 0",
        GOAL,
        {"metric": "size_bytes", "max": "-1"},
        ("spec.goals[0]", "max of the goal for size_bytes is -1", "never below 0"),
    ),
    BAD(
        "accuracy of a regression",
        GOAL,
        {"metric": "accuracy", "maxDrop": "0.01"},
        ("spec.goals names accuracy", "regression", "rmse, mae, r2"),
        base="regression",
    ),
    BAD(
        "a preferred metric of the other kind",
        "spec.prefer",
        ["f1"],
        ("spec.prefer names f1", "regression", "rmse"),
        base="regression",
    ),
    BAD(
        "a preferred batch size that is not measured",
        "spec.prefer",
        ["cpu_seconds@64"],
        ("spec.prefer", "cpu_seconds", "64", "measured are 1, 8"),
    ),
    BAD(
        "a preferred batch size of a size",
        "spec.prefer",
        ["size_bytes@8"],
        ("spec.prefer", "size_bytes", "does not depend on it"),
    ),
    BAD(
        "fewer processors than threads",
        "spec.measurement",
        {"batchSizes": [8], "threads": 4, "resources": {"limits": {"cpu": "2500m"}}},
        ("spec.measurement.threads is 4", "2500m", "measured as slow"),
    ),
    BAD(
        "no amount of memory",
        "spec.measurement.resources",
        {"limits": {"memory": "much"}},
        ("spec.measurement.resources.limits", "memory 'much'", "4Gi"),
    ),
    BAD(
        "resources of a container",
        "spec.measurement.resources",
        {"cpu": "1"},
        ("spec.measurement.resources.cpu is not allowed", "requests, limits"),
    ),
    BAD(
        "a pod of one's own",
        "spec.podTemplate",
        {"spec": {"hostNetwork": True}},
        ("spec.podTemplate.spec.hostNetwork is not allowed",),
    ),
    BAD(
        "a family's setting in the task",
        "spec.task.model.settings",
        [{"name": "heads", "value": "4"}],
        ("spec.task.model.settings", "family ResNet has no setting 'heads'"),
        base="artifact",
    ),
)

EDITS = (
    BAD("another model", "spec.model.searchJob", "wine", ("spec.model cannot", "CompressionJob")),
    BAD("another candidate", "spec.candidates.0.name", "x", ("spec.candidates cannot", "goals")),
    BAD(
        "another amount", "spec.candidates.1.steps.0.prune.amount", "0.6", ("spec.candidates can",)
    ),
    BAD("auto later", "spec.auto", {"maxCandidates": 9}, ("spec.auto cannot change",)),
    BAD("another batch size", "spec.measurement.batchSizes", [8], ("spec.measurement cannot",)),
    BAD("fuller pods later", "spec.candidatesPerPod", 4, ("spec.candidatesPerPod cannot change",)),
    BAD("storage later", "spec.storage", {"uri": "pvc://a"}, ("spec.storage cannot change",)),
    BAD("a task later", "spec.task.data.kind", "Regression", ("spec.task can",), base="artifact"),
    BAD("a goal that is none", f"{GOAL}.maxDrop", "-1", ("maxDrop is -1", "from 0")),
)
