"""The ModelServer kind: a Deployment and a Service that follow the choice of a job."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import ConfigDict, Field

from winnow_operator.api.fields import ApiModel, DecimalString, Digest, DurationString, JobName
from winnow_operator.api.modelserver_rules import (
    AUTOSCALING_RULES,
    CANARY_ONLY,
    CHECK_RULES,
    REFERENCE_RULES,
    SERVER_NAME,
    SPEC_RULES,
    server_duration,
)
from winnow_operator.api.modelserver_status import ModelServerStatus
from winnow_operator.api.rules import atomic_list, rules, unknown_fields

__all__ = [
    "Autoscaling",
    "Canary",
    "CanaryChecks",
    "CanaryStep",
    "DisruptionBudget",
    "ModelReference",
    "ModelServer",
    "ModelServerSpec",
    "ModelServerStatus",
    "NetworkPolicy",
    "Peer",
    "Promotion",
    "Rollout",
    "ServerSettings",
    "Strategy",
]


class Strategy(StrEnum):
    """How one revision takes the place of another."""

    ROLLING_UPDATE = "RollingUpdate"
    CANARY = "Canary"


class Promotion(StrEnum):
    """Who lets a new revision take over."""

    AUTOMATIC = "Automatic"
    MANUAL = "Manual"


class ModelReference(ApiModel):
    """What is served."""

    model_config = ConfigDict(json_schema_extra=rules(*REFERENCE_RULES))

    compression_job: JobName | None = None
    """Name of a CompressionJob of this namespace; its selection is waited for and followed."""
    search_job: JobName | None = None
    """Name of a SearchJob of this namespace, whose winner is served as it was trained."""
    uri: str | None = Field(default=None, min_length=1, max_length=512)
    """`pvc://CLAIM/PATH` of an artifact, instead of a job."""
    digest: Digest | None = None
    """`sha256:` of that artifact's manifest."""


class ServerSettings(ApiModel):
    """How requests are taken."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            server_duration("connectionMaxAge", "0s"), server_duration("drain", "0s")
        )
    )

    batching: bool = True
    """Whether requests that wait at the same time are computed together; none waits for others."""
    max_batch_size: int = Field(default=32, ge=1, le=65_536)
    """Most rows of one request, and of requests that are computed together."""
    max_queue: int = Field(default=256, ge=1, le=1_000_000)
    """Most requests that wait; more are answered 429 at once."""
    max_request_bytes: int = Field(default=8_388_608, ge=1024, le=1_073_741_824)
    """Largest body of a request; larger ones are answered 413."""
    connection_max_age: DurationString = "60s"
    """Age at which a connection is closed with its next answer, so that clients which keep
    connections reach new pods; `0s` is never."""
    drain: DurationString = "10s"
    """How long a pod that is told to stop still takes requests, while the cluster stops sending
    them."""
    access_log: bool = False
    """A line for each request; it costs a part of the throughput."""


class CanaryStep(ApiModel):
    """So many pods of the new revision beside all those that serve, for so long."""

    model_config = ConfigDict(json_schema_extra=rules(server_duration("pause", "1s")))

    replicas: int = Field(default=1, ge=1, le=1000)
    """Pods of the new revision, beside all of the one that serves."""
    pause: DurationString = "60s"
    """How long they are watched once all of them are ready."""


class CanaryChecks(ApiModel):
    """What a canary must keep."""

    model_config = ConfigDict(json_schema_extra=rules(*CHECK_RULES))

    max_restarts: int = Field(default=0, ge=0, le=100)
    """A canary whose containers have been started again more often has failed."""
    min_requests: int = Field(default=100, ge=1, le=1_000_000)
    """A check of fewer requests is inconclusive: the canary waits for more."""
    max_error_rate: DecimalString = "0.01"
    """The largest share of its requests that may fail: answered with 5xx, or with 422 as the
    model's outputs are no finite numbers."""
    max_latency_ratio: DecimalString = "2"
    """The most times that its 95th percentile of latency may be that of the one that serves."""
    min_agreement: DecimalString = "0.9"
    """The least share of recorded rows to which it gives the answer of the one that serves; 0 turns
    the check off. Two models of one task that are right for shares a and b of all rows agree in
    a + b - 1 of them at least: where models are seldom right, set it lower."""
    tolerance: DecimalString = "0.1"
    """In a regression, numbers that lie no further apart are the same answer: a share of the
    standard deviation of what the one that serves answers."""


class Canary(ApiModel):
    """A few pods of a new revision first; it takes over only if all checks pass."""

    steps: tuple[CanaryStep, ...] = Field(
        default=(CanaryStep(),), min_length=1, max_length=8, json_schema_extra=atomic_list()
    )
    """What is gone through, one step after the other."""
    checks: CanaryChecks = CanaryChecks()
    """What a canary must keep; requests are counted by Prometheus, where the operator has one, and
    recorded rows are sent by a pod of the server image, for some seconds in each step."""


