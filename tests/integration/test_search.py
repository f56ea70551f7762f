"""Searches from apply to their end on a real API server, with containers played by the test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.api import AlwaysWrite, eventually
from tests.support.namespace import Namespace, conditions, holds, outcomes
from tests.support.proofs import proofs
from tests.support.searchjobs import METRIC, grid_job, search_job
from tests.support.simulated_node import (
    Ending,
    PodView,
    quality,
    report,
    simulated_node,
    succeed,
)
from winnow_contract.assignments import TrialAssignment, Value
from winnow_contract.results import TrialResult
from winnow_operator.api.searchjob import SearchJobStatus
from winnow_operator.clock import SystemClock
from winnow_operator.errors import ConflictError
from winnow_operator.kube.connection import connect
from winnow_operator.kube.gateway import Gateway
from winnow_operator.kube.recorder import Recorder
from winnow_operator.reconcile.jobcontext import Tools
from winnow_operator.reconcile.podbook import PodBook
from winnow_operator.reconcile.queue import Key
from winnow_operator.reconcile.searches.searchjob import SearchJobReconciler
from winnow_operator.reconcile.searches.trialfeed import TrialFeed
from winnow_operator.settings import Settings

pytestmark = [pytest.mark.control_plane, pytest.mark.usefixtures("operator")]


def parameters(trial: dict[str, object]) -> dict[str, Value]:
    spec = trial["spec"]
    assert isinstance(spec, dict)
    return {p["name"]: p["value"] for p in spec["parameters"]}


@pytest.mark.parametrize("algorithm", ["Random", "TPE"])
async def test_a_trial_counts_once_its_container_has_ended_and_its_slot_once_its_pod_has(
    namespace: Namespace, algorithm: str
) -> None:
    ending = set[int]()

    async def first_has_outcome() -> bool:
        return "Succeeded" in outcomes(await namespace.trials("search"))

    async def edit_is_seen() -> bool:
        body = await namespace.job("search")
        return bool(body["status"]["observedGeneration"] == body["metadata"]["generation"])

    node = simulated_node(
        namespace.api,
        namespace.name,
        may_end=lambda pod: bool(ending.intersection(t.number for t in pod.trials)),
    )
    async with node as played:
        budget = {"maxTrials": 3, "parallelism": 1}
        algorithm_spec = {"name": algorithm, "seed": 3}
        await namespace.create_job(search_job(algorithm=algorithm_spec, budget=budget))
        await eventually(first_has_outcome, seconds=60, what="an outcome")
        await namespace.edit_job("search", budget={"maxTrials": 4})
        await eventually(edit_is_seen, seconds=60, what="a look at the edited job")
        (pod,) = [p for p in await namespace.pods("search") if p["status"]["phase"] == "Running"]
        ending.update(range(1, 5))
        body = await namespace.ended("search")

    assert pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 0
    assert outcomes(await namespace.trials("search")) == ["Succeeded"] * 4
    assert conditions(body)["Complete"]["reason"] == "BudgetSpent"
    assert played.most_at_once == 1


@pytest.mark.parametrize("algorithm", ["Random", "TPE"])
async def test_a_search_ends_with_the_best_of_its_trials_as_winner(
    namespace: Namespace, algorithm: str
) -> None:
    async with simulated_node(namespace.api, namespace.name):
        await namespace.create_job(search_job(algorithm={"name": algorithm, "seed": 3}))
        body = await namespace.ended("search")

    trials = await namespace.trials("search")
    best = max(trials, key=lambda t: quality(parameters(t)))
    status = body["status"]
    assert conditions(body)["Complete"]["reason"] == "BudgetSpent"
    assert outcomes(trials) == ["Succeeded"] * 6
    assert status["winner"]["trial"] == best["metadata"]["name"]
    assert float(status["winner"]["values"][0]["value"]) == pytest.approx(
        quality(parameters(best)), abs=1e-6
    )
    assert status["progress"] == "6/6"
    assert status["metric"] == METRIC
    assert status["observedGeneration"] == body["metadata"]["generation"]


async def test_a_grid_runs_every_point_once_and_ends_by_itself(namespace: Namespace) -> None:
    async with simulated_node(namespace.api, namespace.name) as node:
        await namespace.create_job(grid_job())
        body = await namespace.ended("grid")

    trials = await namespace.trials("grid")
    points = {tuple(sorted(parameters(t).items())) for t in trials}
    assert conditions(body)["Complete"]["reason"] == "SpaceExhausted"
    assert len(points) == len(trials) == 6
    assert sorted(n for ran in node.ran for n in ran) == [1, 2, 3, 4, 5, 6]


async def test_no_more_pods_run_than_parallelism_allows(namespace: Namespace) -> None:
    async with simulated_node(namespace.api, namespace.name) as node:
        await namespace.create_job(search_job(budget={"maxTrials": 12, "parallelism": 3}))
        await namespace.ended("search")

    assert node.most_at_once <= 3
    assert sorted(n for ran in node.ran for n in ran) == list(range(1, 13))


async def test_several_trials_share_a_pod(namespace: Namespace) -> None:
    async with simulated_node(namespace.api, namespace.name) as node:
        body = search_job(budget={"maxTrials": 7, "parallelism": 2}, trialsPerPod=3)
        await namespace.create_job(body)
        await namespace.ended("search")

    assert sorted(len(ran) for ran in node.ran) == [1, 3, 3]
    assert outcomes(await namespace.trials("search")) == ["Succeeded"] * 7


async def test_the_target_ends_a_search_early(namespace: Namespace) -> None:
    objective = {"metric": METRIC, "goal": "Maximize", "target": "0.2"}
    async with simulated_node(namespace.api, namespace.name):
        await namespace.create_job(
            search_job(objectives=[objective], budget={"maxTrials": 500, "parallelism": 2})
        )
        body = await namespace.ended("search")
        await eventually(lambda: no_pod_runs(namespace), what="the end of all pods")

    assert conditions(body)["Complete"]["reason"] == "TargetReached"
    assert float(body["status"]["winner"]["values"][0]["value"]) >= 0.2
    assert "Active" not in outcomes(await namespace.trials("search"))


async def no_pod_runs(namespace: Namespace) -> bool:
    pods = await namespace.pods("search")
    return all(p["status"]["phase"] in {"Succeeded", "Failed"} for p in pods)


async def test_a_finite_space_that_is_exhausted_ends_the_search_well(namespace: Namespace) -> None:
    space = {"parameters": [{"name": "n", "int": {"min": 1, "max": 4}}]}
    async with simulated_node(namespace.api, namespace.name):
        await namespace.create_job(
            search_job(space=space, algorithm={"name": "TPE"}, budget={"maxTrials": 50})
        )
        body = await namespace.ended("search")

    trials = await namespace.trials("search")
    assert conditions(body)["Complete"]["reason"] == "SpaceExhausted"
    assert sorted(parameters(t)["n"] for t in trials) == ["1", "2", "3", "4"]


async def test_a_suspended_search_has_no_pods_and_goes_on_after_the_resume(
    namespace: Namespace,
) -> None:
    async with simulated_node(namespace.api, namespace.name, lambda _: None) as node:
        await namespace.create_job(search_job())
        await eventually(lambda: has_pods(namespace, 2), what="two pods")
        await namespace.edit_job("search", suspend=True)
        await namespace.condition("search", "Suspended", "Suspended")
        await eventually(lambda: has_pods(namespace, 0), what="no pods")
        active = [
            t for t in await namespace.trials("search") if not t["status"].get("completionTime")
        ]

        node.script = succeed
        await namespace.edit_job("search", suspend=False)
        body = await namespace.ended("search")

    assert len(active) == 6
    assert holds(body, "Complete")
    assert len(await namespace.trials("search")) == 6


async def has_pods(namespace: Namespace, count: int) -> bool:
    return len(await namespace.pods("search")) == count


async def test_a_job_that_is_applied_suspended_starts_nothing(namespace: Namespace) -> None:
    await namespace.create_job(search_job(suspend=True))
    await namespace.condition("search", "Suspended", "Suspended")

    assert await namespace.batches("search") == []


async def test_deleting_a_search_leaves_no_object(namespace: Namespace) -> None:
    async with simulated_node(namespace.api, namespace.name, lambda _: None):
        await namespace.create_job(search_job())
        await eventually(lambda: has_pods(namespace, 2), what="two pods")
        await namespace.delete_job("search")
        await namespace.nothing_left_of("search")


async def test_nothing_of_a_deleted_search_counts_for_its_namesake(namespace: Namespace) -> None:
    async with simulated_node(namespace.api, namespace.name):
        await namespace.create_job(search_job(budget={"maxTrials": 6, "parallelism": 2}))
        await eventually(lambda: some_succeeded(namespace), what="a first outcome")
        await namespace.delete_job("search")
        made = await namespace.create_job(search_job(algorithm={"name": "Random", "seed": 99}))
        body = await namespace.ended("search")

    assert body["metadata"]["uid"] == made["metadata"]["uid"]
    assert holds(body, "Complete"), conditions(body)
    trials = await namespace.trials("search")
    owners = {o["uid"] for t in trials for o in t["metadata"]["ownerReferences"]}
    assert owners == {made["metadata"]["uid"]}
    assert len(trials) == 6


async def test_the_status_of_a_deleted_search_never_lands_on_its_namesake(
    namespace: Namespace, control_plane: Path
) -> None:
    old = await namespace.create_job(search_job(suspend=True))
    await namespace.delete_job("search")
    made = await namespace.create_job(search_job(suspend=True))
    late = SearchJobStatus(state="Complete", start_time="2020-01-01T00:00:00Z")

    async with await connect({"KUBECONFIG": str(control_plane)}) as client:
        clock, gateway = SystemClock(), Gateway(client, AlwaysWrite())
        recorder = Recorder(gateway, clock, "test")
        settings = Settings("example.test/trainer:1", "example.test/server:1")
        tools = Tools(gateway, recorder, PodBook(), settings, clock)
        reconciler = SearchJobReconciler(tools, TrialFeed(None, clock, lambda _: None))
        with pytest.raises(ConflictError):
            await reconciler._apply(Key(namespace.name, "search"), old, late)

    body = await namespace.job("search")
    assert body["metadata"]["uid"] == made["metadata"]["uid"]
    assert body["status"].get("startTime") is None


async def some_succeeded(namespace: Namespace) -> bool:
    return "Succeeded" in outcomes(await namespace.trials("search"))


async def test_a_finished_job_is_deleted_with_all_it_owns_after_its_time_to_live(
    namespace: Namespace,
) -> None:
    async with simulated_node(namespace.api, namespace.name):
        await namespace.create_job(search_job(ttlSecondsAfterFinished=1))
        await namespace.nothing_left_of("search")


async def test_the_budget_may_be_raised_and_parallelism_changed_while_it_runs(
    namespace: Namespace,
) -> None:
    async with simulated_node(namespace.api, namespace.name, lambda _: None) as node:
        await namespace.create_job(search_job(budget={"maxTrials": 4, "parallelism": 2}))
        await eventually(lambda: has_pods(namespace, 2), what="two pods")
        await namespace.edit_job("search", budget={"maxTrials": 8, "parallelism": 4})
        await eventually(lambda: has_pods(namespace, 4), what="four pods")
        await namespace.edit_job("search", budget={"maxTrials": 8, "parallelism": 1})
        await eventually(lambda: has_running(namespace, 1), what="one pod")
        node.script = succeed
        body = await namespace.ended("search")

    assert body["status"]["progress"] == "8/8"
    assert outcomes(await namespace.trials("search")) == ["Succeeded"] * 8


async def has_running(namespace: Namespace, count: int) -> bool:
    pods = await namespace.pods("search")
    return sum(1 for p in pods if p["status"]["phase"] in {"Pending", "Running"}) == count


@pytest.mark.parametrize("algorithm", ["NSGAII", *proofs("Random", "TPE")])
async def test_two_objectives_end_with_a_pareto_set_and_its_compromise(
    namespace: Namespace, algorithm: str
) -> None:
    def two(pod: PodView) -> Ending:
        results = (
            TrialResult(t.number, "Succeeded", quality(t.parameters), metrics=size_of(t), kept=1)
            for t in pod.trials
        )
        return report(pod, *results)

    objectives = [{"metric": METRIC, "goal": "Maximize"}, {"metric": "size", "goal": "Minimize"}]
    async with simulated_node(namespace.api, namespace.name, two):
        await namespace.create_job(
            search_job(
                objectives=objectives,
                algorithm={"name": algorithm, "seed": 3},
                budget={"maxTrials": 14, "parallelism": 3},
            )
        )
        body = await namespace.ended("search")

    status, trials = body["status"], await namespace.trials("search")
    values = {t["metadata"]["name"]: measured(t) for t in trials}
    front = {
        name
        for name, (q, s) in values.items()
        if not any(a >= q and b <= s and (a, b) != (q, s) for a, b in values.values())
    }
    assert {entry["trial"] for entry in status["pareto"]} == front
    assert status["paretoSize"] == len(front)
    assert status["winner"]["trial"] in front
    assert "of the Pareto set it is nearest" in status["winner"]["reason"]
    assert all("score" not in t["status"] for t in trials)
    assert float(status["bestValue"]) == values[status["winner"]["trial"]][0]


def size_of(trial: TrialAssignment) -> dict[str, float]:
    return {"size": float(trial.parameters["n"]) * 10}


def measured(trial: dict[str, Any]) -> tuple[float, float]:
    first, second = trial["status"]["values"][:2]
    assert (first["metric"], second["metric"]) == (METRIC, "size")
    return float(first["value"]), float(second["value"])


async def test_the_winner_keeps_the_constraints_although_better_trials_do_not(
    namespace: Namespace,
) -> None:
    def sized(pod: PodView) -> Ending:
        results = (
            TrialResult(t.number, "Succeeded", quality(t.parameters), metrics=size_of(t), kept=1)
            for t in pod.trials
        )
        return report(pod, *results)

    async with simulated_node(namespace.api, namespace.name, sized):
        await namespace.create_job(
            search_job(
                constraints=[{"metric": "size", "max": "20"}],
                algorithm={"name": "TPE", "seed": 3},
                budget={"maxTrials": 15, "parallelism": 3},
            )
        )
        body = await namespace.ended("search")

    trials = {t["metadata"]["name"]: t for t in await namespace.trials("search")}
    kept = {name for name, t in trials.items() if measured(t)[1] <= 20}
    best = min(kept, key=lambda name: float(trials[name]["status"]["score"]))
    assert {name for name, t in trials.items() if "violation" not in t["status"]} == kept
    assert body["status"]["winner"]["trial"] == best
    assert min(trials, key=lambda name: float(trials[name]["status"]["score"])) not in kept


async def test_a_search_that_has_ended_says_what_mattered(namespace: Namespace) -> None:
    async with simulated_node(namespace.api, namespace.name):
        await namespace.create_job(search_job(budget={"maxTrials": 12, "parallelism": 6}))
        body = await namespace.ended("search")

    shares = {i["parameter"]: float(i["values"][0]) for i in body["status"]["importances"]}
    assert set(shares) == {"x", "n", "word"}
    assert sum(shares.values()) == pytest.approx(1.0, abs=0.001)
    assert list(shares.values()) == sorted(shares.values(), reverse=True)
