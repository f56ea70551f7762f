"""What the operator knows of a pod of a job: read once from the API object, then immutable.

The result of a pod is its termination message, which arrives with the pod's own watch event,
seconds before the Job controller counts it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from winnow_contract.exit_codes import ExitCode
from winnow_operator.api.conditions import Reason
from winnow_operator.api.names import LABEL_BATCH
from winnow_operator.domain.gpus import gpus_of
from winnow_operator.domain.kinds import Kind, job_of

CONTAINER = "trial"
"""Name of the container that runs trials."""

TRIAL = "trial"
MEASUREMENT = "measurement"
"""Components: what the pods of a job do."""

_COMPONENT = "app.kubernetes.io/component"
_INDEX = "batch.kubernetes.io/job-completion-index"
_FAILURES = "batch.kubernetes.io/job-index-failure-count"
_IGNORED = "batch.kubernetes.io/job-index-ignored-failure-count"
_IMAGE_REASONS = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "ErrImageNeverPull",
        "ImageInspectError",
    }
)
_STORAGE_REASONS = frozenset({Reason.MISSING_CLAIM, Reason.SINGLE_NODE_STORAGE})
_SINGLE_NODE_WORDS = (
    "multi-attach error",  # a volume that another node holds
    "volume node affinity conflict",
    "didn't match persistentvolume's node affinity",
)
_QUOTA_WORDS = (
    "exceeded quota",
    "must specify limits",  # a quota on them refuses pods without
    "must specify requests",
    "insufficient quota",
    "status unknown for quota",  # not counted yet: nothing is let in before
)
_CONFIG_REASONS = frozenset(
    {"CreateContainerConfigError", "CreateContainerError", "RunContainerError"}
)


@dataclass(frozen=True, slots=True)
class Blockage:
    """Why something cannot start, in the cluster's own words."""

    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class Termination:
    """How the trial container ended."""

    exit_code: int
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class PodFact:
    """One pod of a job."""

    uid: str
    name: str
    namespace: str
    job: str
    job_uid: str
    batch: str
    batch_uid: str
    index: int
    phase: str
    reason: str
    message: str
    attempt: int
    """Which run of its index this is, from 1."""
    termination: Termination | None
    deleting: bool
    disrupted: bool
    """Ended by the cluster (preemption, eviction, lost node), not by its own fault."""
    blockage: Blockage | None
    image: str
    """Image with its digest as the node resolved it; empty before it runs."""
    created: str
    kind: Kind = Kind.SEARCH
    """Kind of its job."""
    component: str = TRIAL
    """What it does for its job: it runs trials, or measures."""
    containers_ended: bool = False
    """Whether all its containers have ended, others than the trial's too."""
    gpus: int = 0
    """GPUs that it holds from `started` to `ended`."""
    started: str = ""
    """When its node took it; empty before that."""
    ended: str = ""
    """When the last of its containers ended, as far as they have."""

    @property
    def is_terminal(self) -> bool:
        """Whether the pod has ended for good."""
        return self.phase in {"Succeeded", "Failed"}

    @property
    def is_done(self) -> bool:
        """Whether its trials have ended well, and nothing in it runs any more.

        That is known before the pod itself has ended, which takes its node about a second longer.
        """
        ended = self.termination
        return self.containers_ended and ended is not None and ended.exit_code == ExitCode.OK

    @property
    def is_running(self) -> bool:
        """Whether something in it still runs, or is to."""
        return not self.is_terminal and not self.is_done

    @property
    def goes_on(self) -> bool:
        """Whether something in it still runs, or is to, and nobody is deleting it."""
        return self.is_running and not self.deleting

    @property
    def is_waiting(self) -> bool:
        """Whether the trial container has not started yet."""
        return self.phase == "Pending" and self.termination is None and not self.deleting


