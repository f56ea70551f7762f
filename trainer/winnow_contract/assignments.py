"""The assignment file: what the pods of one batch are to run (JSON, at most 16 KB).

The operator writes it, the trial reads it; index i runs `trials[i * k : (i + 1) * k]` where k is
`trialsPerPod`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from winnow_contract.documents import Entries, read_document
from winnow_contract.errors import AssignmentsError, ContractVersionError
from winnow_contract.stopping import StoppingRule, read_rule, rule_document
from winnow_contract.version import CONTRACT_VERSION

__all__ = [
    "COMPRESSIONJOB",
    "MAX_BYTES",
    "Assignments",
    "AssignmentsError",
    "ContractVersionError",
    "JobIdentity",
    "ObjectiveSpec",
    "Source",
    "TrialAssignment",
    "Value",
    "decode_assignments",
    "encode_assignments",
    "job_document",
    "read_job",
    "read_objective",
]

MAX_BYTES = 16_000
"""Size of the file: it travels in an annotation of each pod."""

Value = int | float | str

COMPRESSIONJOB = "CompressionJob"
"""The kind of job whose trials are candidates."""
_FILE = "the assignment file"


@dataclass(frozen=True, slots=True)
class JobIdentity:
    """The job that the trials belong to."""

    kind: str
    namespace: str
    name: str
    uid: str

    @property
    def labels(self) -> dict[str, str]:
        """Labels of its trials' metrics, such as `searchjob="digits"`.

        Not `job` and `namespace`: Prometheus sets labels of these names itself.
        """
        return {self.kind.lower(): self.name}


@dataclass(frozen=True, slots=True)
class ObjectiveSpec:
    """What the trials are judged by."""

    metric: str
    goal: str
    """Maximize or Minimize."""


@dataclass(frozen=True, slots=True)
class Source:
    """The artifact that the candidates of a CompressionJob are made from."""

    uri: str
    """Folder of the artifact, `pvc://claim/path`."""
    digest: str
    """sha256 of its manifest in hex."""


@dataclass(frozen=True, slots=True)
class TrialAssignment:
    """One trial: its parameters and the seed of its randomness."""

    name: str
    number: int
    seed: int
    parameters: Mapping[str, Value]
    """`int` and `double` parameters are numbers, `choice` parameters are strings."""
    candidate: str = ""
    """Name of the candidate, `baseline` for the source as it is; empty in a SearchJob."""
    steps: tuple[Mapping[str, Any], ...] = ()
    """The chain of the candidate, resolved as by `steps.resolved.resolve_step`; none for the baseline."""
    final_of: int = 0
    """Number of the trial that it trains once more, for the model to keep; 0 while searching."""
    part: int = 0
    """Which part of its folds a pod trains, from 1, where they are spread; 0: all of them. It follows
    from the index."""
    architecture: Mapping[str, Any] | None = None
    """The net that the parameter `architecture` names, as JSON (`winnow_contract.models.nets`); only images
    of the user's own get it, the shared trainer reads the text."""


@dataclass(frozen=True, slots=True)
class Assignments:
    """The whole file."""

    job: JobIdentity
    objectives: tuple[ObjectiveSpec, ...]
    trials: tuple[TrialAssignment, ...]
    trials_per_pod: int = 1
    pods_per_trial: int = 1
    """Over how many pods the folds of each trial are spread; then `trials_per_pod` is 1."""
    task: Mapping[str, Any] | None = field(default=None)
    """Model, data and evaluation for the shared trainer; None for images of the user's own."""
    rival: tuple[float, ...] = ()
    """The objective on each fold of the best trial so far, where trials are compared by folds."""
    constraints: tuple[str, ...] = ()
    """Metrics that every result must have besides the objectives, because they are limited."""
    source: Source | None = None
    """What candidates are made from; None in a SearchJob."""
    early_stopping: StoppingRule | None = None
    """When trials are stopped that are not worth going on."""
    max_trial_seconds: int | None = None
    """How long one trial may take."""

    def of_index(self, index: int) -> tuple[TrialAssignment, ...]:
        """The trials that the pod with this completion index runs.

        Raises:
            AssignmentsError: if there are none for it.
        """
        if self.pods_per_trial > 1:
            return self._part_of_index(index)
        start = index * self.trials_per_pod
        trials = self.trials[start : start + self.trials_per_pod] if index >= 0 else ()
        if not trials:
            raise AssignmentsError(
                f"completion index {index} has no trials: the file holds {len(self.trials)}, "
                f"{self.trials_per_pod} for each pod"
            )
        return trials

    def _part_of_index(self, index: int) -> tuple[TrialAssignment, ...]:
        place, part = divmod(index, self.pods_per_trial)
        if not 0 <= place < len(self.trials):
            raise AssignmentsError(
                f"completion index {index} has no part of a trial: the file holds "
                f"{len(self.trials)}, {self.pods_per_trial} pods for each"
            )
        return (replace(self.trials[place], part=part + 1),)


