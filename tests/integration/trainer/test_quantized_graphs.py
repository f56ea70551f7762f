"""Every family quantized: integer kernels in ONNX Runtime, and the outputs of the torch form."""

from __future__ import annotations

from itertools import cycle
from typing import Any

import onnx
import pytest
import torch
from onnx import numpy_helper

from tests.support.architectures import small, trained_looking
from tests.support.compression import source, step, workshop
from tests.support.proofs import proofs
from tests.support.served import distance, facts_of, operators_of
from winnow_measure.claims import check_claims
from winnow_trainer.architectures import Model, compute_layers
from winnow_trainer.compress.delivery import Quantized, deliver
from winnow_trainer.compress.quantizing.folding import folded
from winnow_trainer.compress.quantizing.integers import integer_graph
from winnow_trainer.compress.quantizing.quantize import INTEGER_TOLERANCE, quantize
from winnow_trainer.compress.quantizing.quantizer import calibrated
from winnow_trainer.compress.quantizing.simulation import Simulation
from winnow_trainer.compress.workshop import Work, Workshop
from winnow_trainer.task import DataKind

ACTIVATIONS = ("relu", "gelu", "tanh", "silu", "elu", "leaky_relu", "sigmoid")
FAMILIES: list[tuple[str, dict[str, Any]]] = [
    ("MLP", {"norm": "batch"}),
    ("CNN", {"norm": "layer", "pooling": "max", "kernel": "5"}),
    ("ResNet", {"norm": "batch", "stem": "large", "resize": "16"}),
    ("Transformer", {"depth": 1, "summary": "mean", "activation": "gelu"}),
]
OTHERS: list[tuple[str, dict[str, Any]]] = [
    ("MLP", {"norm": "layer", "activation": "gelu", "dropout": 0.1}),
    ("CNN", {"norm": "batch", "pooling": "average"}),
    ("ResNet", {"norm": "none", "activation": "leaky_relu"}),
    ("Transformer", {"depth": 2}),
]
"""The families as other settings shape them; the long proofs quantize these too."""


def made(family: str, **given: Any) -> tuple[Work, Workshop]:
    shop = workshop(family, **given)
    return source(family, shop), shop


def allowed(quantized: Quantized) -> float:
    tolerance = quantized.delivery.tolerance
    assert tolerance == INTEGER_TOLERANCE
    return tolerance["relative"]


def check(work: Work, shop: Workshop, quantized: Quantized) -> None:
    """What holds of every quantized model."""
    rows = shop.validation.features
    delivery = quantized.delivery
    onnx.checker.check_model(onnx.load_from_string(delivery.content), full_check=True)
    assert distance(delivery.content, delivery.run, rows) <= allowed(quantized)
    for count in (1, 2):
        assert distance(delivery.content, delivery.run, rows[:count]) <= allowed(quantized)
    facts, parent = facts_of(delivery.content, rows), facts_of(_plain(work.model, shop), rows)
    check_claims(quantized.claims, facts, parent)
    kinds = [str(kind) for kind in compute_layers(work.model).values()]
    for kind in quantized.claims["integerLayers"]:
        assert facts.operators.integer[kind] == kinds.count(kind) - quantized.claims["excluded"]
        assert facts.operators.floating.get(kind, 0) == quantized.claims["excluded"]
    for kind in set(kinds) - set(quantized.claims["integerLayers"]):
        assert facts.operators.integer.get(kind, 0) == 0
        assert facts.operators.floating[kind] == kinds.count(kind)


def _plain(model: Model, shop: Workshop) -> bytes:
    return deliver(model, shop.validation.features).content


@pytest.mark.parametrize(
    ("family", "given"), [*FAMILIES, *proofs(*OTHERS)], ids=lambda value: str(value)[:40]
)
def test_calibrated_layers_run_in_integer_kernels(family: str, given: dict[str, Any]) -> None:
    work, shop = made(family, **given)

    quantized = quantize(work, step("quantize"), shop)

    check(work, shop, quantized)
    report = quantized.report
    assert report["after_accuracy"] == pytest.approx(report["before_accuracy"], abs=0.03)
    assert quantized.claims["smallerThanParent"]


