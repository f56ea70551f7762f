"""`python -m winnow_trainer` as a builder pod runs it: a source in, candidates out."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from safetensors.numpy import load_file

from tests.support.builder_pods import (
    Built,
    Chain,
    CompressionPod,
    Searched,
    build,
    compression_document,
    searched,
)
from tests.support.measuring_pods import Round, measure_built, sizes
from tests.support.trainer_process import TrialPod
from winnow_contract.exit_codes import ExitCode
from winnow_contract.manifests import Committed, read_artifact
from winnow_measure.quality import measure_all
from winnow_trainer.artifacts import load_model

CUT: Chain = [{"prune": {"amount": "0.5", "epochs": 3}}]
STUDENT: Chain = [{"distill": {"student": {"width": "0.5"}, "epochs": 5}}]
TAUGHT: Chain = [*CUT, {"distill": {"epochs": 3}}]
CHAINS: dict[str, Chain] = {
    "baseline": [],
    "cut": CUT,
    "mask": [{"prune": {"unit": "Weight", "amount": "0.8", "importance": "Taylor", "epochs": 3}}],
    "iterative": [{"prune": {"schedule": "Iterative", "rounds": 2, "epochs": 4, "scope": "Layer"}}],
    "student": STUDENT,
    "taught": TAUGHT,
    "small": [*STUDENT, *CUT],
    "wide": [{"distill": {"student": {"settings": [{"name": "widths", "value": "999"}]}}}],
    "convolutions": [{"quantize": {"layers": ["Convolution"]}}],
}
"""Chains for a perceptron; the last two cannot be."""
ENDLESS: Chain = [{"distill": {"epochs": 10_000}}]


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Searched:
    """A perceptron that was trained on scanned digits."""
    settings = {"epochs": "10", "widths": "48-32", "norm": "batch", "learning_rate": "0.01"}
    return searched(tmp_path_factory.mktemp("digits"), "digits", settings=settings)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, digits: Searched) -> Built:
    """What one pod has made of it by every kind of step but the quantizing ones."""
    return build(tmp_path_factory.mktemp("made"), digits, CHAINS)


def table(rows: int = 300) -> str:
    """A table of the user's own: two measurements, one of them in thousands, three kinds."""
    random = np.random.default_rng(5)
    kinds = np.arange(rows) % 3
    lengths = random.normal(kinds * 2.0, 1.0)
    weights = random.normal(4000 - kinds * 900.0, 500)
    names = np.array(["ash", "birch", "cedar"])[kinds]
    lines = (f"{a:.4f},{b:.2f},{name}" for a, b, name in zip(lengths, weights, names, strict=True))
    return "\n".join(("length,weight,label", *lines)) + "\n"


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Searched:
    data = {"uri": "pvc://tables/t.csv", "target": "label"}
    settings = {"epochs": "20", "width": "16", "learning_rate": "0.02", "batch_size": "32"}
    folder = tmp_path_factory.mktemp("trees")
    return searched(folder, "trees", content=table(), data=data, settings=settings)


