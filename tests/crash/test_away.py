"""What happened while no operator was there counts before anything is decided."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.crash.stage import Theatre, open_stage
from tests.support.api import eventually
from tests.support.namespace import conditions, outcomes
from tests.support.proxy_faults import READS, Delay, Fault
from tests.support.searchjobs import search_job
from tests.support.simulated_node import simulated_node, succeed
from winnow_operator.domain.blockages import parse_time

pytestmark = pytest.mark.control_plane

LIMIT_SECONDS = 5


async def test_trials_that_ended_while_the_deadline_passed_count(theatre: Theatre) -> None:
    async with (
        open_stage(theatre) as stage,
        simulated_node(theatre.api, stage.namespace.name, lambda _: None) as node,
    ):
        namespace = stage.namespace

        async def has_run_out() -> bool:
            started = (await namespace.job("search"))["status"]["startTime"]
            return (datetime.now(UTC) - parse_time(started)).total_seconds() > LIMIT_SECONDS

        async def pods_have_ended() -> bool:
            return [p["status"]["phase"] for p in await namespace.pods("search")] == [
                "Succeeded",
                "Succeeded",
            ]

        await stage.start()
        budget = {"maxTrials": 2, "parallelism": 2, "maxDuration": f"{LIMIT_SECONDS}s"}
        await namespace.create_job(search_job(budget=budget))
        await eventually(lambda: namespace.pods("search"), what="pods")
        await namespace.condition("search", "Reconciling", "Running")
        stage.operator.kill()
        await eventually(has_run_out, what="the deadline")
        node.script = succeed
        await eventually(pods_have_ended, what="the end of both pods")
        # The watch shows the pods later than the job, and the Job has not counted them yet.
        stage.proxy.inject(Fault(Delay(1.0), READS, "/pods"))
        await stage.start()
        body = await namespace.ended("search")

        assert conditions(body)["Complete"]["status"] == "True"
        assert outcomes(await namespace.trials("search")) == ["Succeeded", "Succeeded"]
