"""What metrics show of single jobs and servers: read off their status, and nothing else.

So a replica that has just begun to lead shows the same as the one before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from winnow_operator.api.compressionjob_status import CompressionJobStatus
from winnow_operator.api.conditions import ConditionType, Reason
from winnow_operator.api.modelserver_status import ModelServerStatus
from winnow_operator.api.searchjob import SearchJobStatus
from winnow_operator.domain.blockages import parse_time
from winnow_operator.domain.gpus import names_gpu
from winnow_operator.domain.job_conditions import condition_of
from winnow_operator.domain.kinds import Kind

MAX_RATIOS = 8
"""Of a selected candidate: those of goals and prefer come first."""
_NO_ROOM = frozenset({Reason.UNSCHEDULABLE, Reason.QUOTA_EXCEEDED})

Named = tuple[tuple[str, float], ...]
"""Values by the metric that they are of."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Which object it is; the uid tells it from a deleted namesake."""

    kind: Kind
    namespace: str
    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class JobFigures:
    """A SearchJob or CompressionJob."""

    identity: Identity
    state: str
    outcomes: Named
    """Trials by outcome."""
    planned: int
    active_pods: int
    best: Named
    """The objective's best value, or the selected candidate's."""
    ratios: Named
    """The selected candidate's values over the baseline's."""
    waits_for_gpu: bool
    started: float | None
    """Seconds since the epoch, as all times here."""
    ended: float | None


@dataclass(frozen=True, slots=True)
class ServerFigures:
    """A ModelServer."""

    identity: Identity
    state: str
    ready: int
    wanted: int
    revision: int | None
    """The one that serves."""
    canary_weight: float | None
    """The canary's measured share of the requests; None where there is no canary."""
    rollout_progress: float | None
    """When the revision on its way last came further; None where none is."""


def identity_of(kind: Kind, metadata: Mapping[str, Any]) -> Identity:
    """The object that this is the metadata of."""
    return Identity(kind, metadata["namespace"], metadata["name"], metadata["uid"])


def job_figures(identity: Identity, status: SearchJobStatus | CompressionJobStatus) -> JobFigures:
    """What a job's status says."""
    trials = status.trials
    return JobFigures(
        identity=identity,
        state=status.state or str(Reason.PENDING),
        outcomes=(
            ("Active", trials.active),
            ("Succeeded", trials.succeeded),
            ("Stopped", trials.stopped),
            ("Failed", trials.failed),
        ),
        planned=_after_slash(status.progress),
        active_pods=status.active_pods,
        best=_best(status),
        ratios=_ratios(status),
        waits_for_gpu=_waits_for_gpu(status),
        started=_seconds(status.start_time),
        ended=_seconds(status.completion_time),
    )


def server_figures(identity: Identity, status: ModelServerStatus) -> ServerFigures:
    """What a server's status says."""
    ready, _, wanted = (status.ready or "0/0").partition("/")
    rollout = status.rollout
    weight = None if rollout is None else rollout.weight
    return ServerFigures(
        identity=identity,
        state=status.state or str(Reason.PENDING),
        ready=int(ready),
        wanted=int(wanted),
        revision=status.revision,
        canary_weight=None if weight is None else float(weight),
        rollout_progress=None if rollout is None else _seconds(rollout.since),
    )


def _after_slash(progress: str | None) -> int:
    return int((progress or "").partition("/")[2] or 0)


def _best(status: SearchJobStatus | CompressionJobStatus) -> Named:
    value = status.best_value if isinstance(status, SearchJobStatus) else status.selected_value
    return () if value is None or status.metric is None else ((status.metric, float(value)),)


def _ratios(status: SearchJobStatus | CompressionJobStatus) -> Named:
    if isinstance(status, SearchJobStatus) or status.selected is None:
        return ()
    return tuple((r.metric, float(r.value)) for r in status.selected.ratios[:MAX_RATIOS])


def _waits_for_gpu(status: SearchJobStatus | CompressionJobStatus) -> bool:
    found = condition_of(status, ConditionType.RECONCILING)
    if found is None or found.status != "True":
        return False
    return found.reason in _NO_ROOM and names_gpu(found.message)


def _seconds(text: str | None) -> float | None:
    return None if text is None else parse_time(text).timestamp()
