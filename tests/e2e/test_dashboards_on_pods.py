"""Every query of every panel, asked of a Prometheus that has scraped a search, a compression and a server."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import pytest

from monitoring.answers import AnswerError, Prometheus, Span, answer, choose
from tests.e2e.conftest import PROFILE, Cluster, Compressed
from tests.e2e.serving_client import Client, small_server
from tests.support.api import Api, Body, NotYetError, eventually
from tests.support.chart import ROOT
from tests.support.modelservers import Servers
from tests.support.namespace import Namespace
from tests.support.scripted_trials import scripted_job

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(
        (os.environ.get("CLUSTER") or "devcluster") != "devcluster",
        reason="no Prometheus is known there",
    ),
]

SCRAPES_SECONDS = 15
"""Three scrapes and a bit."""
CURVE = f"""
import time
from winnow_contract.report import run
def train(trial):
    for step in range(1, {SCRAPES_SECONDS} * 10 + 1):
        trial.report(step, quality=step / 200)
        time.sleep(0.1)
run(train)
"""
"""Trains for several scrapes."""


ONE = {"maxTrials": 1, "parallelism": 1}
BOTH = {"maxTrials": 2, "parallelism": 2}


@dataclass(frozen=True, slots=True)
class Shown:
    """What a dashboard is asked about."""

    file: str
    variables: dict[str, str]
    span: Span


@pytest.fixture(scope="module")
def prometheus() -> Prometheus:
    """The one that the tests' own cluster has."""
    command = [str(ROOT / "scripts/devcluster"), "status", "--profile", PROFILE]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = re.search(r"^prometheus +(\S+)", said, re.MULTILINE)
    assert found is not None, said
    return Prometheus(found[1])


def empty(prometheus: Prometheus, shown: Shown, *, but: Collection[str] = ()) -> list[str]:
    """Queries of a dashboard that give nothing, but for some by their text."""
    path = ROOT / f"charts/winnow/files/dashboards/{shown.file}.json"
    dashboard = json.loads(path.read_text())
    try:
        values = choose(dashboard, shown.variables, prometheus, shown.span)
        panels = list(answer(dashboard, values, prometheus, shown.span))
    except AnswerError as error:
        return [str(error)]
    assert len(panels) > 5
    pairs = [
        (panel, given, target["expr"])
        for panel, drawn in zip(panels, dashboard["panels"], strict=True)
        for given, target in zip(panel.answers, drawn["targets"], strict=True)
    ]
    return [
        f"{p.title}: {a.expression}" for p, a, expr in pairs if not a.series and expr not in but
    ]


def seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def job_shown(file: str, body: Body) -> Shown:
    """A job's dashboard while it ran, and until its end was surely scraped."""
    metadata, status = body["metadata"], body["status"]
    names = {"namespace": metadata["namespace"], "name": metadata["name"], "uid": metadata["uid"]}
    end = seconds(status["completionTime"]) + SCRAPES_SECONDS
    return Shown(file, names, Span(seconds(status["startTime"]), end))


async def all_full(prometheus: Prometheus, shown: Shown, *, but: Collection[str] = ()) -> None:
    """Wait until no query of a dashboard gives nothing."""

    async def check() -> bool:
        found = empty(prometheus, shown, but=but)
        if found:
            raise NotYetError("; ".join(found))
        return True

    await eventually(check, seconds=40, what=f"data for every query of {shown.file}")


@pytest.mark.timeout(600)
async def test_no_query_of_a_dashboard_is_empty_after_a_search_a_compression_and_a_server(
    cluster: Cluster, compressed: Compressed, api: Api, prometheus: Prometheus
) -> None:
    namespace = Namespace(api, compressed.namespace)
    began = time.time()
    await namespace.create_job(scripted_job("curve", cluster.trainer_image, CURVE, budget=BOTH))
    servers, chosen = Servers(namespace), {"compressionJob": "small"}
    await servers.create(small_server("shown", model=chosen))
    await servers.state("Ready", "shown", seconds=180)
    asker = Client(cluster, namespace.name, "shown")

    async def asked() -> bool:
        assert asker.accuracy() > 0.85  # a request in each scrape
        where = {"namespace": namespace.name, "server": "shown"}
        found = empty(prometheus, Shown("winnow-server", where, Span(began, time.time())))
        if found:
            raise NotYetError("; ".join(found))
        return True

    await eventually(asked, seconds=60, what="data for every query of the server")
    search = await namespace.ended("curve", seconds=120)
    await all_full(prometheus, job_shown("winnow-search", search))
    # Candidates of a test may train for less than a scrape takes to come by: the same query was
    # asked about the search, whose trials do not.
    asked_before = ['winnow_trial_metric{job_uid="$uid"}']
    small = job_shown("winnow-compression", compressed.job)
    await all_full(prometheus, small, but=asked_before)
    await all_full(prometheus, Shown("winnow-cluster", {}, Span(began, time.time())))


@pytest.mark.prove
@pytest.mark.timeout(600)
async def test_a_trial_of_a_job_is_not_taken_for_one_of_an_earlier_job_of_the_same_name(
    cluster: Cluster, namespace: Namespace, prometheus: Prometheus
) -> None:
    uids = []
    began = time.time()
    for _ in range(2):
        await namespace.create_job(scripted_job("twice", cluster.trainer_image, CURVE, budget=ONE))
        body = await namespace.ended("twice", seconds=180)
        uids.append(body["metadata"]["uid"])
        await namespace.delete_job("twice")
        await namespace.nothing_left_of("twice", seconds=90)
    span = Span(began, time.time())

    for uid in uids:
        found = prometheus.values(f'winnow_trial_info{{job_uid="{uid}"}}', "pod", span)
        assert len(found) == 1, found
    everything = f'winnow_trial_info{{namespace="{namespace.name}"}}'
    assert sorted(prometheus.values(everything, "job_uid", span)) == sorted(uids)
    assert prometheus.values(everything, "exported_job_uid", span) == []
