"""The SearchJob kind: a bounded search from a task and a space to a winner."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import ConfigDict, Field

from winnow_operator.api.algorithms import AlgorithmName
from winnow_operator.api.conditions import Condition
from winnow_operator.api.early_stopping import EarlyStopping, RungProgress
from winnow_operator.api.fields import ApiModel, DecimalString, DurationString, Timestamp
from winnow_operator.api.rules import INSIDE_CLAIM, atomic_list, named_list, rules, unknown_fields
from winnow_operator.api.searchjob_rules import (
    CONSTRAINT_LIMITS,
    DURATIONS,
    FINISHED_SPEC,
    JOB_NAME,
    MAX_OBJECTIVES,
    SPEC_RULES,
    STORAGE_FORM,
)
from winnow_operator.api.space import (
    Choice,
    DoubleRange,
    IntRange,
    Parameter,
    Scale,
    Space,
    When,
)
from winnow_operator.api.task import (
    Data,
    DataKind,
    Evaluation,
    Family,
    Model,
    OwnTrial,
    Setting,
    Task,
)
from winnow_operator.api.trial import Artifact, Assignment, MetricValue

__all__ = [
    "Algorithm",
    "AlgorithmName",
    "Budget",
    "Choice",
    "Constraint",
    "Data",
    "DataKind",
    "DoubleRange",
    "Evaluation",
    "Family",
    "Goal",
    "IntRange",
    "Model",
    "Objective",
    "OwnTrial",
    "Parameter",
    "ParetoTrial",
    "Scale",
    "SearchJob",
    "SearchJobSpec",
    "SearchJobStatus",
    "Setting",
    "Space",
    "StartPoint",
    "Storage",
    "Task",
    "TrialCounts",
    "When",
    "Winner",
]


MAX_PARETO = 20
"""Trials of a Pareto set that a status shows."""


class Goal(StrEnum):
    """Direction of an objective."""

    MAXIMIZE = "Maximize"
    MINIMIZE = "Minimize"


class Objective(ApiModel):
    """What the search makes better."""

    metric: str = Field(min_length=1, max_length=63, pattern=r"^[a-z][a-z0-9_]*$")
    """Name of the metric that the trial reports, such as `accuracy`."""
    goal: Goal
    """Maximize or Minimize."""
    target: DecimalString | None = None
    """The search ends when a trial reaches this value; with several objectives, when all have a
    target and one trial reaches them all."""


class Constraint(ApiModel):
    """A limit on a metric that the winner must keep."""

    model_config = ConfigDict(json_schema_extra=rules(*CONSTRAINT_LIMITS))

    metric: str = Field(min_length=1, max_length=63, pattern=r"^[a-z][a-z0-9_]*$")
    """Name of the metric that the trial reports; it may be an objective's."""
    min: DecimalString | None = None
    """The lowest value that is allowed."""
    max: DecimalString | None = None
    """The highest value that is allowed."""


class Algorithm(ApiModel):
    """How it is searched."""

    name: AlgorithmName = AlgorithmName.TPE
    """Grid (every point once), Random, QMC (a Sobol' sequence: more even than Random), TPE
    (tree-structured Parzen estimator), CMAES (covariance matrix adaptation, for numbers), or NSGAII
    (a genetic algorithm, for several objectives)."""
    seed: int | None = Field(default=None, ge=0, le=2_147_483_647)
    """Makes the search repeatable; a Grid with a seed goes through its points in random order."""


class StartPoint(ApiModel):
    """A point that is tried before the algorithm suggests any."""

    parameters: tuple[Assignment, ...] = Field(
        min_length=1, max_length=32, json_schema_extra=named_list("name")
    )
    """A value for each parameter that belongs to it."""


