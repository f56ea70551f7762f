"""The CompressionJob kind: from a model to the smallest and fastest that keeps the goals."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from winnow_operator.api.compression_steps import (
    Distill,
    Importance,
    LayerKind,
    Prune,
    PruneSchedule,
    PruneScope,
    PruneUnit,
    Quantize,
    QuantizeMode,
    Step,
    Student,
    Transfer,
)
from winnow_operator.api.compressionjob_rules import (
    CANDIDATE_RULES,
    FINISHED_SPEC,
    GOAL_RULES,
    MODEL_RULES,
    SPEC_RULES,
)
from winnow_operator.api.compressionjob_status import CompressionJobStatus
from winnow_operator.api.fields import ApiModel, DecimalString, Digest, DurationString, JobName
from winnow_operator.api.rules import atomic_list, named_list, rules, set_list, unknown_fields
from winnow_operator.api.searchjob import Storage
from winnow_operator.api.searchjob_rules import DURATIONS, JOB_NAME
from winnow_operator.api.task import Task

__all__ = [
    "Auto",
    "AutoAlgorithm",
    "Candidate",
    "CompressionBudget",
    "CompressionGoal",
    "CompressionJob",
    "CompressionJobSpec",
    "CompressionJobStatus",
    "Distill",
    "Importance",
    "LayerKind",
    "MeasurementSpec",
    "MetricName",
    "Prune",
    "PruneSchedule",
    "PruneScope",
    "PruneUnit",
    "Quantize",
    "QuantizeMode",
    "SourceModel",
    "Step",
    "StepKind",
    "Storage",
    "Student",
    "Task",
    "Transfer",
]

Preference = Annotated[
    str, Field(pattern=r"^[a-z][a-z0-9_]*(@[1-9][0-9]{0,2})?$", min_length=1, max_length=63)
]
"""A metric, with `@` and a batch size where it is not the first."""


class MetricName(StrEnum):
    """What is measured of every candidate: the metrics of `winnow_contract.measuring.metrics`."""

    ACCURACY = "accuracy"
    BALANCED_ACCURACY = "balanced_accuracy"
    F1 = "f1"
    LOG_LOSS = "log_loss"
    RMSE = "rmse"
    MAE = "mae"
    R2 = "r2"
    LATENCY_P50_SECONDS = "latency_p50_seconds"
    LATENCY_P95_SECONDS = "latency_p95_seconds"
    LATENCY_P99_SECONDS = "latency_p99_seconds"
    THROUGHPUT_ROWS_PER_SECOND = "throughput_rows_per_second"
    CPU_SECONDS = "cpu_seconds"
    SIZE_BYTES = "size_bytes"
    MEMORY_BYTES = "memory_bytes"
    PARAMETERS = "parameters"
    OPERATIONS = "operations"
    QUANTIZED_SHARE = "quantized_share"


class StepKind(StrEnum):
    """Kinds of steps."""

    QUANTIZE = "Quantize"
    PRUNE = "Prune"
    DISTILL = "Distill"


class AutoAlgorithm(StrEnum):
    """How chains are searched."""

    TPE = "TPE"
    RANDOM = "Random"


class SourceModel(ApiModel):
    """The model that is made smaller."""

    model_config = ConfigDict(json_schema_extra=rules(*MODEL_RULES))

    search_job: JobName | None = None
    """Name of a SearchJob of this namespace; its winner is waited for."""
    uri: str | None = Field(default=None, min_length=1, max_length=512)
    """`pvc://CLAIM/PATH` of an artifact, instead of a SearchJob."""
    digest: Digest | None = None
    """`sha256:` of that artifact's manifest."""


class Candidate(ApiModel):
    """A named chain of steps."""

    model_config = ConfigDict(json_schema_extra=rules(*CANDIDATE_RULES))

    name: str = Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$", min_length=1, max_length=40)
    """Name of the candidate, such as `half-int8`."""
    steps: tuple[Step, ...] = Field(min_length=1, max_length=8, json_schema_extra=atomic_list())
    """What is done, one step after the other; quantize comes last."""


class Auto(ApiModel):
    """Chains that are written and searched for you, in rounds."""

    max_candidates: int = Field(default=12, ge=1, le=100)
    """How many candidates are made in all, the named ones among them, the baseline not."""
    steps: tuple[StepKind, ...] = Field(
        default=(StepKind.QUANTIZE, StepKind.PRUNE, StepKind.DISTILL),
        min_length=1,
        max_length=3,
        json_schema_extra=set_list(),
    )
    """Kinds of steps that may be used."""
    candidates_per_round: int = Field(default=4, ge=1, le=15)
    """How many are built and measured before the next are written."""
    algorithm: AutoAlgorithm = AutoAlgorithm.TPE
    """How the next are found, after the recipes that are known to be good: TPE or Random."""
    seed: int = Field(default=0, ge=0, le=2_147_483_647)
    """Makes the search repeatable."""


