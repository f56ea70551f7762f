"""What is read off a pod, and why pods do not start."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.facts import batch_of, ended_pod, pod_of
from winnow_operator.api.conditions import Reason
from winnow_operator.domain.blockages import (
    blockage_from_words,
    blocked_trials,
    format_time,
    job_blockage,
    podless_batches,
    started_trials,
    stuck_pods,
)
from winnow_operator.domain.pods import Blockage, PodFact, read_pod

NOW = datetime(2026, 1, 1, 0, 1, tzinfo=UTC)
ALL = frozenset(range(1, 100))
IMAGE = Blockage(Reason.IMAGE_PULL, "not found")
QUOTA = Blockage(Reason.QUOTA_EXCEEDED, "exceeded quota")
BATCH = batch_of(1, [1, 2, 3])


def _body(status: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    fields = {
        "name": "digits-b0001-0-abcde",
        "namespace": "team",
        "uid": "pod-uid",
        "labels": {"winnow.dev/searchjob": "digits", "winnow.dev/batch": "digits-b0001"},
        "annotations": {
            "batch.kubernetes.io/job-completion-index": "2",
            "batch.kubernetes.io/job-index-failure-count": "1",
            "batch.kubernetes.io/job-index-ignored-failure-count": "3",
            "winnow.dev/searchjob-uid": "job-uid",
        },
        "ownerReferences": [{"kind": "Job", "controller": True, "uid": "job-1"}],
        "creationTimestamp": "2026-01-01T00:00:00Z",
    }
    return {"metadata": {**fields, **metadata}, "status": status}


def _read(status: dict[str, Any], **metadata: Any) -> PodFact:
    pod = read_pod(_body(status, **metadata))
    assert pod is not None
    return pod


def _container(**fields: Any) -> dict[str, Any]:
    return {"containerStatuses": [{"name": "sidecar"}, {"name": "trial", **fields}]}


def test_a_pod_says_which_index_of_which_batch_it_runs_and_the_how_manieth_time() -> None:
    pod = _read({"phase": "Running"})

    assert (pod.index, pod.batch, pod.batch_uid) == (2, "digits-b0001", "job-1")
    assert (pod.kind, pod.job, pod.job_uid) == ("SearchJob", "digits", "job-uid")
    assert pod.attempt == 5
    assert not pod.is_terminal


def test_a_pod_says_how_many_gpus_it_holds_and_from_when_to_when() -> None:
    status = {
        "phase": "Succeeded",
        "startTime": "2026-01-01T00:00:10Z",
        "containerStatuses": [
            {"name": name, "state": {"terminated": {"exitCode": 0, "finishedAt": end}}}
            for name, end in (("side", "2026-01-01T00:00:40Z"), ("trial", "2026-01-01T00:00:30Z"))
        ],
    }
    limits = {"nvidia.com/gpu": "2"}
    body = {**_body(status), "spec": {"containers": [{"resources": {"limits": limits}}]}}
    pod = read_pod(body)

    assert pod is not None
    assert (pod.gpus, pod.started, pod.ended) == (
        2,
        "2026-01-01T00:00:10Z",
        "2026-01-01T00:00:40Z",
    )
    waiting = _read({"phase": "Pending"})
    assert (waiting.gpus, waiting.started, waiting.ended) == (0, "", "")


def test_an_ended_pod_says_how_its_trial_container_ended() -> None:
    terminated = {"exitCode": 3, "reason": "Error", "message": "{}"}
    conditions = [{"type": "DisruptionTarget", "status": "True"}]

    pod = _read(
        {
            "phase": "Failed",
            "conditions": conditions,
            **_container(state={"terminated": terminated}),
        },
        deletionTimestamp="2026-01-01T00:00:00Z",
    )

    assert pod.is_terminal
    assert pod.disrupted
    assert pod.deleting
    assert pod.termination is not None
    assert (pod.termination.exit_code, pod.termination.message) == (3, "{}")


def _ended(*states: dict[str, Any], phase: str = "Running") -> PodFact:
    """A pod with the trial's container in the first state, and others."""
    named = [
        {"name": "trial" if n == 0 else f"other-{n}", "state": s} for n, s in enumerate(states)
    ]
    return _read({"phase": phase, "containerStatuses": named})


def _terminated(code: int) -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "message": "{}"}}


@pytest.mark.parametrize("phase", ["Pending", "Running", "Succeeded"])
def test_a_pod_is_done_when_its_container_has_ended_well_before_it_has_ended_itself(
    phase: str,
) -> None:
    pod = _ended(_terminated(0), phase=phase)

    assert pod.is_done
    assert not pod.is_running
    assert not pod.is_waiting


@pytest.mark.parametrize(
    "states",
    [
        [{"waiting": {"reason": "ContainerCreating"}}],
        [{"running": {}}],
        [_terminated(1)],
        [_terminated(137)],
        [_terminated(0), {"running": {}}],
    ],
    ids=["starts", "runs", "crashed", "killed", "has a companion that runs"],
)
def test_a_pod_that_does_or_may_go_on_is_not_done(states: list[dict[str, Any]]) -> None:
    pod = _ended(*states)

    assert not pod.is_done
    assert pod.is_running


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("docker.io/library/t@sha256:ab", "docker.io/library/t@sha256:ab"),
        ("docker-pullable://t@sha256:ab", "t@sha256:ab"),
        ("sha256:ab", ""),
        ("", ""),
    ],
)
def test_an_image_is_known_once_it_has_a_digest(given: str, read: str) -> None:
    assert _read({"phase": "Running", **_container(imageID=given)}).image == read


