"""The Job that compares a canary: whom it asks, what it may, and when it goes."""

from __future__ import annotations

from typing import Any

from tests.unit.manifests.test_servers import REVISION, server
from winnow_contract.comparing import read_comparison
from winnow_contract.serving import read_serving
from winnow_operator.domain.servers.probes import Probe, Target
from winnow_operator.manifests.probes import probe_job, probe_name
from winnow_operator.manifests.servers import network_policy

PROBE = Probe(Target(6, "10.0.0.6"), Target(7, "fd00::7"), "0.25", "2026-01-31T12:00:00Z", "uid-d")


def job(**spec: Any) -> dict[str, Any]:
    return probe_job(server(**spec), REVISION, PROBE)


def pod(**spec: Any) -> dict[str, Any]:
    template: dict[str, Any] = job(**spec)["spec"]["template"]
    return template


def test_the_probe_reads_back_whom_it_asks_and_what_it_fetches() -> None:
    (container,) = pod()["spec"]["containers"]
    env = {e["name"]: e["value"] for e in container["env"]}

    asked = read_comparison(env)
    assert asked.stable == "http://10.0.0.6:8080/v2/models/digits/versions/6"
    assert asked.canary == "http://[fd00::7]:8080/v2/models/digits/versions/7"
    assert asked.tolerance == 0.25
    assert read_serving(env).model_digest == REVISION.digest
    assert container["args"] == ["winnow_server", "compare"]


def test_no_service_and_no_budget_takes_it_for_a_server() -> None:
    labels = pod()["metadata"]["labels"]

    assert labels["winnow.dev/probe"] == "digits"
    assert labels["team"] == "vision"
    assert not {"winnow.dev/modelserver", "winnow.dev/revision"} & labels.keys()
    assert not [key for key in labels if key.startswith("kueue")]


def test_it_meets_pod_security_and_takes_what_the_user_lays_over() -> None:
    overlay = {"spec": {"imagePullSecrets": [{"name": "pull"}]}}
    found = pod(podTemplate=overlay, resources={"limits": {"cpu": "1"}})["spec"]

    assert found["imagePullSecrets"] == [{"name": "pull"}]
    assert found["automountServiceAccountToken"] is False
    assert found["securityContext"]["runAsNonRoot"] is True
    for container in (*found["initContainers"], *found["containers"]):
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["resources"] == {"limits": {"cpu": "1"}}


def test_it_goes_with_the_deployment_of_the_canary_and_some_time_after_it_has_ended() -> None:
    made = job()

    assert made["metadata"]["name"] == probe_name("digits", PROBE)
    assert len(probe_name("x" * 40, PROBE)) <= 63
    (owner,) = made["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["uid"]) == ("Deployment", "digits-r7", "uid-d")
    assert made["spec"]["ttlSecondsAfterFinished"] == 300


def test_a_policy_that_lets_some_in_lets_the_probe_in() -> None:
    web = {"podSelector": {"matchLabels": {"app": "web"}}}
    policy = network_policy(server(networkPolicy={"allowFrom": [web]}))

    assert policy is not None
    probe = {"podSelector": {"matchLabels": {"winnow.dev/probe": "digits"}}}
    assert policy["spec"]["ingress"][0]["from"] == [web, probe]
