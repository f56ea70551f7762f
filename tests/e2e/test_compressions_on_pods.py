"""Compressions of real models in real pods: from the winner of a search to the choice."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import yaml

from tests.crash.invariants import broken_invariants
from tests.crash.world import world_of
from tests.e2e.claim_pods import manifests_of, run_on_claim
from tests.e2e.conftest import Cluster, Compressed
from tests.e2e.own_table import OWN, iris_like, upload_table
from tests.support.api import Api, Body, eventually
from tests.support.candidates import candidates, figure, kinds_of_steps
from tests.support.chart import ROOT
from tests.support.namespace import Namespace, conditions, holds, outcomes
from tests.support.real_jobs import real_compression

pytestmark = pytest.mark.cluster

STEPS = {
    "baseline": [],
    "int8": ["quantize"],
    "half-int8": ["prune", "distill", "quantize"],
    "masked": ["prune"],
    "wild": ["distill"],
}
MEASURED = {
    "accuracy",
    "latency_p50_seconds@1",
    "latency_p95_seconds@8",
    "throughput_rows_per_second@1",
    "cpu_seconds@8",
    "size_bytes",
    "memory_bytes",
    "parameters",
    "operations",
    "quantized_share",
}
EXAMPLE = ROOT / "examples/digits-compressed.yaml"


@pytest.fixture
def jobs(api: Api, compressed: Compressed) -> Namespace:
    """The namespace of the compression that all tests look at."""
    return Namespace(api, compressed.namespace).compressions


def test_a_search_that_is_not_there_yet_is_waited_for_and_its_winner_is_the_source(
    compressed: Compressed,
) -> None:
    waiting, status = conditions(compressed.waiting)["Reconciling"], compressed.job["status"]

    assert waiting["reason"] == "WaitingForSource"
    assert "there is no SearchJob of that name in this namespace" in waiting["message"]
    assert compressed.waiting["status"]["trials"]["total"] == 0
    assert status["source"]["trial"] == compressed.search["status"]["winner"]["trial"]
    assert status["source"]["digest"] == compressed.artifact["digest"]


@pytest.mark.timeout(240)
async def test_every_kind_of_step_is_measured_and_the_smallest_that_keeps_the_goals_is_selected(
    jobs: Namespace, compressed: Compressed
) -> None:
    status, trials = compressed.job["status"], await candidates(jobs, "small")

    assert holds(compressed.job, "Complete"), conditions(compressed.job)
    assert holds(compressed.job, "GoalsMet"), conditions(compressed.job)
    assert {name: kinds_of_steps(trial) for name, trial in trials.items()} == STEPS
    assert {trial["spec"]["parent"] for trial in trials.values()} == {compressed.artifact["digest"]}
    good = {name: trial for name, trial in trials.items() if name != "wild"}
    assert outcomes(list(good.values())) == ["Succeeded"] * 4
    for trial in good.values():
        assert {v["metric"] for v in trial["status"]["values"]} >= MEASURED
    size = {name: figure(trial, "size_bytes") for name, trial in good.items()}
    assert size["masked"] == pytest.approx(size["baseline"], rel=0.01), "masks save nothing"
    assert size["int8"] < 0.4 * size["baseline"]
    assert size["half-int8"] < 0.2 * size["baseline"]
    assert figure(good["int8"], "quantized_share") == 1
    selected = status["selected"]
    assert selected["candidate"] == "half-int8"
    assert selected["artifact"] == good["half-int8"]["status"]["artifact"]
    lost = figure(good["baseline"], "accuracy") - figure(good["half-int8"], "accuracy")
    assert lost <= 0.05
    assert {v["metric"] for v in selected["test"]} >= {"accuracy"}
    assert status["serverImage"].count("@sha256:") == 1
    body = await jobs.job("small")
    assert broken_invariants(body, await world_of(jobs, "small")) == []


async def test_a_candidate_that_diverges_fails_alone(jobs: Namespace) -> None:
    wild = (await candidates(jobs, "small"))["wild"]["status"]

    assert (wild["outcome"], wild["cause"], wild["scope"]) == ("Failed", "NaN", "Trial")
    assert "the training loss is" in wild["message"]
    assert "artifact" not in wild
    notes = [e["note"] for e in await jobs.events("small") if e["reason"] == "TrialFailed"]
    assert len(notes) == 1
    assert "NaN" in notes[0]


async def test_artifacts_are_whole_and_name_all_that_they_were_made_from(
    jobs: Namespace, cluster: Cluster, compressed: Compressed
) -> None:
    trials = await candidates(jobs, "small")
    kept = {n: t["status"]["artifact"] for n, t in trials.items() if "artifact" in t["status"]}

    manifests = manifests_of(cluster, compressed.namespace, kept)

    assert set(manifests) == set(STEPS) - {"wild"}
    for name, manifest in manifests.items():
        assert manifest["candidate"] == name
        assert manifest["trial"]["name"] == trials[name]["metadata"]["name"]
        assert [next(iter(step)) for step in manifest["steps"]] == STEPS[name]
        source, built = manifest["lineage"]
        assert f"sha256:{source['digest']}" == compressed.artifact["digest"]
        assert (source["kind"], source["job"]["kind"]) == ("source", "SearchJob")
        assert (built["kind"], len(built["digest"])) == ("candidate", 64)
        files = {file["path"]: file["sizeBytes"] for file in manifest["files"]}
        assert files["model.onnx"] == figure(trials[name], "size_bytes")
        assert {"golden.safetensors", "README.md", "SHA256SUMS", "measurements.json"} <= set(files)
        assert "evaluation.safetensors" not in files


@pytest.mark.timeout(240)
def test_the_report_of_a_compression_is_copied_and_tells_all_candidates_and_the_reason(
    cluster: Cluster, compressed: Compressed, tmp_path: Path
) -> None:
    output = tmp_path / "report.html"

    done = cluster.script("report", "small", "-n", compressed.namespace, "-o", str(output))

    assert done.returncode == 0, done.stderr
    text = output.read_text()
    assert [name for name in STEPS if name not in text] == []
    assert "half-int8 is selected" in text
    assert "NaN" in text


async def test_edited_goals_of_a_finished_compression_choose_again_in_two_seconds_without_a_pod(
    jobs: Namespace,
) -> None:
    whole = f"{figure((await candidates(jobs, 'small'))['baseline'], 'parameters'):.0f}"
    before, goals = await pods_and_batches(jobs), (await jobs.job("small"))["spec"]["goals"]

    await jobs.edit_job("small", goals=[{"metric": "parameters", "min": whole}])
    chosen = await eventually(lambda: chosen_again(jobs, "int8"), seconds=2, what="another choice")
    await jobs.edit_job("small", goals=[{"metric": "size_bytes", "maxRatio": "0.0001"}])
    kept = await eventually(lambda: chosen_again(jobs, "baseline"), seconds=2, what="the baseline")
    await jobs.edit_job("small", goals=goals)  # other tests serve what these choose
    await eventually(lambda: chosen_again(jobs, "half-int8"), seconds=2, what="the first choice")

    assert await pods_and_batches(jobs) <= before
    assert holds(chosen, "GoalsMet")
    assert "int8 is selected" in chosen["status"]["selected"]["reason"]
    assert conditions(kept)["GoalsMet"]["reason"] == "GoalsNotMet"
    assert kept["status"]["closest"]["candidate"] == "half-int8"


async def chosen_again(jobs: Namespace, name: str) -> Body | None:
    body = await jobs.job("small")
    is_seen = body["status"]["observedGeneration"] == body["metadata"]["generation"]
    return body if is_seen and body["status"]["selected"]["candidate"] == name else None


async def pods_and_batches(jobs: Namespace) -> set[str]:
    found = [*await jobs.pods("small"), *await jobs.batches("small")]
    return {body["metadata"]["uid"] for body in found}


@pytest.mark.prove
@pytest.mark.timeout(1500)
async def test_auto_writes_chains_in_rounds_from_what_was_measured(
    jobs: Namespace, cluster: Cluster
) -> None:
    auto = {"maxCandidates": 4, "candidatesPerRound": 2, "steps": ["Quantize", "Prune"], "seed": 3}
    await jobs.create_job(real_compression("auto", candidates=None, auto=auto))
    body = await jobs.ended("auto", seconds=1200)

    trials = await jobs.trials("auto")
    assert holds(body, "Complete"), conditions(body)
    assert outcomes(trials) == ["Succeeded"] * 5
    assert [t["status"]["round"] for t in trials] == [1, 1, 1, 2, 2]
    assert [t["spec"].get("history", "") for t in trials[3:]] == ["1-3", "1-3"]
    assert all(set(kinds_of_steps(t)) <= {"quantize", "prune"} for t in trials)
    assert body["status"]["report"].endswith("/report/2")
    assert broken_invariants(body, await world_of(jobs, "auto")) == []
    manifests = manifests_of(
        cluster, jobs.name, {t["spec"]["candidate"]: t["status"]["artifact"] for t in trials}
    )
    assert len({m["lineage"][0]["digest"] for m in manifests.values()}) == 1


@pytest.mark.prove
@pytest.mark.timeout(1500)
async def test_the_same_chains_run_unchanged_on_a_table_of_ones_own(
    namespace: Namespace, cluster: Cluster
) -> None:
    own = namespace.compressions
    job = yaml.safe_load(EXAMPLE.read_text())
    chains = [c for c in job["spec"]["candidates"] if c["name"] in {"int8", "half-int8", "heir"}]
    of_table = {**job["spec"], "model": {"searchJob": OWN}, "candidates": chains}
    upload_table(cluster, namespace.name, iris_like())
    await namespace.edit_job(OWN, suspend=False)
    await own.create_job({**job, "spec": of_table})
    body = await own.ended("digits-small", seconds=900)
    trials = await candidates(own, "digits-small")
    late = copy.deepcopy({**job, "metadata": {"name": "late"}, "spec": of_table})
    run_on_claim(cluster, namespace.name, "tables", "import os; os.remove('/claim/table.csv')")
    await own.create_job(late)
    failed = conditions(await own.ended("late", seconds=240))["Failed"]

    assert holds(body, "Complete"), conditions(body)
    assert body["status"]["source"]["data"] == "pvc://tables/table.csv"
    assert list(trials) == ["baseline", "int8", "heir", "half-int8"]
    assert outcomes(list(trials.values())) == ["Succeeded"] * 4
    assert figure(trials["heir"], "size_bytes") < figure(trials["baseline"], "size_bytes")
    assert figure(trials["baseline"], "accuracy") > 0.8
    manifests = manifests_of(
        cluster, namespace.name, {n: t["status"]["artifact"] for n, t in trials.items()}
    )
    for manifest in manifests.values():
        assert manifest["task"]["data"]["uri"] == "pvc://tables/table.csv"
    assert failed["reason"] == "JobFault"
    assert "table.csv" in failed["message"]