@pytest.mark.parametrize(
    ("family", "activation"),
    [
        *zip(cycle(("CNN", "MLP")), ACTIVATIONS),
        *proofs(*zip(cycle(("MLP", "CNN")), ACTIVATIONS)),
    ],
)
def test_every_activation_stands_between_integer_layers(family: str, activation: str) -> None:
    given = {"channels": "8-8", "pooling": "none"} if family == "CNN" else {"widths": "16-16"}
    work, shop = made(family, activation=activation, norm="none", **given)

    check(work, shop, quantize(work, step("quantize"), shop))


@pytest.mark.parametrize(
    ("family", "given"),
    [FAMILIES[0], OTHERS[1], *proofs(FAMILIES[2], *FAMILIES[3:])],
    ids=lambda value: str(value)[:40],
)
def test_trained_layers_run_in_integer_kernels(family: str, given: dict[str, Any]) -> None:
    work, shop = made(family, **given)

    quantized = quantize(work, step("quantize", mode="Aware", epochs=2), shop)

    check(work, shop, quantized)
    report = quantized.report
    assert report["after_accuracy"] >= report["before_accuracy"] - 0.03
    assert {"untrained_accuracy", "rangeEpochs", "calibrationRows"} <= set(report)


@pytest.mark.parametrize(
    ("family", "given"),
    [FAMILIES[3], *proofs(*FAMILIES[:2])],
    ids=lambda value: str(value)[:40],
)
def test_linear_layers_find_their_ranges_in_each_request(
    family: str, given: dict[str, Any]
) -> None:
    work, shop = made(family, **given)

    quantized = quantize(work, step("quantize", mode="Dynamic"), shop)

    check(work, shop, quantized)
    assert quantized.claims["integerLayers"] == ["Linear"]
    # Nothing is rounded differently here, other than by chance of the last bit of a range.
    rows = shop.validation.features
    assert distance(quantized.delivery.content, quantized.delivery.run, rows) < 0.01


@pytest.mark.parametrize("kind", ["Convolution", *proofs("Linear")])
def test_kinds_of_layers_are_chosen_apart(kind: str) -> None:
    work, shop = made("ResNet")

    quantized = quantize(work, step("quantize", layers=[kind]), shop)

    check(work, shop, quantized)
    assert quantized.claims["integerLayers"] == [kind]
    assert {entry["kind"] for entry in quantized.report["layers"]} == {kind}


@pytest.mark.parametrize("mode", ["PostTraining", "Aware", "Dynamic"])
def test_values_keep_all_their_digits(mode: str) -> None:
    work, shop = made("MLP", kind=DataKind.REGRESSION)
    given = {"epochs": 1} if mode == "Aware" else {}

    quantized = quantize(work, step("quantize", mode=mode, **given), shop)

    check(work, shop, quantized)
    values = quantized.delivery.run(shop.validation.features)
    assert len(set(values.flatten().tolist())) > 200, "an output of 8 bits has 256 values at most"
    assert quantized.report["after_r2"] == pytest.approx(quantized.report["before_r2"], abs=0.05)


@pytest.mark.parametrize(
    "options", [{}, {"mode": "Dynamic"}, *proofs({"mode": "Aware", "epochs": 2})], ids=str
)
def test_the_same_step_gives_the_same_bytes_and_leaves_its_model_alone(
    options: dict[str, Any],
) -> None:
    work, shop = made("CNN" if options.get("mode") != "Dynamic" else "MLP", norm="batch")
    before = {name: tensor.clone() for name, tensor in work.model.state_dict().items()}

    one, other = (quantize(work, step("quantize", **options), shop) for _ in range(2))

    assert one.delivery.content == other.delivery.content
    assert one.report == other.report
    assert not any(
        node.metadata_props or node.doc_string
        for node in onnx.load_from_string(one.delivery.content).graph.node
    )
    after = work.model.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize("options", [{}, {"mode": "Aware", "epochs": 2}], ids=str)
def test_what_was_pruned_is_still_zero(options: dict[str, Any]) -> None:
    work, shop = made("MLP", norm="batch")
    with torch.no_grad():
        work.model.get_parameter("body.1.weight")[:, ::2] = 0

    quantized = quantize(work, step("quantize", **options), shop)

    graph = onnx.load_from_string(quantized.delivery.content).graph
    weights = [numpy_helper.to_array(t) for t in graph.initializer if len(t.dims) > 1]
    (first,) = [weight for weight in weights if weight.shape == (32, 54)]
    assert not first[:, ::2].any()
    assert first[:, 1::2].any()


