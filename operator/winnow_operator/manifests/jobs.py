"""Indexed Jobs: of a batch, with one pod per group of trials, and of a measurement, with one pod.

What a pod has to do stands in an annotation, which it reads as a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from winnow_contract.exit_codes import ExitCode
from winnow_operator.api.names import (
    ANNOTATION_ASSIGNMENTS,
    ANNOTATION_ATTEMPTS,
    ANNOTATION_PODS_PER_TRIAL,
    ANNOTATION_TRIALS,
    ANNOTATION_TRIALS_PER_POD,
    LABEL_BATCH,
)
from winnow_operator.domain.batches import QUEUE_LABEL
from winnow_operator.domain.intervals import format_intervals
from winnow_operator.domain.kinds import measurement_name
from winnow_operator.domain.pods import CONTAINER, MEASUREMENT, TRIAL
from winnow_operator.manifests.objects import (
    Owner,
    child_labels,
    child_metadata,
    scrape_annotations,
    without_queue,
)
from winnow_operator.manifests.overlays import overlay_pod
from winnow_operator.manifests.security import container_security, pod_security

CLAIMS_ROOT = "/winnow/claims"
ASSIGNMENTS_DIR = "/winnow/assignments"
ASSIGNMENTS_FILE = "assignments.json"
METRICS_PORT = 8080
MAX_DEADLINE_SECONDS = 2**31 - 1
"""What the API server takes as a deadline of a pod."""


@dataclass(frozen=True, slots=True)
class PodSettings:
    """What is the same for all pods of a job."""

    image: str
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    artifacts_uri: str = ""
    """`pvc://claim/...` of this job's own folder."""
    read_claims: tuple[str, ...] = ()
    """Claims that are read: of the data, of a source artifact."""
    resources: Mapping[str, Any] | None = None
    """Resources of the container, in place of those of `template`."""
    template: Mapping[str, Any] | None = None
    """`spec.podTemplate`."""
    max_pod_seconds: int | None = None
    retries: int = 1
    is_scraped: bool = False
    """Whether its annotations ask to be scraped."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one batch runs."""

    number: int
    trials: tuple[int, ...]
    trials_per_pod: int
    parallelism: int
    assignments: str
    """The assignment file, compact JSON of at most 16 KB."""
    previous_attempts: Mapping[int, int] = field(default_factory=dict)
    pods_per_trial: int = 1
    """Over how many pods the folds of each trial are spread."""

    @property
    def pods(self) -> int:
        """Indexes of its Job."""
        return -(-len(self.trials) // self.trials_per_pod) * self.pods_per_trial


def batch_job(owner: Owner, batch: Batch, settings: PodSettings) -> dict[str, Any]:
    """The Job of a batch."""
    name = owner.batch_name(batch.number)
    labels = _labels(owner, TRIAL, name)
    asks = scrape_annotations(METRICS_PORT) if settings.is_scraped else {}
    pod = _pod({**_annotations(owner, batch), **asks}, settings, labels)
    return _job(owner, labels, pod, settings, completions=batch.pods, parallelism=batch.parallelism)


def measurement_job(
    owner: Owner, number: int, assignments: str, settings: PodSettings
) -> dict[str, Any]:
    """The Job that measures a round of candidates in one pod.

    Indexed as batches are, so that its pod says how often it failed and its retries are counted
    in the same way.
    """
    labels = _labels(owner, MEASUREMENT, measurement_name(owner.name, number))
    annotations = {
        ANNOTATION_ASSIGNMENTS: assignments,
        owner.kind.uid_annotation: owner.uid,
    }
    pod = _pod(annotations, settings, labels)
    return _job(owner, labels, pod, settings, completions=1, parallelism=1)


def _labels(owner: Owner, component: str, name: str) -> dict[str, str]:
    return {**owner.handed_on_labels(), **child_labels(owner, component), LABEL_BATCH: name}


def _job(  # noqa: PLR0913 -- the parts of one document
    owner: Owner,
    labels: Mapping[str, str],
    pod: Mapping[str, Any],
    settings: PodSettings,
    *,
    completions: int,
    parallelism: int,
) -> dict[str, Any]:
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": child_metadata(owner, labels[LABEL_BATCH], labels),
        "spec": {
            "completionMode": "Indexed",
            "completions": completions,
            "parallelism": parallelism,
            "backoffLimitPerIndex": settings.retries,
            "podReplacementPolicy": "Failed",
            "podFailurePolicy": {"rules": _failure_rules()},
            **({"suspend": True} if QUEUE_LABEL in owner.labels else {}),
            "template": overlay_pod(pod, settings.template),
        },
    }


def _annotations(owner: Owner, batch: Batch) -> dict[str, str]:
    # On the template, because that of a Job never changes: what an index runs is for good.
    annotations = {
        ANNOTATION_ASSIGNMENTS: batch.assignments,
        owner.kind.uid_annotation: owner.uid,
        ANNOTATION_TRIALS: _in_order(batch.trials),
        ANNOTATION_TRIALS_PER_POD: str(batch.trials_per_pod),
    }
    if batch.pods_per_trial > 1:
        annotations[ANNOTATION_PODS_PER_TRIAL] = str(batch.pods_per_trial)
    if batch.previous_attempts:
        pairs = (f"{n}:{count}" for n, count in sorted(batch.previous_attempts.items()))
        annotations[ANNOTATION_ATTEMPTS] = ",".join(pairs)
    return annotations


