"""The SearchJob kind: a bounded search from a task and a space to a winner."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import ConfigDict, Field

from winnow_operator.api.algorithms import AlgorithmName, RestAlgorithm
from winnow_operator.api.early_stopping import EarlyStopping
from winnow_operator.api.fields import ApiModel, DecimalString, DurationString, JobName
from winnow_operator.api.rules import INSIDE_CLAIM, atomic_list, named_list, rules, unknown_fields
from winnow_operator.api.searchjob_rules import (
    ALGORITHM_RULES,
    CONSTRAINT_LIMITS,
    DURATIONS,
    FINISHED_SPEC,
    JOB_NAME,
    MAX_OBJECTIVES,
    NOT_FROM_ITSELF,
    SPEC_RULES,
    STORAGE_FORM,
)
from winnow_operator.api.searchjob_status import (
    MAX_IMPORTANCES,
    MAX_PARETO,
    ChosenAlgorithm,
    FinalistStanding,
    Importance,
    LearnedBatch,
    LiveTrial,
    ParetoTrial,
    SearchJobStatus,
    TrialCounts,
    WarmSource,
    Winner,
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
from winnow_operator.api.trial import Assignment

__all__ = [
    "MAX_IMPORTANCES",
    "MAX_PARETO",
    "Algorithm",
    "AlgorithmName",
    "Budget",
    "Choice",
    "ChosenAlgorithm",
    "Constraint",
    "Data",
    "DataKind",
    "DoubleRange",
    "Evaluation",
    "Family",
    "FinalistStanding",
    "Finalists",
    "Goal",
    "Importance",
    "IntRange",
    "LearnedBatch",
    "LiveTrial",
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
    "WarmSource",
    "WarmStart",
    "When",
    "Winner",
]


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

    model_config = ConfigDict(json_schema_extra=rules(*ALGORITHM_RULES))

    name: AlgorithmName = AlgorithmName.TPE
    """Grid (every point once), Random, QMC (a Sobol' sequence: more even than Random), TPE
    (tree-structured Parzen estimator), CMAES (covariance matrix adaptation, for numbers), NSGAII
    (a genetic algorithm, for several objectives); of architectures alone also Evolution (regularised
    evolution) and Generative (a network that learns during the search to write them); or Auto (one of
    these by the space and the budget; docs/search.md has the rules, `status.algorithm` the choice)."""
    parameters_by: RestAlgorithm | None = None
    """With Evolution or Generative, which own the architecture: what suggests the other parameters,
    Random or TPE, which is the default. Both learn from the same trials."""
    predictor: bool | None = None
    """With Generative: whether a model of their performance, made from the trials so far, chooses
    among the architectures that the network writes. True if left out."""
    seed: int | None = Field(default=None, ge=0, le=2_147_483_647)
    """Makes the search repeatable; a Grid with a seed goes through its points in random order."""


class StartPoint(ApiModel):
    """A point that is tried before the algorithm suggests any."""

    parameters: tuple[Assignment, ...] = Field(
        min_length=1, max_length=32, json_schema_extra=named_list("name")
    )
    """A value for each parameter that belongs to it."""


class WarmStart(ApiModel):
    """Another search whose trials the algorithm knows from the start."""

    search_job: JobName
    """Name of a SearchJob of the same namespace over the same parameters, for the same objectives;
    this job waits until it has ended."""
    max_trials: int = Field(default=200, ge=1, le=1000)
    """How many of its trials are taken at most; of more, some of all ranks from the best to the
    worst."""


class Finalists(ApiModel):
    """How the winner is named: the best few are trained again, with fresh seeds."""

    count: int = Field(default=3, ge=1, le=10)
    """How many of the best trials are trained again."""
    repeats: int = Field(default=3, ge=1, le=10)
    """How often each of them; its value is the mean."""


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
    """Time of one trial, all its folds and repeats together: one that takes longer has failed with
    `DeadlineExceeded`. A pod is ended after this long for each of its trials."""
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
    warm_start: tuple[WarmStart, ...] = Field(
        default=(), max_length=4, json_schema_extra=named_list("searchJob")
    )
    """Other searches that the algorithm learns from before its first trial; their trials count in no
    budget, and cannot win here."""
    finalists: Finalists | None = None
    """Names the winner from fresh trainings of the best trials after the search, so that it has not
    won by luck; outside of `budget.maxTrials`, inside `budget.maxDuration`."""
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


class SearchJob(ApiModel):
    """A search for the best parameters of a model, run as pods, to a winner with an artifact."""

    model_config = ConfigDict(json_schema_extra=rules(JOB_NAME, NOT_FROM_ITSELF, FINISHED_SPEC))

    spec: SearchJobSpec
    """What you ask for."""
    status: SearchJobStatus = SearchJobStatus()
    """What has come of it so far; the operator writes it."""
