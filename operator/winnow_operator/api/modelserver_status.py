"""The status of a ModelServer: which revision serves, which one comes, and what went before.

History and rollout are what the operator knows of a server: both are written before anything is
made from them, so that a restart goes on where it was.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from winnow_operator.api.conditions import Condition
from winnow_operator.api.fields import ApiModel, DecimalString, Timestamp
from winnow_operator.api.rules import atomic_list, named_list

MAX_HISTORY = 10
"""Revisions that are remembered, besides those that serve or are on their way."""


class RevisionOutcome(StrEnum):
    """What has become of a revision."""

    WAITING = "Waiting"
    ROLLING_OUT = "RollingOut"
    SERVING = "Serving"
    RETIRED = "Retired"
    SUPERSEDED = "Superseded"
    ABORTED = "Aborted"


class RevisionStatus(ApiModel):
    """One revision: a model that was chosen to be served."""

    number: int = Field(ge=1)
    """Its number, counted from 1."""
    model: str = Field(max_length=127)
    """The model for people: `JOB/CANDIDATE`, or the end of its URI."""
    uri: str = Field(max_length=1024)
    """Folder of the artifact, `pvc://claim/path`."""
    digest: str = Field(max_length=80)
    """`sha256:` of its manifest."""
    outcome: RevisionOutcome
    """Waiting to be rolled out, RollingOut, Serving, Retired (has served), Superseded (another came
    first), or Aborted (failed its rollout)."""
    message: str = Field(default="", max_length=512)
    """Why it was chosen, or why it was aborted."""
    created: Timestamp
    """When it was chosen."""
    changed: Timestamp
    """When its outcome last changed."""


class CheckVerdict(StrEnum):
    """What a check of a canary has found."""

    PASSED = "Passed"
    FAILED = "Failed"
    INCONCLUSIVE = "Inconclusive"


class CheckStatus(ApiModel):
    """One check of a canary."""

    name: str = Field(max_length=63)
    """What is checked, such as `Restarts`."""
    verdict: CheckVerdict
    """Passed, Failed, or Inconclusive: too little is known, so it has not passed."""
    message: str = Field(default="", max_length=256)
    """The same with figures."""


class AgreementStatus(ApiModel):
    """How a canary and the revision that serves have answered the same recorded rows."""

    rows: int = Field(ge=0)
    """That both were asked; 0 if they cannot be compared."""
    equal: int = Field(ge=0)
    """That got the same answer of both."""
    message: str = Field(default="", max_length=256)
    """Why answers are missing, or why they cannot be compared."""


class RolloutStatus(ApiModel):
    """A revision on its way."""

    revision: int = Field(ge=1)
    """Its number."""
    step: int | None = Field(default=None, ge=0)
    """Number of the canary's step, from 0; missing while it takes over pod by pod."""
    step_since: Timestamp | None = None
    """Since when all pods of the step are ready; its pause counts from here."""
    weight: DecimalString | None = None
    """Its measured share of all requests since the step began."""
    agreement: AgreementStatus | None = None
    """What asking both for recorded rows has found in this step, once it has."""
    checks: tuple[CheckStatus, ...] = Field(
        default=(), max_length=8, json_schema_extra=atomic_list()
    )
    """What the canary's checks have found."""
    ready: int = Field(default=0, ge=0)
    """The most pods of it that were ready at one time."""
    since: Timestamp
    """When it last came further; `rollout.progressDeadline` counts from here."""


class ModelServerStatus(ApiModel):
    """What has come of it so far."""

    observed_generation: int = -1
    """Generation of the spec that this status speaks of; -1 before the first reconcile."""
    conditions: tuple[Condition, ...] = Field(
        default=(), max_length=16, json_schema_extra=named_list("type")
    )
    """Ready, Progressing, Degraded, Reconciling, Stalled."""
    state: str | None = Field(default=None, max_length=63)
    """One word for people: Ready, or the reason that matters most now."""
    revision: int | None = Field(default=None, ge=1)
    """Number of the revision that serves."""
    model: str | None = Field(default=None, max_length=127)
    """Its model for people."""
    ready: str | None = Field(default=None, max_length=32)
    """Pods that are ready, and pods wanted, `2/2`."""
    url: str | None = Field(default=None, max_length=253)
    """Where it answers inside the cluster."""
    chosen: int | None = Field(default=None, ge=1)
    """Number of the revision that is chosen now, by the job or the artifact that `spec.model` names."""
    pinned: int | None = Field(default=None, ge=1)
    """The `spec.revision` that was acted on last: an aborted one is tried again only when it is
    taken out and given again."""
    rollout: RolloutStatus | None = None
    """The revision on its way, if there is one."""
    history: tuple[RevisionStatus, ...] = Field(
        default=(), max_length=MAX_HISTORY + 3, json_schema_extra=atomic_list()
    )
    """The last revisions, the newest first."""
    replicas: int = Field(default=0, ge=0)
    """Pods that there are; for the scale subresource."""
    selector: str | None = Field(default=None, max_length=127)
    """Label selector of the pods, as text; for the scale subresource."""
