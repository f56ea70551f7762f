"""Why trials fail or cannot start, in the words of a real node: on Trial, Event and condition."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.conftest import Cluster
from tests.support.api import Body, eventually
from tests.support.namespace import Namespace, conditions, holds
from tests.support.quotas import enforce_quota, lift_quota
from tests.support.scripted_trials import HUNGRY, QUICK, SMALL, scripted_job

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]


def with_pod(**spec: Any) -> Body:
    """A pod template with these fields of the pod."""
    return {"spec": {"containers": [{"name": "trial", "resources": SMALL}], **spec}}


def with_container(**container: Any) -> Body:
    """A pod template with these fields of the container."""
    return {"spec": {"containers": [{"name": "trial", "resources": SMALL, **container}]}}


def gpus() -> Body:
    """Resources with more GPUs than any node has."""
    return {"limits": {"nvidia.com/gpu": "99"}, "requests": {"nvidia.com/gpu": "99"}}


def secret_env() -> list[Body]:
    """A variable from a Secret that is not there."""
    source = {"secretKeyRef": {"name": "not-there", "key": "token"}}
    return [{"name": "TOKEN", "valueFrom": source}]


BLOCKED = [
    pytest.param(
        {"trial": {"image": "127.0.0.1:1/missing/image:1"}},
        "ImagePull",
        "missing/image",
        id="image",
    ),
    pytest.param(
        {"podTemplate": with_container(resources=gpus())},
        "Unschedulable",
        "nvidia.com/gpu",
        id="no GPU",
    ),
    pytest.param(
        {"storage": {"uri": "pvc://not-there/models"}}, "MissingClaim", "not-there", id="claim"
    ),
    pytest.param(
        {"podTemplate": with_container(env=secret_env())}, "MissingSecret", "not-there", id="secret"
    ),
    pytest.param(
        {"podTemplate": with_pod(serviceAccountName="not-there")},
        "PodCannotStart",
        "not-there",
        id="service account",
    ),
]


@pytest.mark.parametrize(("spec", "reason", "words"), BLOCKED)
async def test_what_keeps_pods_from_starting_is_said_everywhere(
    namespace: Namespace, cluster: Cluster, spec: dict[str, Any], reason: str, words: str
) -> None:
    await namespace.create_job(scripted_job("blocked", cluster.trainer_image, QUICK, **spec))
    found = await namespace.condition("blocked", "Reconciling", reason, seconds=90)
    trial = await eventually(lambda: caused(namespace, reason), what=f"a Trial with cause {reason}")
    notes = [e["note"] for e in await namespace.events("blocked") if e["reason"] == reason]

    assert words in found["message"]
    assert words in trial["status"]["message"]
    assert trial["status"]["outcome"] == "Active"
    assert any(words in note for note in notes)


async def caused(namespace: Namespace, cause: str) -> Body | None:
    trials = await namespace.trials("blocked")
    return next((t for t in trials if t["status"].get("cause") == cause), None)


@pytest.mark.prove
async def test_a_quota_of_pods_is_said_and_the_job_goes_on_once_it_is_gone(
    namespace: Namespace, cluster: Cluster
) -> None:
    await enforce_quota(namespace, "none", "pods")
    await namespace.create_job(scripted_job("waiting", cluster.trainer_image, QUICK))
    found = await namespace.condition("waiting", "Reconciling", "QuotaExceeded", seconds=60)
    await lift_quota(namespace, "none")
    body = await namespace.ended("waiting", seconds=120)

    assert "pods" in found["message"]
    assert holds(body, "Complete"), conditions(body)


async def test_a_trial_that_takes_too_much_memory_fails_as_oom_killed(
    namespace: Namespace, cluster: Cluster
) -> None:
    budget = {"maxTrials": 1, "maxFailedTrials": 1, "retriesPerTrial": 0}
    await namespace.create_job(scripted_job("hungry", cluster.trainer_image, HUNGRY, budget=budget))
    body = await namespace.ended("hungry", seconds=90)

    (trial,) = await namespace.trials("hungry")
    assert trial["status"]["cause"] == "OOMKilled"
    assert conditions(body)["Failed"]["reason"] == "NoWinner"


async def test_the_last_lines_of_a_crash_stand_on_its_trial(
    namespace: Namespace, cluster: Cluster
) -> None:
    program = "print('reading the table'); raise SystemExit('no such column: label')"
    budget = {"maxTrials": 1, "maxFailedTrials": 0, "retriesPerTrial": 0}
    await namespace.create_job(scripted_job("crash", cluster.trainer_image, program, budget=budget))
    body = await namespace.ended("crash", seconds=90)

    (trial,) = await namespace.trials("crash")
    assert trial["status"]["cause"] == "Crash"
    assert "exit code 1" in trial["status"]["message"]
    assert "no such column: label" in trial["status"]["message"]
    assert "no such column: label" in conditions(body)["Failed"]["message"]
