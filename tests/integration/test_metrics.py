"""What a replica serves of the jobs that it looks after, on a real API server."""

from __future__ import annotations

import socket
import time
import urllib.request
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.api import eventually
from tests.support.namespace import Namespace
from tests.support.operator_process import OperatorProcess, running
from tests.support.searchjobs import search_job
from tests.support.simulated_node import Ending, PodView, report, simulated_node, succeed
from winnow_contract.results import TrialResult

pytestmark = pytest.mark.control_plane

GPUS = 2
TEMPLATE = {
    "spec": {
        "containers": [
            {"name": "trial", "resources": {"limits": {"nvidia.com/gpu": str(GPUS)}}},
        ]
    }
}
BUDGET = {"maxTrials": 3, "parallelism": 3, "maxFailedTrials": 3}


@dataclass(frozen=True, slots=True)
class Page:
    """The page of a replica."""

    port: int

    def read(self, metric: str, **labels: str) -> dict[tuple[tuple[str, str], ...], float]:
        """Samples of a metric that have these labels."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics") as answer:
            families = text_string_to_metric_families(answer.read().decode())
        samples = [s for f in families for s in f.samples if s.name == metric]
        return {
            tuple(sorted(s.labels.items())): s.value
            for s in samples
            if labels.items() <= s.labels.items()
        }

    def value(self, metric: str, **labels: str) -> float:
        """The one sample that has these labels; 0 without any."""
        return sum(self.read(metric, **labels).values())


@pytest.fixture
async def page(idle_operator: OperatorProcess) -> AsyncIterator[Page]:
    """The page of a replica that leads."""
    with socket.socket() as probe:
        probe.bind(("", 0))
        port = int(probe.getsockname()[1])
    idle_operator.settings["WINNOW_METRICS_PORT"] = str(port)
    async with running(idle_operator):
        yield Page(port)


async def test_a_job_shows_its_trials_and_gpu_time_and_one_of_the_same_name_begins_anew(
    namespace: Namespace, page: Page
) -> None:
    goes_on = True

    def script(pod: PodView) -> Ending | None:
        number = pod.trials[0].number
        if goes_on:
            return None
        if number > 1:
            return succeed(pod)
        return report(pod, TrialResult(number, "Failed", cause="MyOwnCause", message="no luck"))

    began = time.time()
    job = search_job("twice", budget=BUDGET, podTemplate=TEMPLATE)
    async with simulated_node(namespace.api, namespace.name, script):
        first = (await namespace.create_job(job))["metadata"]["uid"]

        async def counts() -> bool:
            return page.value("winnow_job_gpu_seconds_total", job_uid=first) >= 3 * GPUS * 2

        await eventually(counts, what="GPU seconds of pods that run")
        assert page.value("winnow_trials_active", controller="searchjob") == 3
        goes_on = False
        await namespace.ended("twice")
        ended = time.time()

        async def is_shown() -> bool:
            return page.value("winnow_job_state", job_uid=first, state="Complete") == 1

        await eventually(is_shown, what="the end of the job on the page")
        held = page.value("winnow_job_gpu_seconds_total", job_uid=first)
        # The times of a pod are whole seconds.
        assert 3 * GPUS <= held <= 3 * GPUS * (ended - began + 1)
        assert page.value("winnow_gpu_seconds_total", controller="searchjob") == held
        assert page.value("winnow_job_trials", job_uid=first, outcome="Succeeded") == 2
        finished = "winnow_trials_finished_total"
        assert page.value(finished, outcome="Failed", cause="Other") == 1
        assert page.value(finished, outcome="Succeeded", cause="") == 2
        assert page.value("winnow_leader_election_master_status") == 1

        await namespace.delete_job("twice")
        await namespace.nothing_left_of("twice")
        second = (await namespace.create_job(job))["metadata"]["uid"]
        await namespace.ended("twice")
        await eventually(
            lambda: is_the_only_one(page, second), what="the second job alone on the page"
        )
        assert page.value("winnow_job_gpu_seconds_total", job_uid=second) < held


async def is_the_only_one(page: Page, uid: str) -> bool:
    shown = page.read("winnow_job_state", job_name="twice")
    return {dict(labels)["job_uid"] for labels in shown} == {uid}
