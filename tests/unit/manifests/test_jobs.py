"""The Job of a batch, against documents beside this test; WINNOW_GOLDEN=write makes them anew."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from winnow_contract.exit_codes import ExitCode
from winnow_operator.domain.batches import read_batch
from winnow_operator.manifests.claims import default_claim
from winnow_operator.manifests.jobs import Batch, PodSettings, batch_job
from winnow_operator.manifests.objects import Owner

DATA = Path(__file__).parent / "data"
UID = "0a1b2c3d-0000-4000-8000-000000000000"
OWNER = Owner("team", "digits", UID, {"cost-center": "42", "app.kubernetes.io/name": "mine"})
BATCH = Batch(number=3, trials=(4, 5, 6), trials_per_pod=1, parallelism=2, assignments="{}")
SETTINGS = PodSettings(
    image="registry.example.com/winnow/trainer:1",
    artifacts_uri="pvc://models/runs/team/searchjob/digits-0a1b2c3d",
)
TEMPLATE = {
    "metadata": {
        "labels": {"team": "vision", "winnow.dev/batch": "mine"},
        "annotations": {"note": "hello", "winnow.dev/trials": "9"},
    },
    "spec": {
        "nodeSelector": {"gpu": "h100"},
        "serviceAccountName": "trainer",
        "automountServiceAccountToken": True,
        "volumes": [{"name": "cache", "emptyDir": {}}],
        "containers": [
            {
                "name": "trial",
                "imagePullPolicy": "Always",
                "resources": {"limits": {"nvidia.com/gpu": "1"}},
                "env": [
                    {"name": "RUNS", "value": "$(WINNOW_ARTIFACTS)/runs"},
                    {"name": "HOME", "value": "/root"},
                ],
                "volumeMounts": [{"name": "cache", "mountPath": "/cache"}],
            }
        ],
    },
}
CASES = {
    "plain": batch_job(OWNER, BATCH, SETTINGS),
    "template": batch_job(OWNER, BATCH, replace(SETTINGS, template=TEMPLATE)),
    "everything": batch_job(
        replace(OWNER, labels={"kueue.x-k8s.io/queue-name": "gpus", "job-name": "x"}),
        Batch(12, (9, 7, 8, 20), 3, 2, '{"trials":[]}', {7: 2, 20: 1}),
        replace(
            SETTINGS,
            image="registry.example.com/own@sha256:0123",
            command=("python", "-m", "own"),
            args=("--fast",),
            read_claims=("data.set",),
            max_pod_seconds=3600,
            retries=2,
        ),
    ),
    "claim": default_claim("team", size="10Gi", storage_class="fast"),
}


@pytest.mark.parametrize("name", CASES)
def test_the_document_is_the_one_beside_this_test(name: str) -> None:
    path = DATA / f"{name}.yaml"
    if os.environ.get("WINNOW_GOLDEN") == "write":
        path.write_text(yaml.safe_dump(CASES[name], sort_keys=False))

    assert yaml.safe_load(path.read_text()) == CASES[name]


def _pod(job: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = job["spec"]["template"]["spec"]
    return spec


def _container(job: dict[str, Any]) -> dict[str, Any]:
    (container,) = _pod(job)["containers"]
    assert isinstance(container, dict)
    return container


JOBS = {name: case for name, case in CASES.items() if case["kind"] == "Job"}


@pytest.mark.parametrize("name", JOBS)
def test_every_pod_meets_pod_security_restricted_and_gets_no_token(name: str) -> None:
    pod, container = _pod(JOBS[name]), _container(JOBS[name])

    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    kinds = {key for volume in pod["volumes"] for key in volume if key != "name"}
    assert kinds <= {"downwardAPI", "emptyDir", "persistentVolumeClaim"}


@pytest.mark.parametrize("name", JOBS)
def test_the_failure_policy_is_one_that_the_api_server_takes(name: str) -> None:
    spec = JOBS[name]["spec"]
    rules = spec["podFailurePolicy"]["rules"]

    assert spec["template"]["spec"]["restartPolicy"] == "Never"
    assert spec["podReplacementPolicy"] == "Failed"
    assert spec["backoffLimitPerIndex"] >= 0  # FailIndex needs it
    for rule in rules:
        assert len(rule) == 2
        codes = rule.get("onExitCodes")
        if codes is not None:
            assert codes["containerName"] == "trial"
            assert codes["values"] == sorted(set(codes["values"]) - {0})


def test_exit_codes_lead_to_what_the_contract_says() -> None:
    rules = CASES["plain"]["spec"]["podFailurePolicy"]["rules"]

    actions = {
        code: rule["action"]
        for rule in rules
        for code in rule.get("onExitCodes", {}).get("values", ())
    }
    assert actions == {
        ExitCode.STOPPED: "FailIndex",
        ExitCode.CONTRACT: "FailJob",
        ExitCode.PERMANENT: "FailIndex",
    }
    assert rules[0]["action"] == "Ignore"  # before all: the cluster's fault spends no retry


def test_the_users_fields_are_laid_over_and_the_operators_own_win() -> None:
    job = CASES["template"]
    metadata, pod, container = job["spec"]["template"]["metadata"], _pod(job), _container(job)

    assert metadata["labels"]["team"] == "vision"
    assert metadata["labels"]["winnow.dev/batch"] == "digits-b0003"
    assert metadata["annotations"]["note"] == "hello"
    assert metadata["annotations"]["winnow.dev/trials"] == "4-6"
    assert pod["nodeSelector"] == {"gpu": "h100"}
    assert pod["automountServiceAccountToken"] is False
    assert container["imagePullPolicy"] == "Always"
    assert container["image"] == SETTINGS.image
    names = [variable["name"] for variable in container["env"]]
    assert len(set(names)) == len(names)
    assert names.index("RUNS") > names.index("WINNOW_ARTIFACTS")
    assert {"name": "HOME", "value": "/tmp"} in container["env"]  # noqa: S108 -- an emptyDir


def test_labels_of_the_job_are_handed_on_but_for_those_with_a_meaning() -> None:
    plain, everything = CASES["plain"], CASES["everything"]

    assert plain["metadata"]["labels"]["cost-center"] == "42"
    assert plain["spec"]["template"]["metadata"]["labels"]["cost-center"] == "42"
    assert plain["metadata"]["labels"]["app.kubernetes.io/name"] == "winnow"
    assert "job-name" not in everything["metadata"]["labels"]


def test_kueue_queues_the_job_and_not_its_pods() -> None:
    job = CASES["everything"]

    assert job["spec"]["suspend"] is True
    assert job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "gpus"
    assert "kueue.x-k8s.io/queue-name" not in job["spec"]["template"]["metadata"]["labels"]
    assert "suspend" not in CASES["plain"]["spec"]


def test_a_claim_for_data_and_artifacts_is_mounted_once_and_writable() -> None:
    pod = _pod(batch_job(OWNER, BATCH, replace(SETTINGS, read_claims=("models",))))

    claims = [v["persistentVolumeClaim"] for v in pod["volumes"] if "persistentVolumeClaim" in v]
    assert claims == [{"claimName": "models", "readOnly": False}]


def test_a_deadline_is_never_more_than_the_api_server_takes() -> None:
    pod = _pod(batch_job(OWNER, BATCH, replace(SETTINGS, max_pod_seconds=10**12)))

    assert pod["activeDeadlineSeconds"] == 2**31 - 1


@given(
    st.lists(st.integers(1, 99_999), min_size=1, max_size=40, unique=True),
    st.integers(1, 32),
    st.dictionaries(st.integers(1, 99_999), st.integers(1, 10), max_size=5),
)
def test_what_a_batch_runs_is_read_back_from_its_job(
    trials: list[int], per_pod: int, attempts: dict[int, int]
) -> None:
    batch = Batch(7, tuple(trials), per_pod, 3, "{}", attempts)
    job = batch_job(OWNER, batch, SETTINGS)
    job["metadata"]["uid"] = "job-uid"

    fact = read_batch(job)

    assert fact is not None
    assert (fact.number, fact.trials, fact.trials_per_pod) == (7, tuple(trials), per_pod)
    assert fact.previous_attempts == attempts
    assert len(fact.indexes) == job["spec"]["completions"]
    assert [n for i in fact.indexes for n in fact.trials_of(i)] == trials


def test_pods_ask_to_be_scraped_where_that_is_wanted() -> None:
    job = batch_job(OWNER, BATCH, replace(SETTINGS, is_scraped=True))
    annotations = job["spec"]["template"]["metadata"]["annotations"]

    assert annotations["prometheus.io/scrape"] == "true"
    (port,) = job["spec"]["template"]["spec"]["containers"][0]["ports"]
    assert annotations["prometheus.io/port"] == str(port["containerPort"])
    plain = CASES["plain"]["spec"]["template"]["metadata"]["annotations"]
    assert "prometheus.io/scrape" not in plain
