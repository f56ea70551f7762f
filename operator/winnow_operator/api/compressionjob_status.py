"""The status of a CompressionJob: what was built, measured and chosen.

Lists of figures are replaced as a whole (atomic): they are written together, and the record of who
wrote each of them would be larger than they are.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from winnow_operator.api.conditions import Condition
from winnow_operator.api.fields import ApiModel, DecimalString, Timestamp
from winnow_operator.api.rules import atomic_list, named_list
from winnow_operator.api.searchjob import TrialCounts
from winnow_operator.api.trial import Artifact, MetricValue, StepText


class SourceStatus(ApiModel):
    """The artifact that candidates are made from; it never changes once it is known."""

    uri: str = Field(max_length=1024)
    """Folder of the artifact, `pvc://claim/path`."""
    digest: str = Field(max_length=80)
    """`sha256:` of its manifest."""
    trial: str | None = Field(default=None, max_length=63)
    """Name of the Trial that won the search, where it comes from one."""
    family: str | None = Field(default=None, max_length=63)
    """Model family, where the search or `spec.task` says it."""
    data: str | None = Field(default=None, max_length=512)
    """URI of the data that the search has trained on, whose claim the pods need."""


class Ratio(ApiModel):
    """A value as a share of the baseline's in the same round."""

    metric: str = Field(max_length=63)
    """Key of the metric, such as `latency_p95_seconds@64`."""
    value: DecimalString
    """The candidate's value over the baseline's."""


class CandidateStatus(ApiModel):
    """A candidate that was measured: the baseline, or the selected one."""

    trial: str = Field(max_length=63)
    """Name of its Trial."""
    candidate: str = Field(max_length=63)
    """Name of the candidate."""
    steps: tuple[StepText, ...] = Field(default=(), max_length=8, json_schema_extra=atomic_list())
    """Its steps with all options, each as compact JSON."""
    values: tuple[MetricValue, ...] = Field(
        default=(), max_length=32, json_schema_extra=atomic_list()
    )
    """Of its figures the first quality metric, the speed that `speedup` is about, size and
    parameters, of the selected candidate also those of goals and prefer; its Trial has all. `NAME@B`
    is measured with B rows in a request."""
    ratios: tuple[Ratio, ...] = Field(default=(), max_length=32, json_schema_extra=atomic_list())
    """Of the selected candidate: the same as shares of the baseline's in its round."""
    test: tuple[MetricValue, ...] = Field(default=(), max_length=8, json_schema_extra=atomic_list())
    """The same quality on the test split; nothing that chooses reads it."""
    artifact: Artifact | None = None
    """The final artifact: the model, its manifest with the measurements, a model card."""
    reason: str | None = Field(default=None, max_length=1024)
    """Why it was selected, in words."""


class ClosestCandidate(ApiModel):
    """Where nothing meets the goals, the candidate that came closest."""

    trial: str = Field(max_length=63)
    """Name of its Trial."""
    candidate: str = Field(max_length=63)
    """Name of the candidate."""
    metric: str = Field(max_length=63)
    """Key of the goal that it misses most."""
    message: str = Field(max_length=512)
    """Which goal it misses by how much."""


Uri = Annotated[str, Field(max_length=1024)]


class CompressionJobStatus(ApiModel):
    """What has come of it so far."""

    observed_generation: int = -1
    """Generation of the spec that this status speaks of; -1 before the first reconcile."""
    conditions: tuple[Condition, ...] = Field(
        default=(), max_length=16, json_schema_extra=named_list("type")
    )
    """Reconciling, Stalled, Complete, Failed, Suspended, Degraded, GoalsMet."""
    state: str | None = Field(default=None, max_length=63)
    """One word for people: the reason that matters most now."""
    progress: str | None = Field(default=None, max_length=32)
    """Candidates with an outcome and candidates planned, the baseline among them, `3/5`."""
    trials: TrialCounts = TrialCounts()
    """Candidates by outcome."""
    rounds: int = Field(default=0, ge=0)
    """Rounds of measurement that are recorded."""
    active_pods: int = Field(default=0, ge=0)
    """Pods that run or wait to run."""
    source: SourceStatus | None = None
    """The artifact that candidates are made from."""
    baseline: CandidateStatus | None = None
    """The source as it is, measured like all others."""
    selected: CandidateStatus | None = None
    """The candidate that was chosen; the baseline where nothing meets the goals."""
    closest: ClosestCandidate | None = None
    """The candidate that came closest, where nothing meets the goals."""
    goals_generation: int | None = Field(default=None, ge=0)
    """Generation of the spec whose goals and prefer made the choice."""
    report: Uri | None = None
    """Folder of the report for people, `report.html`, on the claim."""
    metric: str | None = Field(default=None, max_length=63)
    """The first quality metric."""
    selected_value: DecimalString | None = None
    """Its value of the selected candidate, on the validation split."""
    speedup: str | None = Field(default=None, max_length=16)
    """How many times as fast the selected candidate is, `9.4x`: of the first time or throughput in
    prefer or goals, else of `latency_p95_seconds`."""
    size: str | None = Field(default=None, max_length=16)
    """Size of the selected model's `model.onnx`, `97Ki`."""
    start_time: Timestamp | None = None
    """When the first batch was made."""
    completion_time: Timestamp | None = None
    """When the job ended."""
    suspended_seconds: int = Field(default=0, ge=0)
    """Time spent suspended since the first batch, up to the last resume."""
    trainer_image: str | None = Field(default=None, max_length=512)
    """The image that builds all candidates of this job, pinned by digest at the first batch."""
    server_image: str | None = Field(default=None, max_length=512)
    """The image that measures them, pinned by digest at the first round."""
    pod_template_hash: str | None = Field(default=None, max_length=64)
    """Hash of `spec.podTemplate` as it was at the first batch."""
