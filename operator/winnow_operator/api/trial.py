"""The Trial kind: one record per trial. Only the operator writes it.

A Trial is made Active before its pod starts, and gets its outcome once, for good. Its lists are
written as a whole (atomic): the record of who wrote each entry would be larger than they are.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from winnow_operator.api.fields import (
    EXACT_INTEGER,
    ApiModel,
    DecimalString,
    ParameterName,
    Timestamp,
)
from winnow_operator.api.rules import Rule, atomic_list, rules, said

StepText = Annotated[str, Field(max_length=4096)]
"""One step of a candidate with all its options, as compact JSON."""


class Outcome(StrEnum):
    """What became of a trial."""

    ACTIVE = "Active"
    SUCCEEDED = "Succeeded"
    STOPPED = "Stopped"
    FAILED = "Failed"


class FaultScope(StrEnum):
    """Whose fault a failure is: this trial's own, or the job's (the same for all)."""

    TRIAL = "Trial"
    JOB = "Job"


class Assignment(ApiModel):
    """One parameter and the value that the trial got for it."""

    name: ParameterName
    """Name of the parameter in `spec.space`."""
    value: str = Field(max_length=256)
    """The value as text; `int` and `double` reach the trial as numbers."""


class MetricValue(ApiModel):
    """One measured metric."""

    metric: str = Field(max_length=63)
    """Name of the metric; `NAME@B` is measured with B rows in a request."""
    value: DecimalString
    """What was measured."""
    standard_error: DecimalString | None = None
    """Standard error of the value, where it is known."""


class Artifact(ApiModel):
    """Where a trained model lies, and how to know that it is the one."""

    uri: str = Field(max_length=1024)
    """Folder of the artifact, `pvc://claim/path`."""
    digest: str = Field(max_length=80)
    """`sha256:` of its manifest, which holds the digests of all its files."""
    format: str = Field(max_length=63)
    """Format of the artifact, such as `winnow/safetensors-v1`."""
    size_bytes: int = Field(ge=0)
    """Size of all its files in bytes."""


_FIXED_SPEC = Rule(
    "self == oldSelf",
    "spec of a Trial is the record of what was suggested; it never changes",
)
_FIXED_OUTCOME = Rule(
    "oldSelf.outcome == 'Active' || self == oldSelf",
    "a Trial with an outcome is a record; its status never changes again",
    said(
        "outcome is %s already: a Trial with an outcome is a record, its status never changes again",
        "oldSelf.outcome",
    ),
)


class TrialSpec(ApiModel):
    """What was suggested; it never changes."""

    model_config = ConfigDict(json_schema_extra=rules(_FIXED_SPEC))

    number: int = Field(ge=1, le=99_999)
    """Number of the trial in its job, from 1."""
    parameters: tuple[Assignment, ...] = Field(
        default=(), max_length=32, json_schema_extra=atomic_list()
    )
    """The values that the search suggested."""
    seed: int = Field(ge=0, le=EXACT_INTEGER)
    """Seed of the trial's own randomness."""
    history: str = Field(default="", max_length=16384)
    """Numbers of the trials whose outcome was known when this one was suggested (`1-8,12`)."""
    final_of: int | None = Field(default=None, ge=1, le=99_999)
    """Number of the trial that it trains once more after the search, for the model to keep."""
    candidate: str | None = Field(default=None, max_length=63)
    """Name of the candidate that it is, in a CompressionJob; `baseline` is the source as it is."""
    steps: tuple[StepText, ...] = Field(default=(), max_length=8, json_schema_extra=atomic_list())
    """The candidate's steps with all options, each as compact JSON."""
    parent: str | None = Field(default=None, max_length=80)
    """`sha256:` of the artifact that the candidate is made from."""


class RungValue(ApiModel):
    """The objective at a rung of early stopping."""

    rung: int = Field(ge=1)
    """Epochs or steps, as `spec.earlyStopping.resource` of the job says."""
    value: DecimalString
    """What was measured there."""


class TrialStatus(ApiModel):
    """What became of it."""

    model_config = ConfigDict(json_schema_extra=rules(_FIXED_OUTCOME))

    outcome: Outcome = Outcome.ACTIVE
    """Active, then once Succeeded, Stopped (by a rule) or Failed (by its own fault)."""
    score: DecimalString | None = None
    """The objective with its sign so that lower is better; kubectl sorts by it. Of a trial that early
    stopping has stopped, that at its last rung."""
    values: tuple[MetricValue, ...] = Field(
        default=(), max_length=32, json_schema_extra=atomic_list()
    )
    """Metrics on the validation split, the objective first; of a candidate also those of the
    serving runtime."""
    fold_values: str | None = Field(default=None, max_length=400)
    """The objective on each fold, in their order, where trials are compared by folds."""
    violation: DecimalString | None = None
    """How far it is from keeping the constraints, relative to their limits and added up; absent if it
    keeps them. Such a trial cannot win."""
    test: tuple[MetricValue, ...] = Field(default=(), max_length=8, json_schema_extra=atomic_list())
    """The objective's metric on the test split, of a candidate all quality metrics; nothing that
    chooses reads it."""
    rungs: tuple[RungValue, ...] = Field(default=(), max_length=32, json_schema_extra=atomic_list())
    """The objective at each rung of early stopping that was reached."""
    artifact: Artifact | None = None
    """The trained model; of a candidate that waits for its measurement, the one that was built."""
    baseline: tuple[MetricValue, ...] = Field(
        default=(), max_length=32, json_schema_extra=atomic_list()
    )
    """Of a candidate of another round than the baseline's own Trial: what the baseline measured
    there, but for what came out the same."""
    round: int | None = Field(default=None, ge=1)
    """Of a candidate: the round that measured it."""
    cause: str | None = Field(default=None, max_length=63)
    """Why it failed or was stopped, or why its pod cannot start, in one word such as `OOMKilled`."""
    message: str | None = Field(default=None, max_length=256)
    """The same as a sentence, with the pod's own words."""
    scope: FaultScope | None = None
    """Whose fault a failure is."""
    attempts: int | None = Field(default=None, ge=0)
    """How many pods ran it, since the last suspension if there was one."""
    batch: str | None = Field(default=None, max_length=63)
    """Name of the Job that ran it last."""
    completion_time: Timestamp | None = None
    """When the outcome was recorded."""


class Trial(ApiModel):
    """A record of one trial of a SearchJob, or of one candidate of a CompressionJob."""

    spec: TrialSpec
    """What was suggested."""
    status: TrialStatus = TrialStatus()
    """What became of it."""