@pytest.mark.parametrize(
    "metadata",
    [
        {"labels": {}},
        {"ownerReferences": []},
        {"ownerReferences": [{"kind": "ReplicaSet", "controller": True, "uid": "x"}]},
        {"annotations": {}},
        {"annotations": {"batch.kubernetes.io/job-completion-index": "first"}},
    ],
    ids=["label", "orphan", "owner", "index", "word"],
)
def test_what_is_no_pod_of_a_batch_is_not_read(metadata: dict[str, Any]) -> None:
    assert read_pod(_body({}, **metadata)) is None


def _waiting(reason: str, message: str = "") -> dict[str, Any]:
    return _container(state={"waiting": {"reason": reason, "message": message}})


def _unscheduled(message: str) -> dict[str, Any]:
    return {"conditions": [{"type": "PodScheduled", "status": "False", "message": message}]}


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (_waiting("ImagePullBackOff", "Back-off pulling"), Reason.IMAGE_PULL),
        (_waiting("ErrImageNeverPull"), Reason.IMAGE_PULL),
        (_waiting("CreateContainerConfigError", 'secret "s" not found'), Reason.MISSING_SECRET),
        (_waiting("CreateContainerConfigError", 'configmap "c" not found'), Reason.MISSING_SECRET),
        (_waiting("CreateContainerError", "odd"), Reason.POD_CANNOT_START),
        (
            _unscheduled("0/1 nodes are available: 1 Insufficient nvidia.com/gpu."),
            Reason.UNSCHEDULABLE,
        ),
        (_unscheduled('persistentvolumeclaim "data" not found'), Reason.MISSING_CLAIM),
        (_unscheduled("2 node(s) had volume node affinity conflict"), Reason.SINGLE_NODE_STORAGE),
        (_unscheduled("pod has unbound immediate PersistentVolumeClaims"), Reason.UNSCHEDULABLE),
        (_waiting("ContainerCreating"), None),
        ({}, None),
    ],
)
def test_a_pod_that_cannot_start_says_why(status: dict[str, Any], reason: Reason | None) -> None:
    pod = _read({"phase": "Pending", **status})

    assert (pod.blockage.reason if pod.blockage else None) == reason
    assert _read({"phase": "Running", **status}).blockage is None


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ('pods "x" is forbidden: exceeded quota: few', Reason.QUOTA_EXCEEDED),
        ("failed quota: q: must specify limits.cpu", Reason.QUOTA_EXCEEDED),
        ("status unknown for quota: q, resources: count/trials.winnow.dev", Reason.QUOTA_EXCEEDED),
        ("insufficient quota to consume: requests.storage", Reason.QUOTA_EXCEEDED),
        ('Multi-Attach error for volume "v" Volume is already used', Reason.SINGLE_NODE_STORAGE),
        ('MountVolume.SetUp failed: secret "s" not found', Reason.MISSING_SECRET),
        ("no idea", Reason.POD_CANNOT_START),
    ],
)
def test_the_words_of_an_event_stand_for_a_reason(words: str, reason: Reason) -> None:
    assert blockage_from_words(words) == Blockage(reason, words)


def test_only_active_trials_of_pods_that_wait_for_longer_than_a_moment_are_blocked() -> None:
    fresh = format_time(NOW - timedelta(seconds=2))
    pods = [
        pod_of(BATCH, 0, phase="Pending", blockage=IMAGE),
        pod_of(BATCH, 1, phase="Pending", blockage=IMAGE, created=fresh),
        pod_of(BATCH, 2, phase="Pending", blockage=IMAGE),
        pod_of(batch_of(9, [9]), 0, phase="Pending", blockage=IMAGE),
    ]

    blocked = blocked_trials(pods, [BATCH], frozenset({1, 2}), now=NOW)

    assert [(b.number, b.blockage) for b in blocked] == [(1, IMAGE)]


def test_trials_have_started_once_their_pod_runs() -> None:
    pods = [
        pod_of(BATCH, 0),
        pod_of(BATCH, 1, phase="Pending"),
        pod_of(BATCH, 2),
        pod_of(batch_of(9, [9]), 0),
    ]

    assert started_trials(pods, [BATCH], {1, 2, 9}) == [1]


def test_the_commonest_blockage_is_the_jobs_unless_a_pod_runs() -> None:
    waiting = [
        pod_of(BATCH, 0, phase="Pending", blockage=QUOTA),
        pod_of(BATCH, 1, phase="Pending", blockage=IMAGE),
        pod_of(BATCH, 2, phase="Pending", blockage=IMAGE),
    ]

    assert job_blockage(waiting, now=NOW) == IMAGE
    assert job_blockage([*waiting, pod_of(BATCH, 0)], now=NOW) is None
    assert job_blockage([], now=NOW) is None


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, True),
        ({"suspended": True}, False),
        ({"parallelism": 0}, False),
        ({"finished": True}, False),
        ({"completed": frozenset({0, 1, 2})}, False),
        ({"created": format_time(NOW)}, False),
    ],
    ids=["waits", "suspended", "no-slot", "finished", "counted", "new"],
)
def test_a_live_batch_without_any_pod_is_looked_into(
    changes: dict[str, Any], *, found: bool
) -> None:
    batch = batch_of(1, [1, 2, 3], **changes)

    assert bool(podless_batches([batch], [], ALL, now=NOW)) is found
    assert podless_batches([batch], [pod_of(batch)], ALL, now=NOW) == []


def test_a_pod_that_waits_without_a_word_is_stuck_after_a_while() -> None:
    old, told = pod_of(BATCH, 0, phase="Pending"), pod_of(BATCH, 1, phase="Pending", blockage=IMAGE)
    fresh = pod_of(BATCH, 2, phase="Pending", created=format_time(NOW - timedelta(seconds=10)))

    assert stuck_pods([old, told, fresh, ended_pod(BATCH, 0)], now=NOW) == [old]
