"""What cannot be run: images, budgets, storage, pods.

The tables are those of `bad_specs`.
"""

from __future__ import annotations

from tests.contract.base_specs import MISSING, TASK, TWO, URI, WIDTH, BadSpec, changed, pod_of

ADMISSION: tuple[BadSpec, ...] = (
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
        ("spec.budget.maxDuration", "maxDuration is 1 hour", "such as 1m30s"),
    ),
    BadSpec(
        "a duration of days",
        "spec.budget.maxDuration",
        "2d",
        ("spec.budget.maxDuration", "maxDuration is 2d", "such as 1m30s"),
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
    # early stopping
    BadSpec(
        "no such rule",
        "spec.earlyStopping",
        {"algorithm": "Hyperband"},
        ("spec.earlyStopping.algorithm", '"Hyperband"', '"ASHA", "Median"'),
    ),
    BadSpec(
        "rungs in hours",
        "spec.earlyStopping",
        {"resource": "Hours"},
        ("spec.earlyStopping.resource", '"Hours"', '"Epochs", "Steps"'),
    ),
    BadSpec(
        "a first rung before the beginning",
        "spec.earlyStopping",
        {"minimum": 0},
        ("spec.earlyStopping.minimum", "0", "greater than or equal to 1"),
    ),
    BadSpec(
        "rungs that do not rise",
        "spec.earlyStopping",
        {"eta": 1},
        ("spec.earlyStopping.eta", "1", "greater than or equal to 2"),
    ),
    BadSpec(
        "a trial compared with itself",
        "spec.earlyStopping",
        {"minTrials": 1},
        ("spec.earlyStopping.minTrials", "1", "greater than or equal to 2"),
    ),
    BadSpec(
        "early stopping by several objectives",
        "spec",
        {**TASK["spec"], "objectives": TWO, "earlyStopping": {}},
        ("spec.earlyStopping", "objectives are 2", "keep one objective"),
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

OPERATOR: tuple[BadSpec, ...] = (
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
    # early stopping
    BadSpec(
        "a first rung that no trial reaches",
        "spec.earlyStopping",
        {"minimum": 20},
        ("spec.earlyStopping.minimum is 20", "no trial trains longer than 20 epochs"),
    ),
    BadSpec(
        "early stopping by what is known at the end",
        "spec",
        {
            **TASK["spec"],
            "objectives": [{"metric": "parameters", "goal": "Minimize"}],
            "earlyStopping": {},
        },
        ("spec.objectives[0].metric is parameters", "known at their end alone"),
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
        pod_of({"image": "a:1"}),
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
        pod_of({"env": [{"name": "WINNOW_ARTIFACTS", "value": "/x"}]}),
        ("env has WINNOW_ARTIFACTS", "taken", "WINNOW_*"),
    ),
    BadSpec(
        "a variable with a number",
        "spec.podTemplate",
        pod_of({"env": [{"name": "THREADS", "value": 4}]}),
        ("env has THREADS", "value 4", "quotes"),
    ),
    BadSpec(
        "a volume of the operator's",
        "spec.podTemplate",
        pod_of(volumes=[{"name": "winnow-tmp", "emptyDir": {}}]),
        ("volumes has winnow-tmp", "winnow-", "taken"),
    ),
    BadSpec(
        "a path of the node",
        "spec.podTemplate",
        pod_of(volumes=[{"name": "host", "hostPath": {"path": "/"}}]),
        ("volumes[host].hostPath is not allowed", "persistentVolumeClaim", "emptyDir"),
    ),
    BadSpec(
        "a token of a service account",
        "spec.podTemplate",
        pod_of(
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
        pod_of(tolerations={"key": "gpu"}),
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
    BadSpec("another task", URI, "builtin://wine", ("spec.task cannot change", "budget")),
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
    BadSpec("a wider space", f"{WIDTH}.max", 256, ("spec.space cannot change", "budget")),
    BadSpec(
        "another search to learn from",
        "spec.warmStart",
        [{"searchJob": "digits"}],
        ("spec.warmStart cannot change", "budget"),
    ),
    BadSpec(
        "finalists", "spec.finalists", {"count": 5}, ("spec.finalists cannot change", "budget")
    ),
    BadSpec("another seed", "spec.algorithm.seed", 8, ("spec.algorithm cannot change", "budget")),
    BadSpec(
        "early stopping later", "spec.earlyStopping", {}, ("spec.earlyStopping cannot change",)
    ),
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
