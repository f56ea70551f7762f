"""`python -m winnow_trainer` builds int8 candidates of a searched model: as good, and as promised."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from tests.support.builder_pods import Chain, CompressionPod, Searched, searched
from tests.support.served import facts_of, outputs_in_runtime
from winnow_contract.exit_codes import ExitCode
from winnow_contract.manifests import Committed
from winnow_measure.claims import check_change, check_claims

CHAINS: dict[str, Chain] = {
    "baseline": [],
    "calibrated": [{"quantize": {"calibrationRows": 300, "maxDrop": "0.003"}}],
    "convolutions": [{"quantize": {"layers": ["Convolution"]}}],
    "dynamic": [{"quantize": {"mode": "Dynamic"}}],
    "aware": [{"quantize": {"mode": "Aware", "epochs": 2}}],
    "half": [{"prune": {"amount": "0.5", "epochs": 4}}, {"quantize": {"maxDrop": "0.003"}}],
    "masked": [
        {"prune": {"unit": "Weight", "amount": "0.7", "epochs": 2}},
        {"quantize": {"mode": "Aware", "epochs": 1}},
    ],
}
NUMBERS = {name: number for number, name in enumerate(CHAINS, 1)}
QUANTIZED = [name for name in CHAINS if name != "baseline"]


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Searched:
    settings = {
        "epochs": "12",
        "channels": "16-32",
        "norm": "batch",
        "learning_rate": "0.003",
        "batch_size": "32",
    }
    folder = tmp_path_factory.mktemp("digits")
    return searched(folder, "digits", family="CNN", settings=settings)


@pytest.fixture(scope="module")
def pod(tmp_path_factory: pytest.TempPathFactory, digits: Searched) -> CompressionPod:
    """A pod that has built all of them."""
    built = CompressionPod(tmp_path_factory.mktemp("pod"), digits, CHAINS)
    ended = built.run()
    assert ended.code == ExitCode.OK, ended.log
    assert [trial.outcome for trial in ended.result.trials] == ["Succeeded"] * len(CHAINS)
    return built


def content(artifact: Committed) -> bytes:
    return (artifact.folder / "model.onnx").read_bytes()


def accuracy(artifact: Committed, split: str) -> float:
    (value,) = (
        entry["value"]
        for entry in artifact.document["values"]
        if (entry["metric"], entry["split"]) == ("accuracy", split)
    )
    return float(value)


@pytest.mark.parametrize("name", ["calibrated", "convolutions", "dynamic", "aware"])
def test_int8_is_within_three_thousandths_of_32_bits(pod: CompressionPod, name: str) -> None:
    baseline, candidate = pod.artifact(1), pod.artifact(NUMBERS[name])

    assert accuracy(baseline, "validation") > 0.97
    lost = accuracy(baseline, "validation") - accuracy(candidate, "validation")
    assert lost <= 0.003


@pytest.mark.parametrize("name", QUANTIZED)
def test_the_runtime_agrees_with_what_was_recorded_and_keeps_every_claim(
    pod: CompressionPod, name: str
) -> None:
    baseline, candidate = pod.artifact(1), pod.artifact(NUMBERS[name])
    rows = torch.from_numpy(
        load_file(baseline.folder / "evaluation.safetensors")["validation_inputs"]
    )
    golden = load_file(candidate.folder / "golden.safetensors")

    outputs = outputs_in_runtime(content(candidate), torch.from_numpy(golden["inputs"])).numpy()

    tolerance: dict[str, Any] = candidate.document["tolerance"]
    largest = np.abs(golden["outputs"]).max()
    allowed = tolerance["absolute"] + tolerance["relative"] * largest
    assert np.abs(outputs - golden["outputs"]).max() <= allowed
    facts, parent = facts_of(content(candidate), rows), facts_of(content(baseline), rows)
    check_claims(candidate.document["claims"], facts, parent)
    check_change(facts, parent)


@pytest.mark.parametrize("name", QUANTIZED)
def test_accuracy_in_the_runtime_is_the_recorded_one(pod: CompressionPod, name: str) -> None:
    candidate = pod.artifact(NUMBERS[name])
    evaluation = load_file(pod.artifact(1).folder / "evaluation.safetensors")

    rows = torch.from_numpy(evaluation["validation_inputs"])
    guesses = outputs_in_runtime(content(candidate), rows).numpy().argmax(1)

    found = float((guesses == evaluation["validation_targets"]).mean())
    assert found == pytest.approx(accuracy(candidate, "validation"), abs=0.006)


def test_what_is_kept_of_a_graph_of_integers(pod: CompressionPod) -> None:
    candidate = pod.artifact(NUMBERS["half"])

    files = {path.name for path in candidate.folder.iterdir()}
    assert "model.onnx" in files
    assert "model.safetensors" not in files, "no torch form holds its weights"
    assert [list(step) for step in candidate.document["steps"]] == [
        ["prune", "report"],
        ["quantize", "report"],
    ]
    card = (candidate.folder / "README.md").read_text()
    assert "2 of 2 Convolution and 1 of 1 Linear layers compute in integers" in card
    claims = candidate.document["claims"]
    assert claims["integerLayers"] == ["Convolution", "Linear"]
    assert claims["smallerThanParent"]


def test_it_is_smaller_by_the_bits_that_it_does_without(pod: CompressionPod) -> None:
    sizes = {name: len(content(pod.artifact(number))) for name, number in NUMBERS.items()}

    assert sizes["calibrated"] < 0.45 * sizes["baseline"]
    assert sizes["aware"] == pytest.approx(sizes["calibrated"], rel=0.01)
    assert sizes["half"] < 0.6 * sizes["calibrated"]
    assert sizes["calibrated"] < sizes["convolutions"] < sizes["baseline"]


def test_a_step_that_cannot_be_calibrated_is_never_left_without_rows(
    tmp_path: Path, digits: Searched
) -> None:
    pod = CompressionPod(
        tmp_path,
        digits,
        {"one": [{"quantize": {"calibrationRows": 1}}], "all": CHAINS["calibrated"]},
    )

    ended = pod.run()

    assert ended.code == ExitCode.OK, ended.log
    one, every = (pod.artifact(number).document["steps"][0]["report"] for number in (1, 2))
    assert (one["calibrationRows"], every["calibrationRows"]) == (1, 300)