class Budget(ApiModel):
    """How much may be spent."""

    model_config = ConfigDict(json_schema_extra=rules(*DURATIONS))

    max_trials: int | None = Field(default=None, ge=1, le=99_999)
    """How many trials are made, whatever becomes of them; a Grid may leave it out."""
    parallelism: int = Field(default=4, ge=1, le=1000)
    """How many pods run at one time; lowering it stops the newest, whose trials run again."""
    max_failed_trials: int = Field(default=3, ge=0, le=99_999)
    """The job fails once more trials than this have failed."""
    max_duration: DurationString | None = None
    """Time from the first batch, without the time suspended, after which the job ends."""
    max_trial_duration: DurationString | None = None
    """Time after which a trial's pod is ended and the trial has failed."""
    retries_per_trial: int = Field(default=1, ge=0, le=10)
    """How often a pod that crashed is started again for the same trials."""


class Storage(ApiModel):
    """Where artifacts are written."""

    model_config = ConfigDict(json_schema_extra=rules(STORAGE_FORM, INSIDE_CLAIM))

    uri: str = Field(min_length=1, max_length=512)
    """`pvc://CLAIM/PATH` of a claim in the job's namespace."""


class SearchJobSpec(ApiModel):
    """What the user asks for."""

    model_config = ConfigDict(json_schema_extra=rules(*SPEC_RULES))

    task: Task | None = None
    """What the shared trainer trains; give this or `trial`."""
    trial: OwnTrial | None = None
    """An image of your own under the trial contract; give this or `task`."""
    objectives: tuple[Objective, ...] = Field(
        min_length=1, max_length=MAX_OBJECTIVES, json_schema_extra=named_list("metric")
    )
    """What the search makes better. Of several, the winner is the best compromise of the Pareto set:
    of those that meet all targets, if any do, the nearest to the best value of each."""
    constraints: tuple[Constraint, ...] = Field(
        default=(), max_length=4, json_schema_extra=named_list("metric")
    )
    """Limits on what trials measure; only a trial that keeps all of them can win."""
    space: Space
    """What is searched."""
    algorithm: Algorithm = Algorithm()
    """How it is searched."""
    start: tuple[StartPoint, ...] = Field(
        default=(), max_length=32, json_schema_extra=atomic_list()
    )
    """Points that are tried first, such as the best known so far; the algorithm learns from them."""
    budget: Budget = Budget()
    """How much may be spent; may be edited while the job runs."""
    early_stopping: EarlyStopping | None = None
    """When trials that are not worth going on are stopped; left out: never."""
    trials_per_pod: int = Field(default=1, ge=1, le=32)
    """How many trials one pod runs one after the other."""
    pod_template: dict[str, Any] | None = Field(default=None, json_schema_extra=unknown_fields())
    """Fields that are laid over the trial pods: `metadata` (labels, annotations) and `spec`
    (resources, nodeSelector, tolerations, affinity, env, volumes and more)."""
    storage: Storage | None = None
    """Where artifacts go; without it, the operator's default claim of the namespace."""
    suspend: bool = False
    """Stops all pods and keeps what is recorded; may be edited while the job runs."""
    ttl_seconds_after_finished: int | None = Field(default=None, ge=0, le=31_536_000)
    """Deletes the job and its Trials so long after its end; files on a claim stay."""


class TrialCounts(ApiModel):
    """How many trials there are of each outcome."""

    total: int = Field(default=0, ge=0)
    """All trials that were made."""
    active: int = Field(default=0, ge=0)
    """Waiting for an outcome."""
    succeeded: int = Field(default=0, ge=0)
    """Ended well."""
    stopped: int = Field(default=0, ge=0)
    """Stopped by a rule."""
    failed: int = Field(default=0, ge=0)
    """Failed by their own fault."""