class Rollout(ApiModel):
    """How one revision takes the place of another."""

    model_config = ConfigDict(
        json_schema_extra=rules(server_duration("progressDeadline", "1s"), CANARY_ONLY)
    )

    strategy: Strategy = Strategy.ROLLING_UPDATE
    """RollingUpdate: pod by pod, a new one ready before an old one goes. Canary: the same, after
    the steps of `canary`."""
    canary: Canary | None = None
    """Steps and checks of strategy Canary; by default one pod for a minute."""
    progress_deadline: DurationString = "10m"
    """A revision that comes no further for so long is aborted; the one that serves stays."""
    max_restarts: int = Field(default=2, ge=0, le=100)
    """A revision on its way whose containers have been started again more often is aborted."""


class DisruptionBudget(ApiModel):
    """What a drained node may take away."""

    max_unavailable: int = Field(default=1, ge=0, le=1000)
    """Pods that may be evicted at one time; 0 holds every drain up."""


class Autoscaling(ApiModel):
    """A HorizontalPodAutoscaler that sets `spec.replicas`."""

    model_config = ConfigDict(json_schema_extra=rules(*AUTOSCALING_RULES))

    min_replicas: int = Field(default=1, ge=1, le=1000)
    """The fewest pods."""
    max_replicas: int = Field(ge=1, le=1000)
    """The most pods."""
    target_cpu_percent: int = Field(default=80, ge=1, le=1000)
    """Processor time that is aimed at, as a share of what the pods request."""


class Peer(ApiModel):
    """Pods that may send requests, as a peer of a NetworkPolicy."""

    pod_selector: dict[str, Any] | None = Field(default=None, json_schema_extra=unknown_fields())
    """Selects pods; without `namespaceSelector`, of this namespace."""
    namespace_selector: dict[str, Any] | None = Field(
        default=None, json_schema_extra=unknown_fields()
    )
    """Selects namespaces."""
    ip_block: dict[str, Any] | None = Field(default=None, json_schema_extra=unknown_fields())
    """A range of addresses, `{cidr: ...}`."""


class NetworkPolicy(ApiModel):
    """A NetworkPolicy: the pods take requests of some only, and send none."""

    allow_from: tuple[Peer, ...] = Field(default=(), max_length=32, json_schema_extra=atomic_list())
    """Who may send requests, and scrape the metrics; by default all pods of this namespace."""


class ModelServerSpec(ApiModel):
    """What the user asks for; all of it may be edited at any time."""

    model_config = ConfigDict(json_schema_extra=rules(*SPEC_RULES))

    model: ModelReference
    """What is served."""
    accept_baseline: bool = False
    """Whether the uncompressed model is served where no candidate meets the goals."""
    replicas: int = Field(default=1, ge=0, le=1000)
    """How many pods serve; an autoscaler may set it by the scale subresource."""
    resources: dict[str, Any] | None = Field(default=None, json_schema_extra=unknown_fields())
    """`requests` and `limits` of the server; the CPU limit, rounded up, is also the number of its
    threads (one without it)."""
    server: ServerSettings = ServerSettings()
    """How requests are taken."""
    pod_template: dict[str, Any] | None = Field(default=None, json_schema_extra=unknown_fields())
    """Fields that are laid over the pods: `metadata` (labels, annotations) and `spec`
    (nodeSelector, tolerations, affinity, env, volumes and more); its container is `server`."""
    promotion: Promotion = Promotion.AUTOMATIC
    """Automatic: what is chosen is rolled out. Manual: only the first revision is; others wait until
    `revision` names them."""
    revision: int | None = Field(default=None, ge=1)
    """Number of the revision that shall serve, of those in `status.history`: with promotion Manual it
    promotes one, and with both it goes back to one, which then stays."""
    rollout: Rollout = Rollout()
    """How one revision takes the place of another."""
    disruption_budget: DisruptionBudget = DisruptionBudget()
    """What a drained node may take away."""
    autoscaling: Autoscaling | None = None
    """Has a HorizontalPodAutoscaler made, which sets `spec.replicas`: leave that out then."""
    network_policy: NetworkPolicy | None = None
    """Has a NetworkPolicy made."""


class ModelServer(ApiModel):
    """Serves a model, follows the choice of the job that made it, and lets no worse one through."""

    model_config = ConfigDict(json_schema_extra=rules(SERVER_NAME))

    spec: ModelServerSpec
    """What you ask for."""
    status: ModelServerStatus = ModelServerStatus()
    """What has come of it so far; the operator writes it."""
