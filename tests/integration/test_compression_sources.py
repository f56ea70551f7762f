"""Where a compression starts from: a winner that is waited for, or an artifact as it is given."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Body, eventually
from tests.support.compressionjobs import DIGEST, SOURCE, compress, compression_job, digest_of
from tests.support.namespace import Namespace, conditions, holds
from tests.support.searchjobs import task_job
from tests.support.simulated_node import Ending, PodView, report, simulated_node
from winnow_contract.results import TrialResult

pytestmark = [pytest.mark.control_plane, pytest.mark.usefixtures("operator")]

BUDGET = {"maxTrials": 2, "parallelism": 2}


def of_search(name: str = "digits", **spec: Any) -> Body:
    return compression_job(model={"searchJob": name}, **spec)


def search_and_compress(pod: PodView) -> Ending:
    """Trials of a search leave artifacts; the second is the better one."""
    if pod.trials and not pod.trials[0].candidate:
        results = (
            TrialResult(
                t.number, "Succeeded", objective=t.number / 10, digest=digest_of("won", t.number)
            )
            for t in pod.trials
        )
        return report(pod, *results)
    return compress(pod)


async def test_the_winner_of_a_search_is_waited_for_and_pinned(namespace: Namespace) -> None:
    jobs = namespace.compressions
    async with simulated_node(namespace.api, namespace.name, search_and_compress):
        await jobs.create_job(of_search())
        waiting = await jobs.condition("small", "Reconciling", "WaitingForSource")
        await namespace.create_job(task_job("digits", budget=BUDGET))
        body = await jobs.ended("small")
        search = await namespace.job("digits")

    assert "there is no SearchJob of that name" in waiting["message"]
    winner, source = search["status"]["winner"], body["status"]["source"]
    assert winner["trial"] == "digits-t00002"
    assert source["trial"] == winner["trial"]
    assert source["digest"] == winner["artifact"]["digest"]
    assert source["family"] == "MLP"
    assert holds(body, "Complete"), conditions(body)
    trials = await jobs.trials("small")
    assert {t["spec"]["parent"] for t in trials} == {source["digest"]}


async def test_the_source_stays_the_same_when_its_search_is_deleted(namespace: Namespace) -> None:
    jobs = namespace.compressions
    script = search_and_compress
    async with simulated_node(namespace.api, namespace.name, script) as node:
        await namespace.create_job(task_job("digits", budget=BUDGET))
        await namespace.ended("digits")
        node.script = lambda _: None
        await jobs.create_job(of_search())
        await jobs.condition("small", "Reconciling", "Running")
        await namespace.delete_job("digits")
        await namespace.nothing_left_of("digits")
        node.script = script
        body = await jobs.ended("small")

    assert holds(body, "Complete"), conditions(body)


async def test_a_failed_search_fails_the_compression_with_its_words(namespace: Namespace) -> None:
    jobs = namespace.compressions
    async with simulated_node(namespace.api, namespace.name, lambda _: Ending(65, "bad data")):
        await namespace.create_job(task_job("digits", budget={**BUDGET, "maxFailedTrials": 0}))
        await jobs.create_job(of_search())
        body = await jobs.ended("small")

    failed = conditions(body)["Failed"]
    assert failed["reason"] == "SourceFailed"
    assert "SearchJob digits has failed" in failed["message"]
    assert await jobs.trials("small") == []


async def test_an_artifact_is_used_as_it_is_given_and_its_claim_only_read(
    namespace: Namespace,
) -> None:
    jobs = namespace.compressions
    async with simulated_node(namespace.api, namespace.name, lambda _: None):
        await jobs.create_job(compression_job())
        (batch,) = await eventually(lambda: jobs.batches("small"), what="a batch")

    body = await jobs.job("small")
    volumes = batch["spec"]["template"]["spec"]["volumes"]
    claims = {
        v["persistentVolumeClaim"]["claimName"]: v["persistentVolumeClaim"].get("readOnly", False)
        for v in volumes
        if "persistentVolumeClaim" in v
    }
    assert body["status"]["source"] == {"uri": SOURCE, "digest": DIGEST}
    assert claims == {"winnow-artifacts": False, "models": True}


async def test_a_chain_that_the_family_cannot_do_ends_before_any_pod(namespace: Namespace) -> None:
    jobs = namespace.compressions
    convolutions = {"name": "conv", "steps": [{"quantize": {"layers": ["Convolution"]}}]}
    async with simulated_node(namespace.api, namespace.name, search_and_compress):
        await namespace.create_job(task_job("digits", budget=BUDGET))
        await jobs.create_job(of_search(candidates=[convolutions]))
        body = await jobs.ended("small")

    failed = conditions(body)["Failed"]
    assert failed["reason"] == "InvalidSpec"
    assert "family MLP has no such layers" in failed["message"]
    assert await jobs.batches("small") == []


async def test_a_search_and_a_compression_may_share_a_name(namespace: Namespace) -> None:
    jobs = namespace.compressions
    async with simulated_node(namespace.api, namespace.name, search_and_compress):
        await namespace.create_job(task_job("same", budget={"maxTrials": 2}))
        await jobs.create_job(compression_job("same", model={"searchJob": "same"}))
        body = await jobs.ended("same")

    assert holds(body, "Complete"), conditions(body)
