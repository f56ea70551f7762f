"""Condition types and reasons of all kinds: the closed lists, and the condition model.

Types follow the Kubernetes API conventions and kstatus: `Reconciling` and `Stalled` are
abnormal-true, `Complete` and `Failed` end a bounded job as in batch/v1.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from winnow_operator.api.fields import ApiModel, Timestamp


class ConditionType(StrEnum):
    """Conditions that every object carries from its first reconcile.

    GoalsMet is a compression's, MetricsAvailable a search's, Ready and Progressing are a server's, which has neither Complete,
    Failed nor Suspended.
    """

    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    COMPLETE = "Complete"
    FAILED = "Failed"
    SUSPENDED = "Suspended"
    DEGRADED = "Degraded"
    GOALS_MET = "GoalsMet"
    READY = "Ready"
    PROGRESSING = "Progressing"
    METRICS_AVAILABLE = "MetricsAvailable"


class Reason(StrEnum):
    """Why a condition holds: the closed list, of which docs/operations.md says what to do."""

    PENDING = "Pending"
    RUNNING = "Running"
    FINISHED = "Finished"
    SUSPENDED = "Suspended"
    NOT_SUSPENDED = "NotSuspended"
    TRAINING_FINAL = "TrainingFinal"
    # why pods do not start
    PULLING_IMAGE = "PullingImage"
    QUOTA_EXCEEDED = "QuotaExceeded"
    IMAGE_PULL = "ImagePull"
    UNSCHEDULABLE = "Unschedulable"
    MISSING_CLAIM = "MissingClaim"
    MISSING_SECRET = "MissingSecret"  # noqa: S105 -- a reason, not a password
    SINGLE_NODE_STORAGE = "SingleNodeStorage"
    POD_CANNOT_START = "PodCannotStart"
    # how a job ends
    BUDGET_SPENT = "BudgetSpent"
    TARGET_REACHED = "TargetReached"
    SPACE_EXHAUSTED = "SpaceExhausted"
    DEADLINE_REACHED = "DeadlineReached"
    TOO_MANY_FAILURES = "TooManyFailures"
    NO_WINNER = "NoWinner"
    INVALID_SPEC = "InvalidSpec"
    JOB_FAULT = "JobFault"
    CONTRACT_MISMATCH = "ContractMismatch"
    # what a compression waits for, and what came of its goals
    WAITING_FOR_SOURCE = "WaitingForSource"
    SOURCE_FAILED = "SourceFailed"
    MEASURING = "Measuring"
    MEASUREMENT_FAILED = "MeasurementFailed"
    SELECTED = "Selected"
    GOALS_MET = "GoalsMet"
    GOALS_NOT_MET = "GoalsNotMet"
    NOT_CHOSEN = "NotChosen"
    INVALID_GOALS = "InvalidGoals"
    # how a server fares
    SERVING = "Serving"
    SCALED_TO_ZERO = "ScaledToZero"
    ROLLING_OUT = "RollingOut"
    CANARY = "Canary"
    INCONCLUSIVE = "Inconclusive"
    ROLLOUT_ABORTED = "RolloutAborted"
    REPLICAS_NOT_READY = "ReplicasNotReady"
    MODEL_REFUSED = "ModelRefused"
    CRASHING = "Crashing"
    NO_PROGRESS = "NoProgress"
    NAME_TAKEN = "NameTaken"
    NO_PROMETHEUS = "NoPrometheus"
    WAITING_FOR_PROMOTION = "WaitingForPromotion"
    # whether metrics of trials can be had
    SCRAPED = "Scraped"
    NOT_SCRAPED = "NotScraped"
    PROMETHEUS_UNREACHABLE = "PrometheusUnreachable"
    # nothing to say
    AS_EXPECTED = "AsExpected"
    NOT_FINISHED = "NotFinished"
    # works, but less well
    NARROW_MARGIN = "NarrowMargin"
    TEMPLATE_EDITED = "TemplateEdited"
    WAITING_FOR_DELETION = "WaitingForDeletion"
    WARM_START_LOST = "WarmStartLost"


class Condition(ApiModel):
    """One observation of the job's state."""

    type: str = Field(max_length=316)
    """Kind of observation, such as `Complete`."""
    status: Literal["True", "False", "Unknown"]
    """Whether it holds."""
    reason: str = Field(min_length=1, max_length=1024)
    """One word that says why, for programs."""
    message: str = Field(default="", max_length=1024)
    """A sentence that says why, for people."""
    last_transition_time: Timestamp
    """When `status` last changed."""
    observed_generation: int = Field(default=0, ge=0)
    """The generation of the spec that this was observed for."""
