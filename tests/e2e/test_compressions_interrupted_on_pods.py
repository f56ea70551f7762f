"""Compressions that are suspended, lose pods or their operator: what is built and chosen is the same.

Each job asks for the first candidates of the undisturbed one of the fixture, so that they must have
the same seeds and figures to the last digit, but for those that a clock measures.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.crash.invariants import broken_invariants
from tests.crash.world import world_of
from tests.e2e.claim_pods import manifests_of
from tests.e2e.conftest import Cluster, Compressed
from tests.support.api import Api, Body, eventually
from tests.support.candidates import candidates
from tests.support.compressionjobs import INT8
from tests.support.namespace import Namespace, conditions, holds
from tests.support.real_jobs import HALF_INT8, real_compression
from winnow_operator.kube.resources import PODS

pytestmark = [pytest.mark.cluster, pytest.mark.prove, pytest.mark.timeout(1800)]

END_SECONDS = 900.0
TIMED = ("latency_", "throughput_", "cpu_", "memory_")
"""What no two measurements agree in."""


@pytest.fixture
def jobs(api: Api, compressed: Compressed) -> Namespace:
    """The namespace of a compression that nobody has disturbed."""
    return Namespace(api, compressed.namespace).compressions


def disturbed(name: str) -> Body:
    """A job whose last candidate waits for a slot while the others are built."""
    return real_compression(
        name, candidates=[INT8, HALF_INT8], candidatesPerPod=1, budget={"parallelism": 2}
    )


async def running_pod(jobs: Namespace, job: str, component: str) -> Body | None:
    """A pod that builds (`trial`) or measures (`measurement`), once there is one that runs."""
    return next(
        (
            pod
            for pod in await jobs.pods(job)
            if pod["metadata"]["labels"]["app.kubernetes.io/component"] == component
            and pod["status"].get("phase") == "Running"
            and "deletionTimestamp" not in pod["metadata"]
        ),
        None,
    )


async def in_the_middle(jobs: Namespace, job: str, component: str) -> Body:
    """A running pod, while others have ended or wait."""
    what = f"a running {component} pod of {job}"
    return await eventually(lambda: running_pod(jobs, job, component), seconds=600, what=what)


async def built(jobs: Namespace, job: str) -> dict[str, str]:
    """Digest of each candidate that is built and waits to be measured."""
    trials = await candidates(jobs, job)
    return {
        name: trial["status"]["artifact"]["digest"]
        for name, trial in trials.items()
        if "artifact" in trial.get("status", {})
    }


async def suspend(jobs: Namespace, job: str) -> None:
    """Suspend a job and wait until no pod of it is left."""

    async def has_none() -> bool:
        return not await jobs.pods(job)

    await jobs.edit_job(job, suspend=True)
    await jobs.condition(job, "Suspended", "Suspended", seconds=60)
    await eventually(has_none, seconds=90, what="no pods")


async def facts(jobs: Namespace, job: str) -> dict[str, Any]:
    """Of each candidate all that does not depend on a clock."""
    return {name: _facts(trial) for name, trial in (await candidates(jobs, job)).items()}


def _facts(trial: Body) -> dict[str, Any]:
    spec, status = trial["spec"], trial["status"]
    return {
        **{key: spec.get(key) for key in ("number", "seed", "steps", "parent")},
        **{key: status.get(key) for key in ("outcome", "cause", "message", "test", "score")},
        "values": [v for v in status.get("values", []) if not v["metric"].startswith(TIMED)],
    }


async def check_same(jobs: Namespace, job: str, compressed: Compressed) -> None:
    """The candidates and the choice are those of the undisturbed job, and all is recorded."""
    body = await jobs.ended(job, seconds=END_SECONDS)

    assert holds(body, "Complete"), conditions(body)
    found, undisturbed = await facts(jobs, job), await facts(jobs, "small")
    assert list(found) == ["baseline", "int8", "half-int8"]
    assert found == {name: undisturbed[name] for name in found}
    chosen = compressed.job["status"]["selected"]["candidate"]
    assert body["status"]["selected"]["candidate"] == chosen
    assert broken_invariants(body, await world_of(jobs, job)) == []


async def test_a_compression_suspended_while_it_builds_and_while_it_measures_goes_on(
    jobs: Namespace, compressed: Compressed, cluster: Cluster
) -> None:
    async def some_built() -> dict[str, str]:
        return await built(jobs, "paused")

    await jobs.create_job(disturbed("paused"))
    await eventually(some_built, seconds=600, what="a candidate that is built")
    await in_the_middle(jobs, "paused", "trial")
    await suspend(jobs, "paused")
    kept = await built(jobs, "paused")
    await jobs.edit_job("paused", suspend=False)
    await in_the_middle(jobs, "paused", "measurement")
    await suspend(jobs, "paused")
    whole = await built(jobs, "paused")
    await jobs.edit_job("paused", suspend=False)

    await check_same(jobs, "paused", compressed)
    assert kept
    assert kept.items() <= whole.items(), "what was built before is not built again"
    trials = await candidates(jobs, "paused")
    final = {name: trials[name]["status"]["artifact"] for name in whole}
    manifests = manifests_of(cluster, jobs.name, final)
    made_of = {name: m["lineage"][-1]["digest"] for name, m in manifests.items()}
    assert {name: f"sha256:{digest}" for name, digest in made_of.items()} == whole


async def test_pods_that_somebody_deletes_run_again(
    jobs: Namespace, compressed: Compressed
) -> None:
    await jobs.create_job(disturbed("robbed"))
    for component in ("trial", "measurement"):
        pod = await in_the_middle(jobs, "robbed", component)
        await jobs.api.delete(jobs.path(PODS, pod["metadata"]["name"]))

    await check_same(jobs, "robbed", compressed)


async def test_an_operator_that_is_killed_while_pods_build_and_measure_loses_nothing(
    jobs: Namespace, compressed: Compressed, cluster: Cluster
) -> None:
    await jobs.create_job(disturbed("orphaned"))
    for component in ("trial", "measurement"):
        await in_the_middle(jobs, "orphaned", component)
        cluster.kill_operator()

    await check_same(jobs, "orphaned", compressed)
