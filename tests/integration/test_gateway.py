"""The gateway on a real API server: what each refusal is called, and what each write does."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes.aio.client import ApiClient

from tests.support.access import operator_kubeconfig
from tests.support.api import AlwaysWrite
from tests.support.lease_contract import SetClock
from tests.support.namespace import Namespace
from tests.support.quotas import enforce_quota
from tests.support.searchjobs import search_job
from winnow_operator.errors import (
    AlreadyExistsError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    RefusedError,
    UnavailableError,
)
from winnow_operator.kube import gateway as module
from winnow_operator.kube.connection import connect
from winnow_operator.kube.gateway import Gateway
from winnow_operator.kube.recorder import EventType, Note, Recorder
from winnow_operator.kube.resources import JOBS, LEASES, SEARCHJOBS, TRIALS, Resource

pytestmark = pytest.mark.control_plane

CONFIGMAPS = Resource("", "v1", "configmaps")
SECRETS = Resource("", "v1", "secrets")


@pytest.fixture
async def client(control_plane: Path) -> AsyncIterator[ApiClient]:
    async with await connect({"KUBECONFIG": str(control_plane)}) as client:
        yield client


@pytest.fixture
def gateway(client: ApiClient) -> Gateway:
    return Gateway(client, AlwaysWrite())


def named(
    name: str, api_version: str = "v1", kind: str = "ConfigMap", **more: Any
) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, **more}


def trial(name: str, number: int) -> dict[str, Any]:
    return named(name, "winnow.dev/v1alpha1", "Trial", spec={"number": number, "seed": 1})


def job(name: str = "job", **spec: Any) -> dict[str, Any]:
    container = {"name": "trial", "image": "example.test/x:1"}
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    return named(name, "batch/v1", "Job", spec={"suspend": True, "template": template, **spec})


async def test_what_exists_is_told_from_what_has_changed(
    gateway: Gateway, namespace: Namespace
) -> None:
    first = await gateway.create(CONFIGMAPS, namespace.name, named("a"))
    with pytest.raises(AlreadyExistsError):
        await gateway.create(CONFIGMAPS, namespace.name, named("a"))

    await gateway.merge(CONFIGMAPS, namespace.name, "a", {"data": {"x": "1"}})

    with pytest.raises(ConflictError):
        await gateway.replace_unfenced(CONFIGMAPS, namespace.name, first)


async def test_what_is_not_there_is_not_found(gateway: Gateway, namespace: Namespace) -> None:
    with pytest.raises(NotFoundError, match='configmaps "gone" not found'):
        await gateway.get(CONFIGMAPS, namespace.name, "gone")


async def test_a_document_that_is_never_accepted_is_refused_in_the_servers_words(
    gateway: Gateway, namespace: Namespace
) -> None:
    with pytest.raises(RefusedError, match="backoffLimit"):
        await gateway.create(JOBS, namespace.name, job(backoffLimit=-1), dry_run=True)


async def test_a_dry_run_makes_nothing(gateway: Gateway, namespace: Namespace) -> None:
    await gateway.create(JOBS, namespace.name, job(), dry_run=True)

    assert await gateway.list(JOBS, namespace.name) == []


async def test_a_quota_is_forbidden_in_the_servers_words(
    gateway: Gateway, namespace: Namespace
) -> None:
    await enforce_quota(namespace, "none", "count/jobs.batch")

    with pytest.raises(ForbiddenError, match="exceeded quota: none, requested"):
        await gateway.create(JOBS, namespace.name, job())


async def test_a_missing_right_is_forbidden_and_named(
    namespace: Namespace, control_plane: Path, tmp_path: Path
) -> None:
    kubeconfig = await operator_kubeconfig(namespace.api, control_plane, namespace.name, tmp_path)
    async with await connect({"KUBECONFIG": str(kubeconfig)}) as client:
        gateway = Gateway(client, AlwaysWrite())

        with pytest.raises(ForbiddenError, match='cannot list resource "secrets"'):
            await gateway.list(SECRETS, namespace.name, at_most=1)


async def test_a_token_that_is_not_known_is_tried_again_since_it_may_be_rotated(
    client: ApiClient, gateway: Gateway, namespace: Namespace
) -> None:
    client.configuration.api_key["BearerToken"] = "Bearer wrong"

    with pytest.raises(UnavailableError, match="Unauthorized"):
        await gateway.get(CONFIGMAPS, namespace.name, "a")


async def test_pages_are_read_to_the_end_and_selectors_hold(
    gateway: Gateway, namespace: Namespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE", 3)
    for number in range(8):
        body = named(f"c{number}")
        body["metadata"]["labels"] = {"parity": str(number % 2)}
        await gateway.create(CONFIGMAPS, namespace.name, body)

    even = await gateway.list(CONFIGMAPS, namespace.name, labels="parity=0")
    one = await gateway.list(CONFIGMAPS, namespace.name, fields="metadata.name=c3")

    assert [body["metadata"]["name"] for body in even] == ["c0", "c2", "c4", "c6"]
    assert [body["metadata"]["name"] for body in one] == ["c3"]
    everywhere = await gateway.list(CONFIGMAPS, "", fields="metadata.name=c3")
    assert namespace.name in {body["metadata"]["namespace"] for body in everywhere}


async def test_a_new_trial_is_selected_as_active_until_its_outcome_is_written(
    gateway: Gateway, namespace: Namespace
) -> None:
    async def active() -> list[str]:
        found = await gateway.list(TRIALS, namespace.name, fields="status.outcome=Active")
        return [body["metadata"]["name"] for body in found]

    for number in (1, 2):
        await gateway.create(TRIALS, namespace.name, trial(f"t{number}", number))
    assert await active() == ["t1", "t2"]

    await gateway.apply_status(
        TRIALS, namespace.name, {**trial("t1", 1), "status": {"outcome": "Failed", "cause": "X"}}
    )

    assert await active() == ["t2"]


async def test_applying_the_same_status_again_changes_nothing(
    gateway: Gateway, namespace: Namespace
) -> None:
    await gateway.create(SEARCHJOBS, namespace.name, search_job("search"))
    status = {"observedGeneration": 1, "conditions": []}
    body = {**named("search", "winnow.dev/v1alpha1", "SearchJob"), "status": status}

    first = await gateway.apply_status(SEARCHJOBS, namespace.name, body)
    second = await gateway.apply_status(SEARCHJOBS, namespace.name, body)

    assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    assert second["spec"] == first["spec"]
    assert second["metadata"]["generation"] == 1


async def test_fields_are_merged_into_an_object(gateway: Gateway, namespace: Namespace) -> None:
    await gateway.create(JOBS, namespace.name, job(parallelism=1))

    merged = await gateway.merge(
        JOBS, namespace.name, "job", {"spec": {"parallelism": 3, "suspend": True}}
    )

    assert (merged["spec"]["parallelism"], merged["spec"]["suspend"]) == (3, True)


async def test_only_the_object_that_is_meant_is_deleted(
    gateway: Gateway, namespace: Namespace
) -> None:
    made = await gateway.create(CONFIGMAPS, namespace.name, named("a"))

    await gateway.delete(CONFIGMAPS, namespace.name, "a", uid="another-uid")
    assert await gateway.get(CONFIGMAPS, namespace.name, "a") == made

    await gateway.delete(CONFIGMAPS, namespace.name, "a", uid=made["metadata"]["uid"])
    with pytest.raises(NotFoundError):
        await gateway.get(CONFIGMAPS, namespace.name, "a")
    await gateway.delete(CONFIGMAPS, namespace.name, "a")


async def test_all_objects_with_a_label_are_deleted_in_one_call(
    gateway: Gateway, namespace: Namespace
) -> None:
    for name in ("a", "b", "c"):
        body = named(name)
        body["metadata"]["labels"] = {"keep": str(name == "b")}
        await gateway.create(CONFIGMAPS, namespace.name, body)

    await gateway.delete_all(CONFIGMAPS, namespace.name, labels="keep=False")

    left = await gateway.list(CONFIGMAPS, namespace.name, labels="keep")
    assert [body["metadata"]["name"] for body in left] == ["b"]


async def test_an_event_of_full_length_is_accepted_and_written_once(
    gateway: Gateway, namespace: Namespace
) -> None:
    made = await namespace.create_job(search_job("search"))
    note = Note(EventType.WARNING, "TrialFailed", "Record", "ö" * 5000)
    recorder = Recorder(gateway, SetClock(), "x" * 300)

    await recorder.record(made, note)
    again = dataclasses.replace(recorder, _written=OrderedDict())
    await again.record(made, note)

    (event,) = await namespace.events("search")
    assert len(event["note"].encode()) == 1024
    assert event["regarding"]["uid"] == made["metadata"]["uid"]


async def test_a_lease_that_was_released_is_accepted(
    gateway: Gateway, namespace: Namespace
) -> None:
    spec = {"holderIdentity": "", "leaseDurationSeconds": 1, "leaseTransitions": 2}
    body = named("lease", "coordination.k8s.io/v1", "Lease", spec=spec)

    made = await gateway.create_unfenced(LEASES, namespace.name, body)

    assert made["spec"]["leaseDurationSeconds"] == 1