def encode_assignments(assignments: Assignments) -> str:
    """The file as compact JSON."""
    job = assignments.job
    source = assignments.source
    document = {
        "contractVersion": CONTRACT_VERSION,
        "job": job_document(job),
        "task": assignments.task,
        "objectives": [{"metric": o.metric, "goal": o.goal} for o in assignments.objectives],
        **({"constraints": list(assignments.constraints)} if assignments.constraints else {}),
        "trialsPerPod": assignments.trials_per_pod,
        **({"rival": list(assignments.rival)} if assignments.rival else {}),
        **({"podsPerTrial": assignments.pods_per_trial} if assignments.pods_per_trial > 1 else {}),
        **({"source": {"uri": source.uri, "digest": source.digest}} if source else {}),
        **_limits(assignments),
        "trials": [_trial_document(trial) for trial in assignments.trials],
    }
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _limits(assignments: Assignments) -> dict[str, Any]:
    """What may end a trial before it ends by itself."""
    rule, seconds = assignments.early_stopping, assignments.max_trial_seconds
    return {
        **({"earlyStopping": rule_document(rule)} if rule else {}),
        **({"maxTrialSeconds": seconds} if seconds else {}),
    }


def job_document(job: JobIdentity) -> dict[str, str]:
    """The job as it stands in files."""
    return {"kind": job.kind, "namespace": job.namespace, "name": job.name, "uid": job.uid}


def _trial_document(trial: TrialAssignment) -> dict[str, Any]:
    chain = {"candidate": trial.candidate, "steps": [dict(step) for step in trial.steps]}
    return {
        "name": trial.name,
        "number": trial.number,
        "seed": trial.seed,
        "parameters": dict(trial.parameters),
        **(chain if trial.candidate else {}),
        **({"finalOf": trial.final_of} if trial.final_of else {}),
        **({"architecture": dict(trial.architecture)} if trial.architecture else {}),
    }


def decode_assignments(text: str) -> Assignments:
    """Read the file.

    Raises:
        ContractVersionError: if it is of a version that this code does not read.
        AssignmentsError: if it is not such a file.
    """
    return _assignments(read_document(text, _FILE))


def _assignments(entries: Entries) -> Assignments:
    job = read_job(entries)
    task = entries.document.get("task")
    if task is not None and not isinstance(task, dict):
        raise AssignmentsError(f"'task' of {_FILE} must be an object or null")
    trials_per_pod = entries.whole("trialsPerPod", minimum=1)
    objectives = tuple(read_objective(item) for item in entries.items("objectives"))
    if not objectives:
        raise AssignmentsError(f"'objectives' of {_FILE} is empty, one is needed")
    is_compression = job.kind == COMPRESSIONJOB
    return Assignments(
        job=job,
        objectives=objectives,
        trials=tuple(
            _trial(item, is_compression=is_compression) for item in entries.items("trials")
        ),
        trials_per_pod=trials_per_pod,
        pods_per_trial=(
            entries.whole("podsPerTrial", minimum=1) if "podsPerTrial" in entries.document else 1
        ),
        task=task,
        constraints=_constraints(entries),
        rival=_rival(entries),
        source=_source(entries.below("source")) if is_compression else None,
        early_stopping=(
            read_rule(entries.below("earlyStopping"))
            if "earlyStopping" in entries.document
            else None
        ),
        max_trial_seconds=(
            entries.whole("maxTrialSeconds", minimum=1)
            if "maxTrialSeconds" in entries.document
            else None
        ),
    )


def _rival(entries: Entries) -> tuple[float, ...]:
    values = entries.document.get("rival", [])
    is_list = isinstance(values, list) and all(type(value) in {int, float} for value in values)
    if not is_list:
        raise AssignmentsError(f"'rival' of {_FILE} must be a list of numbers")
    return tuple(map(float, values))


def _constraints(entries: Entries) -> tuple[str, ...]:
    names = entries.document.get("constraints", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise AssignmentsError(f"'constraints' of {_FILE} must be a list of names")
    return tuple(names)


def read_job(entries: Entries) -> JobIdentity:
    """The job that a file is of.

    Raises:
        AssignmentsError: if it names none.
    """
    job = entries.below("job")
    return JobIdentity(*(job.text(key) for key in ("kind", "namespace", "name", "uid")))


def read_objective(item: Entries) -> ObjectiveSpec:
    """An objective of a file.

    Raises:
        AssignmentsError: if it is none.
    """
    return ObjectiveSpec(item.text("metric"), item.text("goal"))


def _source(item: Entries) -> Source:
    return Source(item.claim_uri("uri"), item.digest("digest"))


def _trial(item: Entries, *, is_compression: bool) -> TrialAssignment:
    parameters = item.mapping("parameters")
    for name, value in parameters.items():
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise AssignmentsError(f"parameter {name!r} is {value!r}, not a number or a text")
    return TrialAssignment(
        name=item.name_of_trial("name"),
        number=item.whole("number"),
        seed=item.whole("seed"),
        parameters=parameters,
        candidate=item.text("candidate") if is_compression else "",
        steps=tuple(step.document for step in item.items("steps")) if is_compression else (),
        final_of=item.whole("finalOf") if "finalOf" in item.document else 0,
        architecture=item.mapping("architecture") if "architecture" in item.document else None,
    )