@pytest.mark.parametrize("options", [{}, *proofs({"mode": "Aware", "epochs": 1})], ids=str)
def test_channels_without_weights_still_give_their_bias(options: dict[str, Any]) -> None:
    work, shop = made("CNN", norm="none")
    with torch.no_grad():
        work.model.get_parameter("body.0.weight")[:4] = 0
        work.model.get_parameter("body.0.bias")[:4] = 20

    check(work, shop, quantize(work, step("quantize", **options), shop))


def with_a_layer_that_does_not_fit() -> tuple[Work, Workshop]:
    """One weight of each channel is so large that the others round to nothing beside it.

    It is on an input that is always zero, so that the model in 32 bits is as good as before.
    """
    work, shop = made("MLP", norm="none", activation="relu")
    with torch.no_grad():
        work.model.get_parameter("body.1.weight")[0] = 0
        work.model.get_parameter("body.1.bias")[0] = -1
        work.model.get_parameter("body.3.weight")[:, 0] = 3000
    return work, shop


@pytest.mark.parametrize("mode", ["PostTraining", "Dynamic", *proofs("Aware")])
def test_a_layer_that_costs_more_than_is_allowed_stays_in_32_bits(mode: str) -> None:
    work, shop = with_a_layer_that_does_not_fit()
    given = {"epochs": 1, "learningRate": "0.00001"} if mode == "Aware" else {}

    quantized = quantize(work, step("quantize", mode=mode, maxDrop="0.02", **given), shop)

    check(work, shop, quantized)
    report = quantized.report
    assert report["excluded"] == ["body.3"]
    assert report["attempts"] == 2
    assert report["after_accuracy"] >= report["before_accuracy"] - 0.02
    words = " ".join(report["sentences"])
    assert "body.3 stay in 32 bits, because they move the outputs most" in words
    assert "3 of 4 Linear layers compute in integers" in words
    damages = {entry["layer"]: entry["damage"] for entry in report["layers"]}
    assert max(damages, key=damages.__getitem__) == "body.3"


@pytest.mark.parametrize(
    ("family", "layer"),
    [
        ("CNN", "body.4"),
        ("ResNet", "stages.1.0.shortcut"),
        ("Transformer", "query"),
        *proofs(
            ("MLP", "body.4"),
            ("ResNet", "stages.0.0.conv2"),
            ("ResNet", "stages.1.0.conv1"),
            ("ResNet", "stem"),
            ("Transformer", "expand"),
        ),
    ],
)
def test_the_runtime_leaves_a_layer_between_integers_in_32_bits_too(
    family: str, layer: str
) -> None:
    rows = torch.randn(64, 54, generator=torch.Generator().manual_seed(5))
    model = folded(trained_looking(small(family)), rows)
    kinds = compute_layers(model)
    chosen = [name for name in kinds if layer not in name]
    simulation = Simulation(model, rows, chosen, calibrated())
    simulation.calibrate(rows)

    run, content = integer_graph(simulation, rows)

    operators = operators_of(content, rows)
    assert sum(operators.integer.values()) == len(chosen)
    assert sum(operators.floating.values()) == len(kinds) - len(chosen)
    assert distance(content, run, rows) <= INTEGER_TOLERANCE["relative"]


def test_without_a_limit_every_layer_is_an_integer_one_whatever_it_costs() -> None:
    work, shop = with_a_layer_that_does_not_fit()

    quantized = quantize(work, step("quantize"), shop)

    check(work, shop, quantized)
    assert quantized.report["excluded"] == []
    assert quantized.report["after_accuracy"] < quantized.report["before_accuracy"] - 0.1


def test_a_model_too_small_to_shrink_says_so() -> None:
    work, shop = made("MLP", widths="2")

    quantized = quantize(work, step("quantize"), shop)

    assert not quantized.claims["smallerThanParent"]
    assert "no smaller for it" in " ".join(quantized.report["sentences"])
    content = quantized.delivery.content
    assert operators_of(content, shop.validation.features).integer == {"Linear": 2}