def served(artifact: Committed, rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    session = onnxruntime.InferenceSession(
        artifact.folder / "model.onnx", providers=["CPUExecutionProvider"]
    )
    (outputs,) = session.run(None, {session.get_inputs()[0].name: rows})
    return np.asarray(outputs)


def check_artifact(artifact: Committed, number: int = 1) -> None:
    """What holds of every candidate: files, sums, golden batch, manifest."""
    document, folder = artifact.document, artifact.folder
    sums = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert sums.returncode == 0, sums.stdout
    listed = {line.split()[1] for line in (folder / "SHA256SUMS").read_text().splitlines()}
    present = {path.name for path in folder.iterdir()}
    assert listed == present - {"SHA256SUMS", "manifest.json"}
    assert document["format"] == "winnow/onnx-v1"
    assert document["trial"]["number"] == number
    assert document["lineage"][-1]["digest"]
    assert set(document["metrics"]) == {"parameters", "operations"}
    assert {"torch", "onnx", "onnxruntime", "torchao", "torch-pruning"} <= set(
        document["environment"]
    )
    assert b".py" not in (folder / "model.onnx").read_bytes(), "says where it was exported"
    golden = load_file(folder / "golden.safetensors")
    allowed = document["tolerance"]["absolute"] + document["tolerance"]["relative"] * float(
        np.abs(golden["outputs"]).max()
    )
    assert np.abs(served(artifact, golden["inputs"]) - golden["outputs"]).max() <= allowed
    assert served(artifact, golden["inputs"][:1]).shape[0] == 1
    card = (folder / "README.md").read_text()
    assert card.startswith(f"# small/{document['candidate']}\n")


def test_the_baseline_is_the_source_as_a_graph_with_the_rows_that_judge_all(
    made: Built, digits: Searched
) -> None:
    assert made.ended.lines[:2] == [
        f"source {digits.uri}: MLP of 5178 parameters",
        "builtin://digits: 1797 rows, 1079 to train on, 359 to compare by, 359 to test",
    ]
    assert made.ended.lines[2].startswith("trial small-c00001 Succeeded accuracy 0.")
    artifact = made.artifact("baseline")
    check_artifact(artifact)
    trial = made.ended.result.trials[0]
    assert (trial.digest, trial.size_bytes) == (artifact.digest, artifact.size_bytes)
    assert artifact.document["steps"] == []
    assert artifact.document["claims"] == {"smallerThanParent": False, "masked": False}
    before = digits.artifact
    assert artifact.document["task"] == before.document["task"]
    for split in ("validation", "test"):
        assert artifact.values(split) == before.values(split)
    weights = [load_file(a.folder / "model.safetensors") for a in (artifact, before)]
    assert all(np.array_equal(weights[0][name], weights[1][name]) for name in weights[1])
    rows = load_file(artifact.folder / "evaluation.safetensors")
    assert {name: tensor.shape[0] for name, tensor in rows.items()} == {
        "validation_inputs": 359,
        "validation_targets": 359,
        "test_inputs": 359,
        "test_targets": 359,
    }
    for split in ("validation", "test"):
        outputs = served(artifact, rows[f"{split}_inputs"]).astype(np.float64)
        measured = measure_all("Classification", outputs, rows[f"{split}_targets"])
        assert measured["accuracy"] == artifact.values(split)["accuracy"]


def test_every_kind_of_step_leaves_an_artifact_that_says_what_was_done(made: Built) -> None:
    names = ("cut", "mask", "iterative", "student", "taught", "small")
    kept = {name: made.artifact(name) for name in names}
    for name, artifact in kept.items():
        check_artifact(artifact, made.number(name))
        assert not (artifact.folder / "evaluation.safetensors").exists()
        assert artifact.values("validation")["accuracy"][0] > 0.85
        assert all(step["report"]["sentences"] for step in artifact.document["steps"])
        rebuilt = load_model(artifact.folder, artifact.digest)
        assert rebuilt.parameter_count == artifact.document["metrics"]["parameters"]
    size = {name: (a.folder / "model.onnx").stat().st_size for name, a in kept.items()}
    figures = {name: artifact.document["metrics"] for name, artifact in kept.items()}
    claims = {name: artifact.document["claims"] for name, artifact in kept.items()}
    for name in ("cut", "iterative", "student", "taught"):
        assert size[name] < 0.8 * size["mask"]
        assert figures[name]["parameters"] < 0.7 * figures["mask"]["parameters"]
        assert figures[name]["operations"] < 0.7 * figures["mask"]["operations"]
        assert claims[name] == {"smallerThanParent": True, "masked": False}
    assert claims["mask"] == {"smallerThanParent": False, "masked": True}
    assert figures["mask"]["parameters"] == 5178
    (distilled,) = kept["student"].document["steps"]
    assert distilled["report"]["initial_accuracy"] > distilled["report"]["initial_random_accuracy"]
    assert "twin_accuracy" in distilled["report"]
    taught = f"trial small-c{made.number('taught'):05d}"
    shown = [line for line in made.ended.lines if line.startswith(taught)]
    assert shown[0].startswith(f"{taught} step 1/2 prune epoch 3/3 loss ")
    assert shown[1].startswith(f"{taught} step 2/2 distill epoch 3/3 loss ")
    assert shown[2].startswith(f"{taught} step 2/2 distill training 2 epoch 3/3 loss ")


def test_the_same_chain_runs_on_a_table_of_the_users_own(tmp_path: Path, trees: Searched) -> None:
    made = build(tmp_path, trees, {"baseline": [], "taught": TAUGHT})

    assert made.ended.code == ExitCode.OK, made.ended.log
    baseline, taught = made.artifact("baseline"), made.artifact("taught")
    check_artifact(baseline, 1)
    check_artifact(taught, 2)
    assert taught.values("test")["accuracy"][0] > 0.7
    assert json.loads((taught.folder / "model.json").read_text())["columns"] == ["length", "weight"]
    rows = np.array([[0.0, 4000.0], [4.0, 2200.0]], dtype=np.float32)
    assert served(taught, rows).argmax(axis=1).tolist() == [0, 2]
    assert "in the order length, weight" in (taught.folder / "README.md").read_text()


def test_values_are_compressed_too(tmp_path: Path) -> None:
    settings = {"epochs": "30", "width": "32", "learning_rate": "0.005"}
    diabetes = searched(
        tmp_path / "diabetes",
        "diabetes",
        data={"uri": "builtin://diabetes"},
        objective="rmse",
        settings=settings,
    )
    learnt: Chain = [
        {"distill": {"student": {"width": "0.5"}, "epochs": 20}},
        {"prune": {"unit": "Weight", "amount": "0.8", "importance": "Taylor", "epochs": 3}},
    ]
    made = build(tmp_path / "pod", diabetes, {"baseline": [], "learnt": learnt})

    assert made.ended.code == ExitCode.OK, made.ended.log
    baseline, student = made.artifact("baseline"), made.artifact("learnt")
    check_artifact(baseline, 1)
    check_artifact(student, 2)
    assert student.document["claims"] == {"smallerThanParent": True, "masked": True}
    before, after = (a.values("validation")["rmse"][0] for a in (baseline, student))
    assert after < 1.25 * before
    assert made.ended.result.trials[1].objective == pytest.approx(after, rel=1e-6)
    report = student.document["steps"][0]["report"]
    assert report["initial_rmse"] < report["initial_random_rmse"]


@pytest.mark.prove
def test_the_same_candidate_alone_gives_the_same_graph_and_weights(
    tmp_path: Path, digits: Searched, made: Built
) -> None:
    document = compression_document(digits, made.chains)
    (trial,) = (t for t in document["trials"] if t["candidate"] == "small")
    alone = CompressionPod(tmp_path, digits, {}, trials=[trial], trialsPerPod=1)

    ended = alone.run()

    assert ended.code == ExitCode.OK, ended.log
    folders = (made.artifact("small").folder, alone.artifact(made.number("small")).folder)
    for name in (
        "model.onnx",
        "model.safetensors",
        "model.json",
        "golden.safetensors",
        "README.md",
    ):
        one, other = ((folder / name).read_bytes() for folder in folders)
        assert hashlib.sha256(one).digest() == hashlib.sha256(other).digest(), name


def test_a_candidate_that_dies_fails_alone_with_its_cause(made: Built) -> None:
    *others, wide, convolutions = made.ended.result.trials

    assert (wide.outcome, wide.cause) == ("Failed", "BadParameters")
    assert "its teacher 5178: make it smaller" in wide.message
    assert (convolutions.outcome, convolutions.cause) == ("Failed", "NotSupported")
    assert "family MLP has no such layers, only Linear" in convolutions.message
    assert [trial.outcome for trial in others] == ["Succeeded"] * len(others), made.ended.log
    folders = sorted(path.name for path in made.pod.artifacts.iterdir())
    assert folders == [f"small-c{trial.number:05d}" for trial in others]


def test_a_chain_that_diverges_is_named_not_a_number(tmp_path: Path) -> None:
    settings = {"epochs": "2", "width": "8", "weight_decay": "10", "learning_rate": "0.001"}
    wine = searched(tmp_path / "wine", "wine", data={"uri": "builtin://wine"}, settings=settings)
    wild: Chain = [{"distill": {"learningRate": "10", "epochs": 60}}]
    ended = build(tmp_path / "pod", wine, {"wild": wild}).ended

    (trial,) = ended.result.trials
    assert (ended.code, trial.outcome, trial.cause) == (ExitCode.OK, "Failed", "NaN"), ended.log


def test_a_stop_keeps_what_is_finished_and_a_new_pod_repeats_it_at_once(
    tmp_path: Path, digits: Searched
) -> None:
    pod = CompressionPod(tmp_path, digits, {"baseline": [], "endless": ENDLESS})
    process = pod.start()
    assert process.stdout is not None
    next(line for line in process.stdout if line.startswith("trial small-c00002 step 1/1 distill"))
    process.send_signal(signal.SIGTERM)

    ended = pod.wait(process)

    assert ended.code == ExitCode.STOPPED
    assert [trial.outcome for trial in ended.result.trials] == ["Succeeded", "Stopped"]
    again = CompressionPod(tmp_path, digits, {"baseline": []}).run(attempt="bbbbbbbb")
    assert again.lines == ["trial small-c00001 Succeeded, committed by attempt aaaaaaaa"]
    before, after = ended.result.trials[0], again.result.trials[0]
    assert (after.objective, after.digest, after.attempt) == (
        before.objective,
        before.digest,
        "aaaaaaaa",
    )


def test_each_candidate_that_takes_too_long_fails_and_the_next_has_its_own_time(
    tmp_path: Path, digits: Searched
) -> None:
    chains = {"endless": ENDLESS, "again": ENDLESS}

    ended = CompressionPod(tmp_path, digits, chains, maxTrialSeconds=2).run()

    assert ended.code == ExitCode.OK, ended.log
    assert [trial.cause for trial in ended.result.trials] == ["DeadlineExceeded"] * 2
    second = [
        line for line in ended.lines if line.startswith("trial small-c00002 step 1/1 distill")
    ]
    assert second, ended.log


def refused(pod: TrialPod) -> str:
    ended = pod.run()
    assert ended.code == ExitCode.PERMANENT, ended.log
    assert ended.result.job_fault
    assert ended.lines == [f"cannot train: {ended.result.message}"]
    return f"{ended.result.cause}: {ended.result.message}"


def test_a_source_with_another_digest_ends_the_job(tmp_path: Path, digits: Searched) -> None:
    source = {"uri": digits.uri, "digest": "0" * 64}

    words = refused(CompressionPod(tmp_path, digits, {"baseline": []}, source=source))

    assert words.startswith(f"BadSource: source {digits.uri}: the manifest in aaaaaaaa has sha256 ")


def test_a_pickled_file_ends_the_job_unopened(tmp_path: Path, digits: Searched) -> None:
    (digits.claims / "models/net.pt").write_bytes(b"\x80\x02cos\nsystem\nq\x00.")
    source = {"uri": "pvc://models/net.pt", "digest": "0" * 64}

    words = refused(CompressionPod(tmp_path, digits, {"baseline": []}, source=source))

    assert words.startswith("BadSource: source pvc://models/net.pt is a file: nothing is unpickled")


def test_a_data_set_that_was_changed_since_the_search_is_named(tmp_path: Path) -> None:
    data = {"uri": "pvc://tables/t.csv", "target": "label"}
    settings = {"epochs": "1", "width": "4"}
    source = searched(tmp_path / "s", "trees", content=table(), data=data, settings=settings)
    (source.claims / "tables/t.csv").write_text(table(297))

    words = refused(CompressionPod(tmp_path / "c", source, {"baseline": []}))

    assert words.startswith("BadData: pvc://tables/t.csv has sha256 ")
    assert "the data was changed since" in words


def test_a_metric_that_no_epoch_can_be_judged_by_ends_the_job(
    tmp_path: Path, digits: Searched
) -> None:
    objectives = [{"metric": "train_seconds", "goal": "Minimize"}]

    words = refused(CompressionPod(tmp_path, digits, {"baseline": []}, objectives=objectives))

    assert "objective 'train_seconds' is not a quality of classification" in words


def test_what_a_compression_has_left_can_be_compressed_again(
    tmp_path: Path, digits: Searched, made: Built
) -> None:
    home = "models/small/small-c00002/aaaaaaaa"
    shutil.copytree(made.artifact("cut").folder, digits.claims / home)
    cut = replace(digits, uri=f"pvc://{home}", artifact=read_artifact(digits.claims / home))
    second = CompressionPod(tmp_path, cut, {"again": CUT})

    ended = second.run()

    assert ended.code == ExitCode.OK, ended.log
    artifact = second.artifact()
    check_artifact(artifact)
    before = cut.artifact.document["metrics"]["parameters"]
    assert artifact.document["metrics"]["parameters"] < 0.7 * before
    assert [(entry["kind"], entry["digest"]) for entry in artifact.document["lineage"]] == [
        ("source", digits.artifact.digest),
        ("candidate", cut.artifact.digest),
    ]
    assert artifact.document["lineage"][1]["steps"] == cut.artifact.document["steps"]


def test_what_a_builder_pod_leaves_is_measured_as_it_says(made: Built, tmp_path: Path) -> None:
    ended = measure_built(made, Round(tmp_path), "baseline", "cut", "mask", "student")

    baseline, cut, mask, student = sizes(ended)
    assert cut < 0.8 * baseline
    assert mask == pytest.approx(baseline, rel=0.01)
    assert student < 0.8 * baseline
