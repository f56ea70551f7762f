"""What a server pod says of itself."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.serving_node import Fares, status_of
from winnow_operator.domain.pods import Termination
from winnow_operator.domain.servers.deployments import DeploymentFact, read_deployment
from winnow_operator.domain.servers.pods import read_server_pod, words_of


def body(fares: Fares | None = None, **metadata: Any) -> dict[str, Any]:
    labels = {"winnow.dev/modelserver": "digits", "winnow.dev/revision": "2"}
    return {
        "metadata": {"name": "digits-r2-x", "labels": labels, **metadata},
        "status": status_of(fares or Fares()),
    }


def test_a_pod_that_is_ready() -> None:
    pod = read_server_pod(body())

    assert pod is not None
    assert (pod.revision, pod.ready, pod.restarts, pod.refusal) == (2, True, 0, "")


def test_a_pod_that_goes_is_not_ready_whatever_it_says() -> None:
    pod = read_server_pod(body(deletionTimestamp="2026-01-31T12:00:00Z"))

    assert pod is not None
    assert not pod.ready
    assert pod.deleting


def test_a_refusal_is_found_in_how_the_init_container_ended_last() -> None:
    pod = read_server_pod(body(Fares(refusal="the manifest\nhas another digest")))

    assert pod is not None
    assert not pod.ready
    assert pod.refusal == "the manifest has another digest (exit code 65)"


def test_a_killed_server_says_why_it_was_killed() -> None:
    pod = read_server_pod(body(Fares(restarts=2, reason="OOMKilled")))

    assert pod is not None
    assert pod.restarts == 2
    assert pod.refusal == ""
    assert [words_of(ended) for ended in pod.ended] == ["OOMKilled, exit code 137"]


def test_log_lines_of_a_server_that_said_nothing_are_no_sentence() -> None:
    lines = '{"time": "12:00", "message": "serving"}\n{"time": "12:01", "message": "answered"}'

    assert words_of(Termination(137, "OOMKilled", lines)) == "OOMKilled, exit code 137"


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_pod_that_was_evicted_counts_no_more(phase: str) -> None:
    gone = body()
    gone["status"]["phase"] = phase

    assert read_server_pod(gone) is None


def test_a_pod_of_something_else_is_none() -> None:
    other = body()
    del other["metadata"]["labels"]["winnow.dev/revision"]

    assert read_server_pod(other) is None


def test_a_deployment_says_why_no_pod_can_be_made() -> None:
    labels = {"winnow.dev/revision": "3"}
    failure = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: pods"}
    deployment = {
        "metadata": {"name": "digits-r3", "labels": labels, "uid": "uid-3"},
        "spec": {"replicas": 2},
        "status": {"conditions": [failure]},
    }

    assert read_deployment(deployment) == DeploymentFact(3, 2, "exceeded quota: pods", "uid-3")
    assert read_deployment({"metadata": {"name": "other"}, "spec": {}}) is None
