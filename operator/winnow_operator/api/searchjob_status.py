"""The status of a SearchJob: what has come of it, and what was decided on the way."""

from __future__ import annotations

from pydantic import Field

from winnow_operator.api.algorithms import AlgorithmName
from winnow_operator.api.conditions import Condition
from winnow_operator.api.early_stopping import RungProgress
from winnow_operator.api.fields import ApiModel, DecimalString, JobName, Timestamp
from winnow_operator.api.rules import atomic_list, named_list
from winnow_operator.api.searchjob_rules import MAX_OBJECTIVES
from winnow_operator.api.trial import Artifact, Assignment, MetricValue

MAX_IMPORTANCES = 20
"""Parameters of which a status says how much they mattered: the status of any job stays small."""
MAX_PARETO = 20
"""Trials of a Pareto set that a status shows."""
MAX_LEARNED = 24
"""Batches of the network of Generative that a status shows."""


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
    """Metrics on the validation split, or means over the folds, or over the trainings of a finalist;
    the objective first."""
    final_trial: str | None = Field(default=None, max_length=63)
    """Name of the Trial that trained it once more, where the search has folds or finalists: test
    values and artifact are of that one; of several the median one."""
    test: tuple[MetricValue, ...] = Field(default=(), max_length=8, json_schema_extra=atomic_list())
    """The objective's metric on the test split."""
    artifact: Artifact | None = None
    """The trained model."""
    reason: str | None = Field(default=None, max_length=512)
    """Why it is this one, where there are several objectives."""
    warning: str | None = Field(default=None, max_length=512)
    """Says when the lead over the runner-up is within one standard error."""


class ChosenAlgorithm(ApiModel):
    """What Auto has taken."""

    name: AlgorithmName
    """The algorithm that searches."""
    reason: str = Field(max_length=256)
    """Why it is this one."""


class Importance(ApiModel):
    """How much of the difference between good and other trials a parameter explains."""

    parameter: str = Field(max_length=63)
    """Its name; of an architecture the decision, such as `architecture.layer2.width`."""
    values: tuple[DecimalString, ...] = Field(
        max_length=MAX_OBJECTIVES, json_schema_extra=atomic_list()
    )
    """Its share for each objective, from 0 to 1; the shares of an objective add up to 1."""


class LearnedBatch(ApiModel):
    """What the network of Generative has learnt from a batch of outcomes, and what it wrote then."""

    known: int = Field(ge=1)
    """Trials whose outcome it knew."""
    loss: DecimalString
    """Mean over the steps that it took."""
    entropy: DecimalString
    """Nats per architecture; it falls as the network makes up its mind."""
    written: int = Field(default=0, ge=0)
    """Trials with a value that it wrote before it learnt again."""
    mean_value: DecimalString | None = None
    """Mean of the objective over those."""


class FinalistStanding(ApiModel):
    """What a finalist has come to."""

    trial: str = Field(max_length=63)
    """Name of its Trial of the search."""
    values: tuple[DecimalString, ...] = Field(
        max_length=MAX_OBJECTIVES, json_schema_extra=atomic_list()
    )
    """Mean of each objective over its trainings with fresh seeds, in their order."""
    standard_error: DecimalString | None = None
    """Of the first objective's mean."""
    trainings: int = Field(ge=1)
    """How many these are."""


class WarmSource(ApiModel):
    """What was taken from another search."""

    search_job: JobName
    """Its name."""
    uid: str = Field(max_length=63)
    """Its uid: a later job of that name is another one."""
    trials: int = Field(default=0, ge=0)
    """How many of its trials are known to the algorithm."""
    left_out: int = Field(default=0, ge=0)
    """How many of those that were looked at have a value that this space lacks."""
    digest: str = Field(default="", max_length=64)
    """Of what was taken, so that a restart knows whether it is still there."""


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
    algorithm: ChosenAlgorithm | None = None
    """What Auto has taken, once for the whole search."""
    warm_start: tuple[WarmSource, ...] = Field(
        default=(), max_length=4, json_schema_extra=atomic_list()
    )
    """What was taken from other searches, once for the whole search."""
    finalists: tuple[FinalistStanding, ...] = Field(
        default=(), max_length=10, json_schema_extra=atomic_list()
    )
    """Finalists all of whose trainings have ended, the best of the search first."""
    importances: tuple[Importance, ...] = Field(
        default=(), max_length=MAX_IMPORTANCES, json_schema_extra=atomic_list()
    )
    """Which parameters mattered, the most important for the first objective first, at most 20; computed
    when the search ends, from at least 10 trials with a value over at least two parameters."""
    learning: tuple[LearnedBatch, ...] = Field(
        default=(), max_length=MAX_LEARNED, json_schema_extra=atomic_list()
    )
    """How the network of Generative has learnt, of more than 24 batches some evenly; computed when the
    search ends."""
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
