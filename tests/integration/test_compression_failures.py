"""What goes wrong with candidates and their measurement, and what becomes of the compression."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.support.api import Body, eventually
from tests.support.compressionjobs import (
    build,
    compress,
    compression_job,
    give,
    measured,
    measuring,
)
from tests.support.namespace import Namespace, conditions, holds, outcomes
from tests.support.simulated_node import Ending, PodView, Script, simulated_node
from winnow_contract.measuring.measured import MeasurementResult, encode_measured
from winnow_operator.kube.resources import PODS, TRIALS

pytestmark = [pytest.mark.control_plane, pytest.mark.usefixtures("operator")]


def failing_build(number: int, ending: Ending) -> Callable[[PodView], Ending]:
    return lambda p: ending if [t.number for t in p.trials] == [number] else compress(p)


def failing_measurement(number: int) -> Script:
    def script(pod: PodView) -> Ending:
        assert pod.measurement is not None
        models = [measured(model) for model in pod.measurement.models]
        return give(
            pod,
            *(
                replace(m, outcome="Failed", cause="NothingChanged", message="the same kernels")
                if m.number == number
                else m
                for m in models
            ),
        )

    return measuring(script)


@pytest.mark.parametrize(
    ("ending", "cause"),
    [
        (Ending(137, reason="OOMKilled"), "OOMKilled"),
        (Ending(1, "RuntimeError: boom"), "Crash"),
        (Ending(65, "amount takes nothing"), "Permanent"),
    ],
    ids=["out of memory", "crash", "permanent"],
)
async def test_a_candidate_that_cannot_be_built_fails_alone(
    namespace: Namespace, ending: Ending, cause: str
) -> None:
    jobs = namespace.compressions
    script = failing_build(3, ending)
    async with simulated_node(namespace.api, namespace.name, script):
        budget = {"parallelism": 4, "retriesPerTrial": 0}
        await jobs.create_job(compression_job(budget=budget))
        body = await jobs.ended("small", seconds=90)

    trials = await jobs.trials("small")
    assert holds(body, "Complete"), conditions(body)
    assert outcomes(trials) == ["Succeeded", "Succeeded", "Failed", "Succeeded"]
    assert trials[2]["status"]["cause"] == cause
    assert body["status"]["selected"]["candidate"] == "half-int8"


async def test_a_pod_that_crashes_builds_all_its_candidates_again(namespace: Namespace) -> None:
    jobs = namespace.compressions

    def script(pod: PodView) -> Ending:
        is_first = pod.index == 0 and pod.measurement is None
        return Ending(1, "boom") if is_first and not pod.failures else compress(pod)

    async with simulated_node(namespace.api, namespace.name, script) as node:
        await jobs.create_job(compression_job(candidatesPerPod=3))
        body = await jobs.ended("small", seconds=90)

    assert holds(body, "Complete"), conditions(body)
    assert outcomes(await jobs.trials("small")) == ["Succeeded"] * 4
    assert sorted(node.ran) == [(), (1, 2, 3), (1, 2, 3), (4,)]


async def test_a_pod_that_is_killed_for_memory_fails_the_candidate_that_it_was_building(
    namespace: Namespace,
) -> None:
    jobs = namespace.compressions

    def script(pod: PodView) -> Ending:
        numbers = [trial.number for trial in pod.trials]
        if 2 not in numbers:
            return compress(pod)
        built = build(replace(pod, trials=pod.trials[: numbers.index(2)]))
        return Ending(137, built.message, reason="OOMKilled")

    async with simulated_node(namespace.api, namespace.name, script):
        await jobs.create_job(compression_job(candidatesPerPod=4))
        body = await jobs.ended("small", seconds=90)

    trials = await jobs.trials("small")
    assert holds(body, "Complete"), conditions(body)
    assert outcomes(trials) == ["Succeeded", "Failed", "Succeeded", "Succeeded"]
    assert trials[1]["status"]["cause"] == "OOMKilled"


async def test_a_candidate_that_changed_nothing_fails_in_its_measurement_alone(
    namespace: Namespace,
) -> None:
    jobs = namespace.compressions
    async with simulated_node(namespace.api, namespace.name, failing_measurement(4)):
        await jobs.create_job(compression_job())
        body = await jobs.ended("small")

    trials = await jobs.trials("small")
    assert outcomes(trials) == ["Succeeded", "Succeeded", "Succeeded", "Failed"]
    assert trials[3]["status"]["cause"] == "NothingChanged"
    assert trials[3]["status"]["message"] == "the same kernels"
    assert body["status"]["selected"]["candidate"] == "int8"


async def test_without_a_baseline_nothing_can_be_compared(namespace: Namespace) -> None:
    jobs = namespace.compressions
    async with simulated_node(namespace.api, namespace.name, failing_measurement(1)):
        await jobs.create_job(compression_job())
        body = await jobs.ended("small")

    failed = conditions(body)["Failed"]
    assert failed["reason"] == "JobFault"
    assert "the baseline failed: NothingChanged" in failed["message"]


async def test_when_nothing_meets_the_goals_the_baseline_is_selected_and_the_closest_named(
    namespace: Namespace,
) -> None:
    jobs = namespace.compressions
    goals = [
        {"metric": "accuracy", "maxDrop": "0.001"},
        {"metric": "size_bytes", "maxRatio": "0.9"},
    ]
    async with simulated_node(namespace.api, namespace.name, compress):
        await jobs.create_job(compression_job(goals=goals))
        body = await jobs.ended("small")

    status, met = body["status"], conditions(body)["GoalsMet"]
    assert holds(body, "Complete")
    assert (met["status"], met["reason"]) == ("False", "GoalsNotMet")
    assert status["selected"]["candidate"] == "baseline"
    assert status["closest"]["candidate"] == "int8"


async def test_a_measuring_pod_that_crashes_is_tried_again(namespace: Namespace) -> None:
    jobs = namespace.compressions
    script = measuring(lambda pod: compress(pod) if pod.failures else Ending(1, "boom"))
    async with simulated_node(namespace.api, namespace.name, script):
        await jobs.create_job(compression_job())
        body = await jobs.ended("small", seconds=90)

    assert holds(body, "Complete"), conditions(body)


@pytest.mark.parametrize(
    ("ending", "words"),
    [
        (Ending(1, "boom"), "ended with code 1: boom"),
        (Ending(137, reason="OOMKilled"), "OOMKilled"),
        (Ending(0, "no result"), "no result that can be read"),
        (
            Ending(65, encode_measured(MeasurementResult("a", (), "BadArtifact", "it is torn"))),
            "BadArtifact: it is torn",
        ),
    ],
    ids=["crash", "out of memory", "no result", "permanent"],
)
async def test_a_measurement_that_fails_for_good_fails_the_job_with_its_cause(
    namespace: Namespace, ending: Ending, words: str
) -> None:
    jobs = namespace.compressions
    async with simulated_node(namespace.api, namespace.name, measuring(lambda _: ending)):
        await jobs.create_job(compression_job(budget={"retriesPerTrial": 0}))
        body = await jobs.ended("small", seconds=90)

    failed = conditions(body)["Failed"]
    assert failed["reason"] == "MeasurementFailed"
    assert words in failed["message"]
    assert outcomes(await jobs.trials("small")) == ["Stopped"] * 4


async def test_a_measuring_pod_that_somebody_deletes_measures_again(namespace: Namespace) -> None:
    jobs = namespace.compressions
    async with simulated_node(
        namespace.api, namespace.name, lambda p: build(p) if p.trials else None
    ) as node:
        await jobs.create_job(compression_job())
        (pod,) = await eventually(lambda: measuring_pods(jobs), what="a measuring pod")
        await namespace.api.delete(namespace.path(PODS, pod["metadata"]["name"]))
        node.script = compress
        body = await jobs.ended("small", seconds=90)

    assert holds(body, "Complete"), conditions(body)


async def test_a_trial_that_somebody_deletes_is_made_again_with_what_was_built(
    namespace: Namespace,
) -> None:
    jobs = namespace.compressions
    async with simulated_node(
        namespace.api, namespace.name, lambda p: build(p) if p.trials else None
    ) as node:
        await jobs.create_job(compression_job())
        await eventually(lambda: measuring_pods(jobs), what="a measuring pod")
        await namespace.api.delete(namespace.path(TRIALS, "small-c00002"))
        await eventually(lambda: is_built(jobs, 2), what="the Trial with its artifact")
        node.script = compress
        body = await jobs.ended("small", seconds=90)

    assert holds(body, "Complete"), conditions(body)
    assert outcomes(await jobs.trials("small")) == ["Succeeded"] * 4


async def is_built(jobs: Namespace, number: int) -> bool:
    trials = {t["spec"]["number"]: t for t in await jobs.trials("small")}
    return number in trials and "artifact" in trials[number].get("status", {})


async def measuring_pods(jobs: Namespace) -> list[Body]:
    return [
        p
        for p in await jobs.pods("small")
        if p["metadata"]["labels"]["app.kubernetes.io/component"] == "measurement"
        and p["status"].get("phase") == "Running"
    ]