def _in_order(trials: tuple[int, ...]) -> str:
    # Intervals are merged only while the numbers rise by one: index i must find its own trials.
    parts: list[list[int]] = []
    for number in trials:
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ",".join(format_intervals(part) for part in parts)


def _failure_rules() -> list[dict[str, Any]]:
    def on_exit(action: str, *codes: int) -> dict[str, Any]:
        matcher = {
            "containerName": CONTAINER,
            "operator": "In",
            "values": sorted(int(code) for code in codes),
        }
        return {"action": action, "onExitCodes": matcher}

    disrupted = {"type": "DisruptionTarget", "status": "True"}
    return [
        {"action": "Ignore", "onPodConditions": [disrupted]},  # the cluster's fault: no retry spent
        on_exit("FailJob", ExitCode.CONTRACT),
        on_exit("FailIndex", ExitCode.STOPPED, ExitCode.PERMANENT),
    ]


def _pod(
    annotations: Mapping[str, str], settings: PodSettings, labels: Mapping[str, str]
) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": pod_security(),
        "containers": [_container(settings)],
        "volumes": _volumes(settings),
    }
    if settings.max_pod_seconds is not None:
        spec["activeDeadlineSeconds"] = min(settings.max_pod_seconds, MAX_DEADLINE_SECONDS)
    # Kueue queues the Job; a pod with its labels would be queued once more by itself.
    own = without_queue(labels)
    return {"metadata": {"labels": own, "annotations": dict(annotations)}, "spec": spec}


def _container(settings: PodSettings) -> dict[str, Any]:
    return {
        "name": CONTAINER,
        "image": settings.image,
        "imagePullPolicy": "IfNotPresent",
        **({"command": list(settings.command)} if settings.command else {}),
        **({"args": list(settings.args)} if settings.args else {}),
        **({"resources": dict(settings.resources)} if settings.resources is not None else {}),
        "env": _environment(settings),
        "ports": [{"name": "metrics", "containerPort": METRICS_PORT}],
        "securityContext": container_security(),
        # The result is the message; without one, the last log lines say what went wrong.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": _mounts(settings),
    }


def _environment(settings: PodSettings) -> list[dict[str, Any]]:
    plain = {
        "WINNOW_ASSIGNMENTS": f"{ASSIGNMENTS_DIR}/{ASSIGNMENTS_FILE}",
        "WINNOW_CLAIMS": CLAIMS_ROOT,
        "WINNOW_ARTIFACTS": f"{CLAIMS_ROOT}/{settings.artifacts_uri.removeprefix('pvc://')}",
        "WINNOW_ARTIFACTS_URI": settings.artifacts_uri,
        "WINNOW_METRICS_PORT": str(METRICS_PORT),
        "HOME": "/tmp",  # noqa: S108 -- an emptyDir of the pod
    }
    attempt = {"valueFrom": {"fieldRef": {"fieldPath": "metadata.uid"}}}
    return [
        *({"name": name, "value": value} for name, value in plain.items()),
        {"name": "WINNOW_ATTEMPT", **attempt},
    ]


def _claims(settings: PodSettings) -> dict[str, bool]:
    """Claims to mount, and whether read-only; a claim for both is mounted once."""
    own = settings.artifacts_uri.removeprefix("pvc://").split("/", 1)[0]
    return {own: False, **{claim: True for claim in settings.read_claims if claim != own}}


def _volume_name(index: int) -> str:
    # Claim names may be longer than a volume's name, and may hold dots.
    return f"winnow-claim-{index}"


def _volumes(settings: PodSettings) -> list[dict[str, Any]]:
    path = f"metadata.annotations['{ANNOTATION_ASSIGNMENTS}']"
    items = [{"path": ASSIGNMENTS_FILE, "fieldRef": {"fieldPath": path}}]
    return [
        {"name": "winnow-assignments", "downwardAPI": {"items": items}},
        {"name": "winnow-tmp", "emptyDir": {}},
        *(
            {
                "name": _volume_name(i),
                "persistentVolumeClaim": {"claimName": claim, "readOnly": read_only},
            }
            for i, (claim, read_only) in enumerate(_claims(settings).items())
        ),
    ]


def _mounts(settings: PodSettings) -> list[dict[str, Any]]:
    return [
        {"name": "winnow-assignments", "mountPath": ASSIGNMENTS_DIR, "readOnly": True},
        {"name": "winnow-tmp", "mountPath": "/tmp"},  # noqa: S108 -- an emptyDir of the pod
        *(
            {
                "name": _volume_name(i),
                "mountPath": f"{CLAIMS_ROOT}/{claim}",
                "readOnly": read_only,
            }
            for i, (claim, read_only) in enumerate(_claims(settings).items())
        ),
    ]