class CompressionGoal(ApiModel):
    """What a candidate must keep, against the baseline measured beside it."""

    model_config = ConfigDict(json_schema_extra=rules(*GOAL_RULES))

    metric: MetricName
    """What is measured: a quality metric of the task, a latency, throughput, size and more."""
    batch_size: int | None = Field(default=None, ge=1, le=256)
    """One of `measurement.batchSizes`, for times and throughput; by default the first."""
    max_drop: DecimalString | None = None
    """How much worse it may become, absolute."""
    min_speedup: DecimalString | None = None
    """How many times as fast it must be: the baseline's time over the candidate's."""
    max_ratio: DecimalString | None = None
    """The largest share of the baseline's value."""
    min: DecimalString | None = None
    """The smallest value."""
    max: DecimalString | None = None
    """The largest value."""


class MeasurementSpec(ApiModel):
    """How candidates are measured: in the serving runtime, all in one pod."""

    batch_sizes: tuple[Annotated[int, Field(ge=1, le=256)], ...] = Field(
        default=(1,), min_length=1, max_length=4, json_schema_extra=set_list()
    )
    """Rows of a request; the first is meant where a goal names none."""
    threads: int = Field(default=1, ge=1, le=64)
    """Threads that the runtime uses, and processors that the pod asks for."""
    repetitions: int = Field(default=5, ge=3, le=100)
    """How often every candidate is measured, in turn with all others."""
    resources: dict[str, Any] | None = Field(default=None, json_schema_extra=unknown_fields())
    """`requests` and `limits` of the measuring pod, those that serving will have."""


class CompressionBudget(ApiModel):
    """How much may be spent."""

    model_config = ConfigDict(json_schema_extra=rules(*DURATIONS))

    parallelism: int = Field(default=2, ge=1, le=100)
    """How many pods build at one time; lowering it stops the newest, whose candidates run again."""
    max_failed_trials: int = Field(default=99_999, ge=0, le=99_999)
    """The job fails once more candidates than this have failed; by default none is too many."""
    max_duration: DurationString | None = None
    """Time from the first batch, without the time suspended, after which the job ends."""
    max_trial_duration: DurationString | None = None
    """Time of one candidate: one that takes longer has failed with `DeadlineExceeded`. A pod is ended
    after this long for each of its candidates."""
    retries_per_trial: int = Field(default=1, ge=0, le=10)
    """How often a pod that crashed is started again for the same candidates."""


class CompressionJobSpec(ApiModel):
    """What the user asks for."""

    model_config = ConfigDict(json_schema_extra=rules(*SPEC_RULES))

    model: SourceModel
    """The model that is made smaller."""
    task: Task | None = None
    """Model, data and evaluation, for an artifact whose manifest does not say them."""
    candidates: tuple[Candidate, ...] = Field(
        default=(), max_length=15, json_schema_extra=named_list("name")
    )
    """Chains of steps by name; the source as it is, `baseline`, is always a candidate too."""
    auto: Auto | None = None
    """Writes and searches chains; beside named candidates, or instead of them."""
    goals: tuple[CompressionGoal, ...] = Field(
        default=(), max_length=8, json_schema_extra=atomic_list()
    )
    """What a candidate must keep to be selected; may be edited at any time."""
    prefer: tuple[Preference, ...] = Field(default=(), max_length=8, json_schema_extra=set_list())
    """Metrics by which those that meet the goals are chosen from, the most important first, as
    `latency_p95_seconds` or `throughput_rows_per_second@64`; may be edited at any time."""
    measurement: MeasurementSpec = MeasurementSpec()
    """How candidates are measured."""
    budget: CompressionBudget = CompressionBudget()
    """How much may be spent; may be edited while the job runs."""
    candidates_per_pod: int = Field(default=1, ge=1, le=8)
    """How many candidates one pod builds one after the other; they share its start, which takes
    seconds of a core."""
    pod_template: dict[str, Any] | None = Field(default=None, json_schema_extra=unknown_fields())
    """Fields that are laid over the pods: `metadata` (labels, annotations) and `spec`
    (resources, nodeSelector, tolerations, affinity, env, volumes and more)."""
    storage: Storage | None = None
    """Where artifacts go; without it, the operator's default claim of the namespace."""
    suspend: bool = False
    """Stops all pods and keeps what is recorded; may be edited while the job runs."""
    ttl_seconds_after_finished: int | None = Field(default=None, ge=0, le=31_536_000)
    """Deletes the job and its Trials so long after its end; files on a claim stay."""


class CompressionJob(ApiModel):
    """From a trained model to the smallest and fastest one that keeps the goals, with proof."""

    model_config = ConfigDict(json_schema_extra=rules(JOB_NAME, FINISHED_SPEC))

    spec: CompressionJobSpec
    """What you ask for."""
    status: CompressionJobStatus = CompressionJobStatus()
    """What has come of it so far; the operator writes it."""
