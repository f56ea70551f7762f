"""What GitOps tools see of real objects, from the moment they are made to their end."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.contract.bad_specs import OPERATOR
from tests.support.api import Api, Body
from tests.support.chart import ROOT, tool
from tests.support.compressionjobs import compress, compression_job
from tests.support.judge import judge
from tests.support.modelservers import SECOND, Servers, artifact, model_server
from tests.support.namespace import Namespace, new_namespace
from tests.support.operator_process import OperatorProcess
from tests.support.searchjobs import search_job
from tests.support.serving_node import Fares, serving_node
from tests.support.simulated_node import simulated_node

pytestmark = pytest.mark.control_plane


def health(body: Body) -> tuple[str, str, str]:
    """As kstatus, Flux's expressions and Argo CD's script say."""
    (found,) = judge([body])
    return found.kstatus, found.flux, found.argo


IN_PROGRESS = ("InProgress", "InProgress", "Progressing")
CURRENT = ("Current", "Current", "Healthy")
FAILED = ("Failed", "Failed", "Degraded")
SUSPENDED = ("Current", "Current", "Suspended")


async def test_a_search_is_in_progress_until_it_is_complete(
    namespace: Namespace, operator: OperatorProcess, control_plane: Path
) -> None:
    assert operator.is_running
    fresh = await namespace.create_job(search_job(suspend=True))
    assert health(fresh) == IN_PROGRESS
    await namespace.condition("search", "Suspended", "Suspended")
    assert health(await namespace.job("search")) == SUSPENDED
    edited = await namespace.edit_job("search", suspend=False)
    assert health(edited) == IN_PROGRESS

    async with simulated_node(namespace.api, namespace.name):
        done = await namespace.ended("search")

    assert health(done) == CURRENT
    wait = ["wait", "searchjob/search", "--for=condition=Complete", "--timeout=0"]
    kubectl(control_plane, namespace, *wait)
    assert {health(trial) for trial in await namespace.trials("search")} == {CURRENT}


def kubectl(kubeconfig: Path, namespace: Namespace | None, *words: str, **given: Any) -> str:
    command = [tool("kubectl"), f"--kubeconfig={kubeconfig}"]
    if namespace is not None:
        command.append(f"--namespace={namespace.name}")
    done = subprocess.run([*command, *words], capture_output=True, text=True, check=False, **given)
    assert done.returncode == 0, done.stderr
    return str(done.stdout)


async def test_what_failed_is_failed_to_all_of_them(
    namespace: Namespace, operator: OperatorProcess
) -> None:
    assert operator.is_running
    await namespace.create_job(OPERATOR[0].document())

    assert health(await namespace.ended("bad")) == FAILED


async def helm_install(
    kubeconfig: Path, namespace: Namespace, folder: Path, *bodies: Body
) -> asyncio.subprocess.Process:
    """`helm install --wait` of a chart with these objects, while the test goes on."""
    chart = folder / "chart"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("{apiVersion: v2, name: team, version: 0.1.0}")
    # JSON, since Go's YAML takes a plain y or n for a boolean.
    (chart / "templates/objects.yaml").write_text("\n---\n".join(map(json.dumps, bodies)))
    where = [f"--kubeconfig={kubeconfig}", f"--namespace={namespace.name}"]
    command = [tool("helm"), "install", "team", str(chart), *where, "--wait", "--timeout=90s"]
    return await asyncio.create_subprocess_exec(*command, stderr=subprocess.PIPE)


async def test_helm_waits_for_the_end_of_a_search_and_for_a_server_that_serves(
    namespace: Namespace, operator: OperatorProcess, control_plane: Path, tmp_path: Path
) -> None:
    assert operator.is_running
    wanted = search_job(), model_server(model=artifact())
    helm = await helm_install(control_plane, namespace, tmp_path, *wanted)
    await namespace.condition("search", "Reconciling", "Running")
    assert helm.returncode is None, "it has not waited"

    async with (
        simulated_node(namespace.api, namespace.name),
        serving_node(namespace.api, namespace.name),
    ):
        _, said = await helm.communicate()
        seen = [await namespace.job("search"), await Servers(namespace).get()]

    assert helm.returncode == 0, said.decode()
    assert [health(body) for body in seen] == [CURRENT, CURRENT]


async def test_helm_fails_with_a_search_that_has_failed(
    namespace: Namespace, operator: OperatorProcess, control_plane: Path, tmp_path: Path
) -> None:
    assert operator.is_running
    helm = await helm_install(control_plane, namespace, tmp_path, OPERATOR[0].document())

    _, said = await helm.communicate()

    assert helm.returncode == 1
    assert "SearchJob/" in said.decode()
    assert "status: Failed" in said.decode()
    assert "deadline" not in said.decode()  # it has not waited for what cannot come


async def test_a_server_is_degraded_once_a_choice_was_given_up_and_heals_with_another(
    namespace: Namespace, operator: OperatorProcess
) -> None:
    assert operator.is_running
    servers = Servers(namespace)

    def script(pod: Any) -> Fares:
        return Fares(ready=pod.digest != SECOND, restarts=3 * (pod.digest == SECOND))

    async with serving_node(namespace.api, namespace.name, script):
        await servers.create(model_server(model={"compressionJob": "small"}))
        await servers.condition("Ready", "WaitingForSource", status="False")
        waiting = await servers.get()
        await servers.edit(model={"compressionJob": None, **artifact()})
        ready = await servers.serves(artifact())
        await servers.edit(model=artifact(SECOND))
        aborted = await servers.state("RolloutAborted")
        await servers.edit(model=artifact())
        healed = await servers.serves(artifact())

    assert [health(body) for body in (waiting, ready, aborted, healed)] == [
        IN_PROGRESS,
        CURRENT,
        FAILED,
        CURRENT,
    ]


async def test_after_a_whole_run_there_is_nothing_to_sync(
    namespace: Namespace, operator: OperatorProcess, control_plane: Path
) -> None:
    """As Argo CD compares with `ServerSideDiff=true`: a dry run of the apply beside what is live."""
    assert operator.is_running
    wanted = [search_job(), compression_job(), model_server()]
    manifest = json.dumps({"apiVersion": "v1", "kind": "List", "items": wanted})
    apply = ["apply", "--server-side", "--field-manager=argocd-controller", "-f", "-"]
    kubectl(control_plane, namespace, *apply, input=manifest)
    async with (
        simulated_node(namespace.api, namespace.name, compress),
        serving_node(namespace.api, namespace.name),
    ):
        await Servers(namespace).serves(artifact())
        done = await namespace.compressions.ended("small")
    live = json.loads(
        kubectl(control_plane, namespace, "get", "-f", "-", "-o=json", input=manifest)
    )

    dry = [*apply, "--dry-run=server", "-o=json"]
    after = json.loads(kubectl(control_plane, namespace, *dry, input=manifest))

    assert health(done) == CURRENT
    assert [compared(body) for body in after["items"]] == [compared(body) for body in live["items"]]


def compared(body: Mapping[str, Any]) -> Body:
    """What is compared of an object: Argo CD leaves the status out, and what each write changes."""
    left_out = {"managedFields", "resourceVersion"}
    metadata = {k: v for k, v in body["metadata"].items() if k not in left_out}
    return {"metadata": metadata, "spec": body["spec"]}


@pytest.mark.parametrize("folder", ["team", "production"])
async def test_the_folder_of_a_team_is_taken_whole_and_again_without_a_change(
    folder: str, api: Api, control_plane: Path
) -> None:
    made_of = ["apply", "--dry-run=client", "-o=json", "-k", str(ROOT / "examples/gitops" / folder)]
    async with new_namespace(api) as namespace:
        # The namespace that the folder makes is another one for each test.
        items = json.loads(kubectl(control_plane, None, *made_of))["items"]
        moved = [
            {**body, "metadata": {**body["metadata"], "namespace": namespace.name}}
            for body in items
            if body["kind"] != "Namespace"
        ]
        manifest = json.dumps({"apiVersion": "v1", "kind": "List", "items": moved})

        made = kubectl(control_plane, namespace, "apply", "-f", "-", input=manifest)
        again = kubectl(control_plane, namespace, "apply", "-f", "-", input=manifest)

    assert len(made.splitlines()) == len(moved)
    assert again.splitlines() == [
        line.replace(" created", " unchanged") for line in made.splitlines()
    ]