def read_pod(body: Mapping[str, Any]) -> PodFact | None:
    """The facts of a pod, or None if it is not a pod of a batch."""
    metadata = body["metadata"]
    labels = metadata.get("labels") or {}
    annotations = metadata.get("annotations") or {}
    owner, job = _controller_uid(metadata), job_of(labels)
    if job is None or not owner or not str(annotations.get(_INDEX, "")).isdigit():
        return None
    status = body.get("status") or {}
    container = _container_status(status)
    return PodFact(
        uid=metadata["uid"],
        name=metadata["name"],
        namespace=metadata["namespace"],
        job=job[1],
        job_uid=annotations.get(job[0].uid_annotation, ""),
        batch=labels.get(LABEL_BATCH, ""),
        batch_uid=owner,
        index=int(annotations[_INDEX]),
        phase=status.get("phase", "Pending"),
        reason=status.get("reason", ""),
        message=status.get("message", ""),
        attempt=_count(annotations, _FAILURES) + _count(annotations, _IGNORED) + 1,
        termination=termination_of(container.get("state") or {}),
        deleting="deletionTimestamp" in metadata,
        disrupted=_has_condition(status, "DisruptionTarget", "True"),
        blockage=why_waiting(status, container),
        image=_resolved_image(container),
        created=metadata.get("creationTimestamp", ""),
        kind=job[0],
        component=labels.get(_COMPONENT) or TRIAL,
        containers_ended=_have_ended(status),
        gpus=gpus_of(body.get("spec") or {}),
        started=status.get("startTime") or "",
        ended=_last_end(status),
    )


def _controller_uid(metadata: Mapping[str, Any]) -> str:
    for owner in metadata.get("ownerReferences") or ():
        if owner.get("controller") and owner.get("kind") == "Job":
            return str(owner["uid"])
    return ""


def _count(annotations: Mapping[str, str], key: str) -> int:
    text = annotations.get(key, "")
    return int(text) if text.isdigit() else 0


def _container_status(status: Mapping[str, Any]) -> Mapping[str, Any]:
    for container in status.get("containerStatuses") or ():
        if container.get("name") == CONTAINER:
            return container  # type: ignore[no-any-return]
    return {}


def _have_ended(status: Mapping[str, Any]) -> bool:
    states = [c.get("state") or {} for c in status.get("containerStatuses") or ()]
    return bool(states) and all("terminated" in state for state in states)


def _last_end(status: Mapping[str, Any]) -> str:
    states = [c.get("state") or {} for c in status.get("containerStatuses") or ()]
    ends = ((state.get("terminated") or {}).get("finishedAt") or "" for state in states)
    return max(ends, default="")


def termination_of(state: Mapping[str, Any]) -> Termination | None:
    """How a container with this state ended; None if it runs or waits."""
    ended = state.get("terminated")
    if not ended:
        return None
    return Termination(
        exit_code=int(ended.get("exitCode", -1)),
        reason=ended.get("reason", ""),
        message=ended.get("message", ""),
    )


def _has_condition(status: Mapping[str, Any], kind: str, value: str) -> bool:
    return any(
        c.get("type") == kind and c.get("status") == value for c in status.get("conditions") or ()
    )


def _resolved_image(container: Mapping[str, Any]) -> str:
    image = str(container.get("imageID", "")).removeprefix("docker-pullable://")
    return image if "@sha256:" in image else ""


def why_waiting(status: Mapping[str, Any], container: Mapping[str, Any]) -> Blockage | None:
    """Why a pod with this status cannot start, as far as it says.

    Args:
        status: of the pod.
        container: status of the container that is waited for.
    """
    if status.get("phase", "Pending") != "Pending":
        return None
    waiting = (container.get("state") or {}).get("waiting") or {}
    reason, message = waiting.get("reason", ""), waiting.get("message", "")
    if reason in _IMAGE_REASONS:
        return Blockage(Reason.IMAGE_PULL, f"{reason}: {message}" if message else reason)
    if reason in _CONFIG_REASONS:
        return Blockage(classify_words(message), message or reason)
    return _unscheduled(status)


def _unscheduled(status: Mapping[str, Any]) -> Blockage | None:
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            message = condition.get("message", "") or condition.get("reason", "")
            reason = classify_words(message)
            return Blockage(reason if reason in _STORAGE_REASONS else Reason.UNSCHEDULABLE, message)
    return None


def classify_words(message: str) -> Reason:
    """The reason that the cluster's words about a pod that cannot start stand for."""
    text = message.lower()
    if any(words in text for words in _QUOTA_WORDS):
        return Reason.QUOTA_EXCEEDED
    if "persistentvolumeclaim" in text and "not found" in text:
        return Reason.MISSING_CLAIM
    if ("secret" in text or "configmap" in text) and "not found" in text:
        return Reason.MISSING_SECRET
    if any(words in text for words in _SINGLE_NODE_WORDS):
        return Reason.SINGLE_NODE_STORAGE
    return Reason.POD_CANNOT_START