class Winner(ApiModel):
    """The best trial."""

    trial: str = Field(max_length=63)
    """Name of its Trial."""
    parameters: tuple[Assignment, ...] = Field(
        default=(), max_length=32, json_schema_extra=atomic_list()
    )
    """The values it was given."""
    values: tuple[MetricValue, ...] = Field(
        default=(), max_length=32, json_schema_extra=atomic_list()
    )
    """Metrics on the validation split, or means over the folds; the objective first."""
    final_trial: str | None = Field(default=None, max_length=63)
    """Name of the Trial that trained it once more, where the search has folds: test values and
    artifact are of that one."""
    test: tuple[MetricValue, ...] = Field(default=(), max_length=8, json_schema_extra=atomic_list())
    """The objective's metric on the test split."""
    artifact: Artifact | None = None
    """The trained model."""
    reason: str | None = Field(default=None, max_length=512)
    """Why it is this one, where there are several objectives."""
    warning: str | None = Field(default=None, max_length=512)
    """Says when the lead over the runner-up is within one standard error."""


class LiveTrial(ApiModel):
    """The best of the trials that run now, as Prometheus has it."""

    trial: str = Field(max_length=63)
    """Name of its Trial."""
    value: DecimalString
    """The latest value of the objective."""
    step: int | None = Field(default=None, ge=0)
    """The latest epoch, or step of a program of your own."""


class ParetoTrial(ApiModel):
    """A trial that no other beats in all objectives."""

    trial: str = Field(max_length=63)
    """Name of its Trial."""
    values: tuple[DecimalString, ...] = Field(
        max_length=MAX_OBJECTIVES, json_schema_extra=atomic_list()
    )
    """Its value for each objective, in their order."""


class SearchJobStatus(ApiModel):
    """What has come of it so far."""

    observed_generation: int = -1
    """Generation of the spec that this status speaks of; -1 before the first reconcile."""
    conditions: tuple[Condition, ...] = Field(
        default=(), max_length=16, json_schema_extra=named_list("type")
    )
    """Reconciling, Stalled, Complete, Failed, Suspended, Degraded, MetricsAvailable."""
    state: str | None = Field(default=None, max_length=63)
    """One word for people: the reason that matters most now."""
    progress: str | None = Field(default=None, max_length=32)
    """Trials with an outcome and trials planned, `12/60`."""
    trials: TrialCounts = TrialCounts()
    """Trials by outcome."""
    active_pods: int = Field(default=0, ge=0)
    """Pods that run or wait to run."""
    metric: str | None = Field(default=None, max_length=63)
    """The objective's metric; of several objectives the first one's."""
    best_value: DecimalString | None = None
    """The best objective value so far; of several objectives the winner's value for the first."""
    live: LiveTrial | None = None
    """The best of the trials that run, where Prometheus is there; it lags by a scrape and up to half
    a minute."""
    rungs: tuple[RungProgress, ...] = Field(
        default=(), max_length=32, json_schema_extra=atomic_list()
    )
    """What early stopping has let go on, so that no trial is decided twice at a rung."""
    pareto_size: int | None = Field(default=None, ge=0)
    """How many trials no other beats in all objectives, where there are several objectives."""
    pareto: tuple[ParetoTrial, ...] = Field(
        default=(), max_length=MAX_PARETO, json_schema_extra=atomic_list()
    )
    """These trials, the best in the first objective first; of more than 20, the ends and some evenly
    between them."""
    winner: Winner | None = None
    """The best trial; final once the job is Complete."""
    start_time: Timestamp | None = None
    """When the first batch was made."""
    completion_time: Timestamp | None = None
    """When the job ended."""
    suspended_seconds: int = Field(default=0, ge=0)
    """Time spent suspended since the first batch, up to the last resume."""
    trainer_image: str | None = Field(default=None, max_length=512)
    """The image that all trials of this job run, pinned by digest at the first batch."""
    pod_template_hash: str | None = Field(default=None, max_length=64)
    """Hash of `spec.podTemplate` as it was at the first batch."""


class SearchJob(ApiModel):
    """A search for the best parameters of a model, run as pods, to a winner with an artifact."""

    model_config = ConfigDict(json_schema_extra=rules(JOB_NAME, FINISHED_SPEC))

    spec: SearchJobSpec
    """What you ask for."""
    status: SearchJobStatus = SearchJobStatus()
    """What has come of it so far; the operator writes it."""
