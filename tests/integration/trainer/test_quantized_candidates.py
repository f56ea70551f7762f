"""`python -m winnow_trainer` builds int8 candidates of a searched model: as good, and as promised."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from tests.support.builder_pods import Built, Chain, Searched, build, searched
from tests.support.measuring_pods import Round, measure_built, sizes
from tests.support.served import facts_of, outputs_in_runtime
from winnow_contract.manifests import Committed
from winnow_measure.claims import check_change, check_claims

INTEGERS: dict[str, Chain] = {
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
    "one": [{"quantize": {"calibrationRows": 1}}],
}
"""Chains for a convolutional net."""
QUICK: dict[str, Chain] = {
    "baseline": [],
    "cut": [{"prune": {"amount": "0.5", "epochs": 2}}],
    "mask": [{"prune": {"unit": "Weight", "amount": "0.8", "epochs": 2}}],
    "student": [{"distill": {"student": {"width": "0.5"}, "epochs": 3}}],
}
QUANTIZED = [name for name in INTEGERS if name not in {"baseline", "one"}]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Searched:
    """A convolutional net that was trained on scanned digits."""
    settings = {
        "epochs": "12",
        "channels": "16-32",
        "norm": "batch",
        "learning_rate": "0.003",
        "batch_size": "32",
    }
    folder = tmp_path_factory.mktemp("images")
    return searched(folder, "images", family="CNN", settings=settings)


@pytest.fixture(scope="module")
def integers(tmp_path_factory: pytest.TempPathFactory, images: Searched) -> Built:
    """What one pod has made of it by quantizing."""
    return build(tmp_path_factory.mktemp("integers"), images, INTEGERS)


def test_every_candidate_is_built(integers: Built) -> None:
    outcomes = [trial.outcome for trial in integers.ended.result.trials]

    assert outcomes == ["Succeeded"] * len(INTEGERS), integers.ended.log


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
def test_int8_is_within_three_thousandths_of_32_bits(integers: Built, name: str) -> None:
    baseline, candidate = integers.artifact("baseline"), integers.artifact(name)

    assert accuracy(baseline, "validation") > 0.97
    lost = accuracy(baseline, "validation") - accuracy(candidate, "validation")
    assert lost <= 0.003


@pytest.mark.parametrize("name", QUANTIZED)
def test_the_runtime_agrees_with_what_was_recorded_and_keeps_every_claim(
    integers: Built, name: str
) -> None:
    baseline, candidate = integers.artifact("baseline"), integers.artifact(name)
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
def test_accuracy_in_the_runtime_is_the_recorded_one(integers: Built, name: str) -> None:
    candidate = integers.artifact(name)
    evaluation = load_file(integers.artifact("baseline").folder / "evaluation.safetensors")

    rows = torch.from_numpy(evaluation["validation_inputs"])
    guesses = outputs_in_runtime(content(candidate), rows).numpy().argmax(1)

    found = float((guesses == evaluation["validation_targets"]).mean())
    assert found == pytest.approx(accuracy(candidate, "validation"), abs=0.006)


def test_what_is_kept_of_a_graph_of_integers(integers: Built) -> None:
    candidate = integers.artifact("half")

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


def test_it_is_smaller_by_the_bits_that_it_does_without(integers: Built) -> None:
    sizes = {name: len(content(integers.artifact(name))) for name in INTEGERS}

    assert sizes["calibrated"] < 0.45 * sizes["baseline"]
    assert sizes["aware"] == pytest.approx(sizes["calibrated"], rel=0.01)
    assert sizes["half"] < 0.6 * sizes["calibrated"]
    assert sizes["calibrated"] < sizes["convolutions"] < sizes["baseline"]


def test_a_step_that_cannot_be_calibrated_is_never_left_without_rows(integers: Built) -> None:
    one, every = (
        integers.artifact(name).document["steps"][0]["report"] for name in ("one", "calibrated")
    )
    assert (one["calibrationRows"], every["calibrationRows"]) == (1, 300)


def test_what_it_has_quantized_is_measured_as_it_says(integers: Built, tmp_path: Path) -> None:
    ended = measure_built(integers, Round(tmp_path), "baseline", "calibrated", "half")

    baseline, calibrated, half = sizes(ended)
    assert calibrated < 0.45 * baseline
    assert half < 0.6 * calibrated
    shares = [c.values["quantized_share"][0] for c in ended.result.candidates]
    assert shares == [0, 1, 1]


@pytest.mark.prove
def test_what_a_builder_pod_leaves_of_convolutions_is_measured_as_it_says(
    images: Searched, tmp_path: Path
) -> None:
    built = build(tmp_path / "pod", images, QUICK)

    ended = measure_built(built, Round(tmp_path / "round"), *QUICK)

    baseline, cut, mask, student = sizes(ended)
    assert cut < 0.8 * baseline
    assert mask == pytest.approx(baseline, rel=0.01)
    assert student < 0.8 * baseline
